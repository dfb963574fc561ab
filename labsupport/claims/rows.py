"""The rows of the ledger, read from the TOML files beside this one."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from functools import cache
from pathlib import Path

from labsupport.core.errors import LabError
from labsupport.core.escape import printable

DOCUMENTARY = "documentary"


class Verdict(Enum):
    """What we say about a statement. Only `UNTESTED` is no verdict."""

    HOLDS = "holds"
    CONDITIONS = "holds with conditions"
    OUTDATED = "outdated"
    WRONG = "wrong"
    UNTESTED = "untested"

    @property
    def mark(self) -> str:
        """One character: ✓ holds, ◐ holds with conditions, ✗ outdated or wrong, ? untested."""
        return {"holds": "✓", "holds with conditions": "◐", "untested": "?"}.get(self.value, "✗")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the guide, in our words, and what became of it.

    `section` is one of `sections.SECTIONS`. `paragraph` is the number of the paragraph below the section's heading,
    from 1: a paragraph of running text, boxed or not, and an item of a list count one each; headings, captions of
    pictures and page numbers do not. A paragraph that goes on after a page break or a formula is one. The front matter
    (section 0) is counted through, from the first sort of reader it names.

    `system` is what the statement is about, with the version it was settled on. `source` says where the mechanism is
    documented; in an untested row it is where one would look. `test` is the page whose run settles it, or
    "documentary" (then `why` says why no run could). `predicate` is the name of the function in `predicates` that
    reads the evidence; a documentary or untested row has none. `reference` is what the maintainers' run saw, the
    sentence that the committed page shows: another run may use other words and still bear the verdict out.
    """

    id: str
    section: str
    paragraph: int
    statement: str
    system: str
    verdict: Verdict
    why: str
    source: str
    test: str
    predicate: str
    reference: str = ""

    @property
    def settled(self) -> bool:
        """Whether the ledger records a verdict."""
        return self.verdict is not Verdict.UNTESTED

    @property
    def documentary(self) -> bool:
        """Whether the verdict rests on documents alone; measured and documentary rows are counted apart."""
        return self.test == DOCUMENTARY

    @property
    def measured(self) -> bool:
        """Whether a page's run settled it."""
        return self.settled and not self.documentary


def read_rows(text: str) -> list[Claim]:
    """The rows of one ledger file. A row that is not complete is our mistake: `ValueError` names it."""
    rows = tomllib.loads(text).get("claim", [])
    return [_row(number, row) for number, row in enumerate(rows, 1)]


def _row(number: int, row: dict[str, object]) -> Claim:
    needed = sorted(field.name for field in fields(Claim) if field.default is MISSING)
    optional = sorted(field.name for field in fields(Claim) if field.default is not MISSING)
    name = row.get("id", f"number {number}")
    if sorted(row.keys() - optional) != needed:
        raise ValueError(f"row {name}: has {sorted(row)}, needs exactly {needed} (and may have {optional})")
    paragraph, words = row["paragraph"], {key: value for key, value in row.items() if key != "paragraph"}
    if type(paragraph) is not int or paragraph < 1:
        raise ValueError(f"row {name}: paragraph is {paragraph!r}, and should be a whole number from 1")
    if not all(isinstance(value, str) for value in words.values()):
        raise ValueError(f"row {name}: every value but `paragraph` is a string")
    strings = {key: " ".join(str(value).split()) for key, value in words.items()}
    return Claim(**{**strings, "paragraph": paragraph, "verdict": Verdict(strings["verdict"])})  # type: ignore[arg-type]


def ledger_files() -> list[Path]:
    """The ledger's files, in the order of the guide's chapters."""
    return sorted(Path(__file__).parent.glob("section-*.toml"), key=lambda path: int(path.stem.split("-")[1]))


@cache
def ledger() -> tuple[Claim, ...]:
    """All rows, in the order of the guide. `ValueError` if an id stands there twice."""
    rows = [row for path in ledger_files() for row in read_rows(path.read_text(encoding="utf-8"))]
    ids = [row.id for row in rows]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"these ids stand in the ledger more than once: {twice}")
    return tuple(rows)


def claim(claim_id: str) -> Claim:
    """The row of that id. Raises `LabError`, which names the nearest ids, if there is none."""
    rows = {row.id: row for row in ledger()}
    if claim_id in rows:
        return rows[claim_id]
    near = difflib.get_close_matches(str(claim_id), rows, n=3, cutoff=0.4)
    fix = f"Did you mean {' or '.join(near)}?" if near else "`claims.ledger()` lists all of them."
    raise LabError(f"There is no claim `{printable(claim_id)}` in the ledger.", fix=fix)
