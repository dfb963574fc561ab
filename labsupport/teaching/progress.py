"""How far the learner has come, on disk: labs checked and solved, hints taken; beside the predictions of `kept`.

A check that could not be made is not kept: it says nothing of the learner. Two computers' progress can be merged in any
order, and twice: all that either knows is kept, and the same event counts once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from labsupport.core.errors import BadInput, LabError
from labsupport.core.escape import printable
from labsupport.core.finding import Outcome
from labsupport.teaching import kept
from labsupport.teaching.kept import Answers
from labsupport.teaching.store import Store, moment, now, write_whole

EXPORT_FORMAT, EXPORT_VERSION = "kafka-lab-export", 1
LARGEST_IMPORT_BYTES = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class LabProgress:
    """One lab: when it was seen unsolved, when it was solved first, and when each hint and the solution were shown.

    `tries` are times of checks that came out "not yet". `cluster` names the cluster that is broken and ready, by its
    id, with the seed and the digest of its neutral state: by these a lab is taken up again.
    """

    tries: tuple[str, ...] = ()
    solved_at: str | None = None
    hints: tuple[str, ...] = ()
    solution_at: str | None = None
    cluster: Mapping[str, str] = field(default_factory=dict)

    @property
    def standing(self) -> str:
        """`solved`, `not yet`, or `not tried`."""
        if self.solved_at is not None:
            return Outcome.SOLVED.value
        return Outcome.NOT_YET.value if self.tries else "not tried"


Labs = dict[str, LabProgress]


@dataclass(frozen=True)
class Progress:
    """All labs, and a sentence about what went wrong in reading or writing ("" if nothing)."""

    labs: Mapping[str, LabProgress]
    note: str = ""

    def of(self, lab: str) -> LabProgress:
        return self.labs.get(lab, LabProgress())


def load() -> Progress:
    """What is kept. Never raises."""
    held = STORE.load()
    return Progress(held.value, held.note)


def checked(lab: str, outcome: Outcome) -> Progress:
    """Keep the outcome of a check; one that could not be made leaves no trace. Never raises."""
    if outcome is Outcome.COULD_NOT_CHECK:
        return load()
    if outcome is Outcome.SOLVED:
        return _change(lab, lambda old: replace(old, solved_at=old.solved_at or now()))
    return _change(lab, lambda old: replace(old, tries=(*old.tries, now())))


def hint_taken(lab: str, number: int) -> Progress:
    """Keep that hint `number` (from 1) was shown; those before it were. Never raises."""
    return _change(lab, lambda old: replace(old, hints=(*old.hints, now())) if len(old.hints) < number else old)


def solution_shown(lab: str) -> Progress:
    """Keep when the solution was first shown. Never raises."""
    return _change(lab, lambda old: replace(old, solution_at=old.solution_at or now()))


def ready(lab: str, cluster: Mapping[str, str]) -> Progress:
    """Keep which cluster stands broken and ready for a lab; an empty mapping: none does. Never raises."""
    return _change(lab, lambda old: replace(old, cluster=dict(cluster)))


def _change(lab: str, change: Callable[[LabProgress], LabProgress]) -> Progress:
    held = STORE.change(lambda labs: {**labs, lab: change(labs.get(lab, LabProgress()))})
    return Progress(held.value, held.note)


# --- Export and import ----------------------------------------------------------------------------------------------


def export(file: Path) -> None:
    """Write all progress into one file. Raises `LabError` when it cannot be read or written."""
    answers, labs = kept.STORE.load(), STORE.load()
    for held in (answers, labs):
        if held.note:
            raise LabError(held.note, fix="Mend that, then export again.")
    content = {
        "format": EXPORT_FORMAT,
        "version": EXPORT_VERSION,
        "predictions": kept.STORE.content(answers.value),
        "progress": STORE.content({name: replace(row, cluster={}) for name, row in labs.value.items()}),
    }
    try:
        write_whole(file, json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise LabError(f"{printable(file)} cannot be written ({error.strerror}).", fix="Name another file.") from error


def import_from(file: Path) -> None:
    """Merge an exported file into what is kept here: nothing that is here is lost, and doing it twice changes nothing.

    Raises `BadInput` for a file that is not one of ours or not whole; then nothing has changed. Raises `LabError` when
    the result cannot be written; importing again then completes it.
    """
    answers, labs = _read_export(file)
    held = kept.STORE.change(lambda here: kept.merged(here, answers))
    note = held.note or STORE.change(lambda here: merged(here, labs)).note
    if note:
        raise LabError(note, fix="Then import the file again.")


def _read_export(file: Path) -> tuple[dict[str, Answers], Labs]:
    try:
        if file.stat().st_size > LARGEST_IMPORT_BYTES:
            raise ValueError("too large")
        content = json.loads(file.read_text(encoding="utf-8"))
        known = isinstance(content, dict) and content.get("format") == EXPORT_FORMAT
        if known and content.get("version") != EXPORT_VERSION:
            raise BadInput(
                f"{printable(file)} was exported by another version of kafka-lab.", fix="Update this one and try again."
            )
        if not known:
            raise ValueError("another format")
        return kept.STORE.understood(content["predictions"]), STORE.understood(content["progress"])
    except OSError as error:
        raise BadInput(f"{printable(file)} cannot be read ({error.strerror}).", fix="Name an exported file.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(
            f"{printable(file)} is not a file of `kafka-lab progress export`, or is damaged; nothing was changed.",
            fix="Export it again.",
        ) from error


def merged(one: Mapping[str, LabProgress], other: Mapping[str, LabProgress]) -> Labs:
    """All that either side knows: every try once, the earliest solution, each hint when it was first taken."""
    return {name: _both(one.get(name), other.get(name)) for name in sorted({*one, *other})}


def _both(one: LabProgress | None, other: LabProgress | None) -> LabProgress:
    if one is None or other is None:
        return cast(LabProgress, one or other)
    hints = [min(pair) for pair in zip(one.hints, other.hints, strict=False)]
    longer = max(one.hints, other.hints, key=len)
    return LabProgress(
        tries=tuple(sorted({*one.tries, *other.tries})),
        solved_at=_earliest(one.solved_at, other.solved_at),
        hints=tuple(hints) + longer[len(hints) :],
        solution_at=_earliest(one.solution_at, other.solution_at),
        cluster=one.cluster,  # of this computer; an export names none
    )


def _earliest(*times: str | None) -> str | None:
    return min((at for at in times if at is not None), default=None)


# --- The file -------------------------------------------------------------------------------------------------------


def _parse(content: dict[str, Any]) -> Labs:
    return {
        str(name): LabProgress(
            tries=tuple(moment(at) for at in row["tries"]),
            solved_at=_moment_or_none(row["solved_at"]),
            hints=tuple(moment(at) for at in row["hints"]),
            solution_at=_moment_or_none(row["solution_at"]),
            cluster={str(key): str(value) for key, value in row["cluster"].items()},
        )
        for name, row in content["labs"].items()
    }


def _moment_or_none(text: object) -> str | None:
    return None if text is None else moment(text)


def _dump(labs: Labs) -> dict[str, Any]:
    return {
        "labs": {
            name: {
                "tries": list(row.tries),
                "solved_at": row.solved_at,
                "hints": list(row.hints),
                "solution_at": row.solution_at,
                "cluster": dict(row.cluster),
            }
            for name, row in labs.items()
        }
    }


STORE: Store[Labs] = Store(
    name="progress", format="kafka-lab-progress", version=1, holds="progress", empty={}, parse=_parse, dump=_dump
)
