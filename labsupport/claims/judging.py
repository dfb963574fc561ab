"""A run against the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from labsupport.claims import predicates
from labsupport.claims.evidence import weigh
from labsupport.claims.rows import Claim, claim
from labsupport.core.errors import Contradiction
from labsupport.core.escape import printable


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A claim beside what this run saw, and what the reference run saw.

    `evidence` may hold figures of this machine; `saw` and the text never do. `saw` and `reference` may differ in words
    (another broker took over, say): only another verdict is a contradiction.
    """

    claim: Claim
    saw: str
    evidence: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """The claim's id in the ledger."""
        return self.claim.id

    @property
    def section(self) -> str:
        """The guide's section."""
        return self.claim.section

    @property
    def statement(self) -> str:
        """The guide's statement in our words."""
        return self.claim.statement

    @property
    def verdict(self) -> str:
        """The recorded verdict, which this run bears out."""
        return self.claim.verdict.value

    @property
    def why(self) -> str:
        """The mechanism behind the verdict."""
        return self.claim.why

    @property
    def source(self) -> str:
        """Where the mechanism is documented."""
        return self.claim.source

    @property
    def reference(self) -> str:
        """What the maintainers' run saw; the text leaves it out, so that a page reads the same whoever ran it."""
        return self.claim.reference

    @property
    def paragraph(self) -> int:
        """The paragraph of the guide's section, counted from 1."""
        return self.claim.paragraph

    @property
    def test(self) -> str:
        """The page that settles it, or "documentary"."""
        return self.claim.test

    @property
    def system(self) -> str:
        """What the verdict was settled on."""
        return self.claim.system

    @property
    def settled(self) -> bool:
        """False for a row that the ledger records as untested."""
        return self.claim.settled

    @property
    def mark(self) -> str:
        """One character: ✓ holds, ◐ holds with conditions, ✗ outdated or wrong, ? untested."""
        return self.claim.verdict.mark

    def __str__(self) -> str:
        lines = [f"{self.mark} {self.verdict}   {self.id} (§{self.section})", f"  claim  {self.statement}"]
        lines += [f"  saw    {self.saw}"] if self.saw else []
        lines += [f"  why    {self.why}"] if self.why else []
        return "\n".join(lines)

    __repr__ = __str__


def judge(claim_id: str, evidence: Mapping[str, object]) -> Judgement:
    """Hold what was measured against the recorded verdict; the row's predicate reads the evidence.

    Raises `Contradiction` if this run says otherwise, `Undecided` if it says nothing (no record was acknowledged, so
    none could be lost), and `LabError` for an id that is not in the ledger or evidence that is not what the row needs.
    A row recorded as untested has nothing to contradict: its judgement comes back with `settled` False.
    """
    row = claim(claim_id)
    shown = tuple((printable(name), printable(value)) for name, value in evidence.items())
    if not row.settled:
        return Judgement(claim=row, saw="", evidence=shown)
    reader: Callable[..., predicates.Measured] = getattr(predicates, row.predicate)
    measured = weigh(row.id, reader, evidence)
    if measured.verdict is not row.verdict:
        raise Contradiction(
            f"The ledger records `{row.id}` as “{row.verdict.value}”, but this run says "
            f"“{measured.verdict.value}”: {measured.saw}.",
            fix="Run the page again from its first cell; if it happens twice, the ledger is wrong: please report it.",
        )
    return Judgement(claim=row, saw=measured.saw, evidence=shown)
