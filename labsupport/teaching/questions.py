"""The questions that pages ask, read from `questions.toml`."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from labsupport.core.errors import BadInput, LabError
from labsupport.core.escape import printable


@dataclass(frozen=True, kw_only=True)
class Question:
    """A multiple-choice question. `options` maps a letter to its text; `answer` is the letter that runs bear out."""

    id: str
    ask: str
    options: dict[str, str]
    answer: str
    why: str

    def choice(self, answer: object) -> str:
        """The letter meant by `answer` (case and brackets do not matter). Raises `BadInput` if it is no option."""
        letter = str(answer).strip().strip("()").lower()
        if letter not in self.options:
            raise BadInput(
                f"“{printable(answer)}” is no answer to `{self.id}`.", fix=f"Choose one of {', '.join(self.options)}."
            )
        return letter

    def option(self, letter: str) -> str:
        """An option as one line: `(a) …`."""
        return f"({letter}) {self.options[letter]}"


@cache
def questions() -> dict[str, Question]:
    """All questions by id."""
    text = (files("labsupport.teaching") / "questions.toml").read_text(encoding="utf-8")
    return {row["id"]: _question(row) for row in tomllib.loads(text)["question"]}


def _question(row: dict[str, object]) -> Question:
    options = row.pop("options")
    assert isinstance(options, dict)
    strings = {key: " ".join(str(value).split()) for key, value in row.items()}
    return Question(**strings, options={str(key): str(value) for key, value in options.items()})


def question(question_id: str) -> Question:
    """The question of that id. Raises `LabError`, which names the nearest ids, if there is none."""
    if question_id in questions():
        return questions()[question_id]
    near = difflib.get_close_matches(str(question_id), questions(), n=3, cutoff=0.4) or sorted(questions())[:3]
    raise LabError(f"There is no question `{printable(question_id)}`.", fix=f"Did you mean {' or '.join(near)}?")
