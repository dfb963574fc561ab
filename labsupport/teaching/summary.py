"""All that is kept of a learner, page by page and lab by lab: for `kafka-lab progress`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labsupport.teaching import kept, progress, scenarios
from labsupport.teaching.kept import Answers
from labsupport.teaching.progress import LabProgress
from labsupport.teaching.questions import questions
from labsupport.teaching.workspace import repository

_ASKED = re.compile(r"""\bpredict\(\s*["']([\w.-]+)["']""")


@dataclass(frozen=True, kw_only=True)
class PageStanding:
    """Questions of a page: how many it asks, were predicted, have been answered by the cluster; and the surprises."""

    page: str
    asked: int
    predicted: int
    settled: int
    surprises: int

    def __str__(self) -> str:
        surprises = f"{self.surprises} surprise{'' if self.surprises == 1 else 's'}"
        return f"{self.predicted} of {self.asked} predicted, {self.settled} answered by the cluster, {surprises}"


@dataclass(frozen=True, kw_only=True)
class LabStanding:
    """`standing`: solved, not yet, or not tried. `tries`: checks that came out "not yet"."""

    lab: str
    standing: str
    tries: int
    hints: int
    solution_shown: bool

    def __str__(self) -> str:
        used = [f"{self.tries} {'try' if self.tries == 1 else 'tries'}"] if self.tries else []
        used += [f"{self.hints} hint{'' if self.hints == 1 else 's'}"] if self.hints else []
        used += ["solution shown"] if self.solution_shown else []
        return ", ".join([self.standing, *used])


@dataclass(frozen=True)
class Summary:
    """What `kafka-lab progress` tells; `notes` are sentences about files that could not be read."""

    pages: tuple[PageStanding, ...]
    labs: tuple[LabStanding, ...]
    notes: tuple[str, ...] = ()

    @property
    def surprises(self) -> int:
        """Predictions that the cluster did not bear out: where something was learned."""
        return sum(page.surprises for page in self.pages)

    def facts(self) -> dict[str, Any]:
        """The stable form of `--json`."""
        return {
            "surprises": self.surprises,
            "pages": [asdict(page) for page in self.pages],
            "labs": [asdict(lab) for lab in self.labs],
        }

    def __str__(self) -> str:
        rows = [(page.page, str(page)) for page in self.pages], [(lab.lab, str(lab)) for lab in self.labs]
        width = max((len(name) for part in rows for name, _ in part), default=0)
        texts = ["\n".join(f"  {name.ljust(width)}  {said}" for name, said in part) for part in rows]
        titles = ("Predictions", "Labs")
        return "\n".join(f"{title}\n{text}" for title, text in zip(titles, texts, strict=True) if text)


def summary() -> Summary:
    """Of all pages that ask something and all labs. Never raises: what cannot be read counts as not there."""
    answers, labs = kept.load(), progress.load()
    pages = [_page(name, ids, answers.answers) for name, ids in questions_by_page().items()]
    standings = [_lab(name, labs.of(name)) for name in scenarios.names()]
    return Summary(tuple(pages), tuple(standings), tuple(note for note in (answers.note, labs.note) if note))


def questions_by_page() -> dict[str, list[str]]:
    """The ids of the questions that each shipped page asks, in order."""
    folder = repository() / "notebooks"
    asked = {path.stem: _asked(path) for path in sorted(folder.glob("*.ipynb"))}
    return {name: ids for name, ids in asked.items() if ids}


def _asked(page: Path) -> list[str]:
    cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return [name for name in dict.fromkeys(_ASKED.findall(code)) if name in questions()]


def _page(name: str, ids: list[str], answers: Mapping[str, Answers]) -> PageStanding:
    of = {question_id: answers.get(question_id, Answers()) for question_id in ids}
    return PageStanding(
        page=name,
        asked=len(ids),
        predicted=sum(row.prediction is not None for row in of.values()),
        settled=sum(row.settled_at is not None for row in of.values()),
        surprises=sum(is_surprise(question_id, row) for question_id, row in of.items()),
    )


def is_surprise(question_id: str, answers: Answers) -> bool:
    """Whether the cluster answered otherwise than was predicted."""
    settled = answers.settled_at is not None and answers.prediction is not None
    return settled and answers.prediction != questions()[question_id].answer


def _lab(name: str, kept_of: LabProgress) -> LabStanding:
    return LabStanding(
        lab=name,
        standing=kept_of.standing,
        tries=len(kept_of.tries),
        hints=len(kept_of.hints),
        solution_shown=kept_of.solution_at is not None,
    )
