"""Where the reader's answers are kept: one small private file, which nothing depends on.

Every answer is kept with its time. What counts as the prediction is the answer that stood when the outcome was first
shown; one that is changed after that is kept too, and said to be later.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labsupport.core.errors import LabError
from labsupport.core.folders import state_folder

FORMAT = "kafka-lab-predictions"
VERSION = 1
MOST_ANSWERS = 50
_between_threads = threading.Lock()


@dataclass(frozen=True)
class Answers:
    """All answers to one question, oldest first, as (letter, ISO time), and when its outcome was first shown."""

    given: tuple[tuple[str, str], ...] = ()
    settled_at: str | None = None

    @property
    def first(self) -> str | None:
        """The first answer ever given."""
        return self.given[0][0] if self.given else None

    @property
    def latest(self) -> str | None:
        """The last answer given."""
        return self.given[-1][0] if self.given else None

    @property
    def prediction(self) -> str | None:
        """The answer that counts: the last one given before the outcome was shown. None if there was none."""
        before = [letter for letter, at in self.given if self.settled_at is None or at <= self.settled_at]
        return before[-1] if before else None

    @property
    def changed_after(self) -> bool:
        """Whether another answer was given once the outcome had been seen."""
        return self.settled_at is not None and self.latest != self.prediction


@dataclass(frozen=True)
class Kept:
    """All answers by question id, and a sentence about what went wrong in reading or writing them ("" if nothing)."""

    answers: dict[str, Answers] = field(default_factory=dict)
    note: str = ""

    def of(self, question_id: str) -> Answers:
        """The answers to one question; none if it was never answered."""
        return self.answers.get(question_id, Answers())


def load() -> Kept:
    """What is kept. Never raises: a file that cannot be read costs the answers, not the page."""
    return _guarded(_read)


def answer(question_id: str, letter: str) -> Kept:
    """Keep an answer with the present time. Never raises: `note` says if it could not be kept."""

    def add(old: Answers) -> Answers:
        if letter == old.latest:
            return old
        return replace(old, given=(*old.given[:1], *old.given[1:][-MOST_ANSWERS:], (letter, _now())))

    return _guarded(lambda file: _change(file, question_id, add))


def settle(question_id: str) -> Kept:
    """Keep the moment at which the outcome was first shown. Never raises."""
    return _guarded(
        lambda file: _change(file, question_id, lambda old: replace(old, settled_at=old.settled_at or _now()))
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _guarded(action: Callable[[Path], Kept]) -> Kept:
    try:
        file = state_folder() / "predictions.json"
        with _alone(file):
            return action(file)
    except LabError as error:
        return Kept(note=f"Your answer is not kept. {error}")
    except OSError as error:
        return Kept(note=f"Your answer is not kept ({error.strerror}).")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Two notebooks, and two threads of one, may answer at the same moment."""
    with _between_threads, file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _change(file: Path, question_id: str, change: Callable[[Answers], Answers]) -> Kept:
    kept = _read(file)
    answers = {**kept.answers, question_id: change(kept.of(question_id))}
    _write(file, answers)
    return replace(kept, answers=answers)


def _read(file: Path) -> Kept:
    try:
        return Kept(answers=_parse(json.loads(file.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return Kept()
    except (ValueError, KeyError, TypeError, AttributeError):  # whatever somebody's editor or a full disk made of it
        aside = file.with_name(f"predictions.unreadable-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json")
        file.rename(aside)
        return Kept(note=f"Your earlier answers could not be read; the file is kept as {aside.name}.")


def _parse(content: Any) -> dict[str, Answers]:
    if content["format"] != FORMAT or content["version"] != VERSION:
        raise ValueError("not a file of ours, or of a later version")
    return {
        str(question_id): Answers(
            given=tuple((str(letter), str(at)) for letter, at in row["given"]), settled_at=row["settled_at"]
        )
        for question_id, row in content["answers"].items()
    }


def _write(file: Path, answers: dict[str, Answers]) -> None:
    rows = {name: {"given": row.given, "settled_at": row.settled_at} for name, row in answers.items()}
    content = json.dumps({"format": FORMAT, "version": VERSION, "answers": rows}, indent=1)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".predictions-")  # private (0600) from the start
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            new.write(content)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
