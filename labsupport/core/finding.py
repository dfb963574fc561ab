"""What a check saw. One type serves labs, claims, `kafka-lab doctor` and lint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from labsupport.core.escape import printable

_LINE_LIMIT = 300


class Outcome(Enum):
    """The three outcomes of looking at something."""

    SOLVED = "solved"
    NOT_YET = "not yet"
    COULD_NOT_CHECK = "could not check"


MARKS = {Outcome.SOLVED: "✓", Outcome.NOT_YET: "✗", Outcome.COULD_NOT_CHECK: "?"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`should`: what ought to be. `saw`: what is, a line for each thing. `look`: where to look, or the remedy."""

    outcome: Outcome
    should: str
    saw: str = ""
    look: str = ""

    @classmethod
    def of(cls, ok: bool, *, should: str = "", saw: object = "", look: str = "") -> Finding:
        """Solved if `ok`, else not yet. A list in `saw` becomes lines; a check says itself what `should` be."""
        return cls(outcome=Outcome.SOLVED if ok else Outcome.NOT_YET, should=should, saw=_lines(saw), look=look)

    @classmethod
    def could_not_check(cls, reason: str, *, should: str = "", look: str = "") -> Finding:
        """Nothing was learned of the reader's work; `reason` is one sentence about what stood in the way."""
        return cls(outcome=Outcome.COULD_NOT_CHECK, should=should, saw=reason, look=look)

    def __str__(self) -> str:
        first, *more = [printable(line, limit=_LINE_LIMIT) for line in self.saw.splitlines()] or [""]
        lines = [f"{MARKS[self.outcome]} {self.should}"]
        if first:
            lines += [f"  saw   {first}", *(f"        {line}" for line in more)]
        if self.look and self.outcome is not Outcome.SOLVED:
            lines.append(f"  look  {self.look}")
        return "\n".join(lines)


def _lines(saw: object) -> str:
    if isinstance(saw, Iterable) and not isinstance(saw, str | bytes):
        return "\n".join(str(line) for line in saw)
    return str(saw)
