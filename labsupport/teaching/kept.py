"""Where the reader's answers are kept: one small private file, which nothing depends on.

Every answer is kept with its time. What counts as the prediction is the answer that stood when the outcome was first
shown; one that is changed after that is kept too, and said to be later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from labsupport.teaching.store import Held, Store, moment, now

MOST_ANSWERS = 50


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
    return _kept(STORE.load())


def answer(question_id: str, letter: str) -> Kept:
    """Keep an answer with the present time. Never raises: `note` says if it could not be kept."""

    def add(old: Answers) -> Answers:
        if letter == old.latest:
            return old
        return replace(old, given=_bounded((*old.given, (letter, now()))))

    return _change(question_id, add)


def settle(question_id: str) -> Kept:
    """Keep the moment at which the outcome was first shown. Never raises."""
    return _change(question_id, lambda old: replace(old, settled_at=old.settled_at or now()))


def merged(one: Mapping[str, Answers], other: Mapping[str, Answers]) -> dict[str, Answers]:
    """All that either side knows, each answer once; an outcome was shown when it was first shown on either side."""
    return {name: _both(one.get(name, Answers()), other.get(name, Answers())) for name in sorted({*one, *other})}


def _both(one: Answers, other: Answers) -> Answers:
    given = sorted({*one.given, *other.given}, key=lambda row: (row[1], row[0]))
    settled = [at for at in (one.settled_at, other.settled_at) if at is not None]
    return Answers(given=_bounded(tuple(given)), settled_at=min(settled, default=None))


def _bounded(given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The first answer and the newest, however often a mind is changed."""
    return (*given[:1], *given[1:][-MOST_ANSWERS:])


def _change(question_id: str, change: Callable[[Answers], Answers]) -> Kept:
    return _kept(STORE.change(lambda rows: {**rows, question_id: change(rows.get(question_id, Answers()))}))


def _kept(held: Held[dict[str, Answers]]) -> Kept:
    return Kept(held.value, held.note)


def _parse(content: dict[str, Any]) -> dict[str, Answers]:
    return {
        str(question_id): Answers(
            given=tuple((str(letter), moment(at)) for letter, at in row["given"]),
            settled_at=None if row["settled_at"] is None else moment(row["settled_at"]),
        )
        for question_id, row in content["answers"].items()
    }


def _dump(answers: dict[str, Answers]) -> dict[str, Any]:
    return {"answers": {name: {"given": row.given, "settled_at": row.settled_at} for name, row in answers.items()}}


STORE: Store[dict[str, Answers]] = Store(
    name="predictions", format="kafka-lab-predictions", version=1, holds="answers", empty={}, parse=_parse, dump=_dump
)
