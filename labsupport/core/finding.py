"""What a check saw. One type serves labs, claims, `kafka-lab doctor` and lint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """The three outcomes of looking at something."""

    SOLVED = "solved"
    NOT_YET = "not yet"
    COULD_NOT_CHECK = "could not check"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`should`: what ought to be. `saw`: what is. `look`: where to look, or the remedy."""

    outcome: Outcome
    should: str
    saw: str = ""
    look: str = ""

    @classmethod
    def of(cls, ok: bool, *, should: str, saw: object = "", look: str = "") -> Finding:
        """Solved if `ok`, else not yet."""
        return cls(outcome=Outcome.SOLVED if ok else Outcome.NOT_YET, should=should, saw=str(saw), look=look)

    def __str__(self) -> str:
        mark = {Outcome.SOLVED: "✓", Outcome.NOT_YET: "✗", Outcome.COULD_NOT_CHECK: "?"}[self.outcome]
        lines = [f"{mark} {self.should}"]
        if self.saw:
            lines.append(f"  saw   {self.saw}")
        if self.look and self.outcome is not Outcome.SOLVED:
            lines.append(f"  look  {self.look}")
        return "\n".join(lines)
