"""Histories of the topic "t" made by hand: operations without a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from labsupport.observe.history import HistoryVerdict, judge
from labsupport.observe.operations import Mark, Operation, Read, Send, split_id


def sent(record_id: str, outcome: str, partition: int | None = None, offset: int | None = None) -> Send:
    """A send that ended; where is known only of those acknowledged."""
    return Send(0.0, "t", *split_id(record_id), outcome, partition, offset, None, "")


def acked(record_id: str, offset: int | None, partition: int = 0) -> Send:
    """Acknowledged at `offset`; None: the broker did not say where."""
    return sent(record_id, "acked", None if offset is None else partition, offset)


def saw(record_id: str, offset: int, partition: int = 0, *, by: str = "") -> Read:
    """A record that a reader found; `by` nobody: the full read back."""
    return Read(0.0, "t", partition, offset, *split_id(record_id), by)


def load(producer: str, acks: str) -> Mark:
    return mark("load", producer=producer, acks=acks, idempotence=False)


def mark(what: str, **fields: object) -> Mark:
    return Mark(0.0, what, {"topic": "t", **fields})


def read_back(*reads: Read, ends: Mapping[int, int] | None = None, complete: bool = True) -> list[Operation]:
    """A read from start to end; `ends`: high watermarks by partition, as JSON has them."""
    known = {} if ends is None else {"high_watermarks": {str(partition): end for partition, end in ends.items()}}
    ended = mark("read back", complete=complete, records=len(reads), **known)
    return [mark("read back began"), *reads, ended]


def history(*parts: Operation | Iterable[Operation]) -> list[Operation]:
    """The parts one after the other, each operation a millisecond after the one before."""
    flat: list[Any] = []
    for part in parts:
        flat += [part] if isinstance(part, Send | Read | Mark) else part
    return [operation._replace(t=n / 1000) for n, operation in zip(count(), flat, strict=False)]


def judged(*parts: Operation | Iterable[Operation]) -> HistoryVerdict:
    return judge(history(*parts), "t")


def operations_of(example: Iterable[Mapping[str, Any]]) -> list[Operation]:
    """A counter-example's entries as operations again."""
    made: list[Operation] = []
    for entry in example:
        fields = {name: value for name, value in entry.items() if name not in {"k", "id"}}
        if entry["k"] == "event":
            made.append(Mark(fields.pop("t"), fields.pop("what"), fields))
        else:
            producer, n = split_id(entry["id"])
            more = {} if entry["k"] == "send" else {"reader": entry.get("reader", "")}
            made.append((Send if entry["k"] == "send" else Read)(**fields | more, producer=producer, n=n))
    return made
