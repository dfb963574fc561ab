"""What a history consists of: sends, reads, and the marks between them, in the order in which they came to an end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

LONGEST_NUMBER = 18  # digits: what fits into 64 bits


class Send(NamedTuple):
    """A send that came to its end at `t`; it was due at `intended` (both in seconds since the Recording began).

    `n` counts the sends of `producer` in the order in which they were made, so that offsets can be held against it;
    None for a record id that does not tell. `outcome`: "acked", "failed" (certainly not written) or "unknown" (may be
    written). `partition` and `offset` are None when they are not known.
    """

    t: float
    topic: str
    producer: str
    n: int | None
    outcome: str
    partition: int | None
    offset: int | None
    intended: float | None
    error: str


class Read(NamedTuple):
    """A record that `reader` ("" for the full read back) found at an offset; `producer` is "" for one without id."""

    t: float
    topic: str
    partition: int
    offset: int
    producer: str
    n: int | None
    reader: str


class Mark(NamedTuple):
    """An event whose place among the operations matters: a full read began or ended, a fault began or was healed."""

    t: float
    what: str
    fields: Mapping[str, object]


Operation = Send | Read | Mark


def split_id(record_id: str) -> tuple[str, int | None]:
    """The producer and the number in a record id `PRODUCER-NUMBER`; any other id is all producer, without a number."""
    producer, dash, number = record_id.rpartition("-")
    if dash and len(number) <= LONGEST_NUMBER and number.isascii() and number.isdigit():
        n = int(number)
        if str(n) == number:
            return producer, n
    return record_id, None


def joined_id(producer: str, n: int | None) -> str:
    """The record id that `split_id` took apart."""
    return producer if n is None else f"{producer}-{n}"
