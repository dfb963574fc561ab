"""Which partition each record went to, told from the files alone."""

from __future__ import annotations

import pytest

from labsupport.core.errors import LabError
from labsupport.storage import PartitionLog, Segment, Spread, spread
from labsupport.storage.segments import StoredRecord
from labsupport.views.spread import spread_display
from tests.unit.storage.test_segments import a_batch


def topic(*partitions: int, keys: str = "") -> list[PartitionLog]:
    """A topic to which record 0, 1, 2… went to these partitions, each with a letter of `keys` as its key."""
    logs = []
    for partition in sorted(set(partitions)):
        numbers = [n for n, where in enumerate(partitions) if where == partition]
        records = [
            StoredRecord(
                offset=offset, timestamp_ms=7, key=keys[n].encode() if keys else None, value=f"{n} of many".encode()
            )
            for offset, n in enumerate(numbers)
        ]
        segment = Segment(base_offset=0, log_bytes=a_batch(records), index_bytes=b"", time_index_bytes=b"")
        logs.append(PartitionLog(topic="t", partition=partition, segments=(segment,)))
    return logs


@pytest.mark.parametrize("partitions", [(0, 1, 2, 0, 1, 2, 0), (0, 0, 0, 2, 2, 1, 1), (1,), (2, 2, 2)])
def test_the_order_of_sending_is_found_again(partitions: tuple[int, ...]) -> None:
    assert spread(topic(*partitions)).partitions == partitions


def test_changes_and_runs_are_counted() -> None:
    seen = spread(topic(0, 0, 0, 2, 2, 1, 1))
    assert (seen.changes, seen.longest_run) == (2, 3)
    assert (spread([]).changes, spread([]).longest_run) == (0, 0)


def test_a_key_in_two_partitions_is_counted() -> None:
    assert spread(topic(0, 1, 0, 1, keys="abab")).keys_divided == 0
    assert spread(topic(0, 1, 0, 1, keys="abba")).keys_divided == 2


def test_a_loads_records_are_numbered_by_their_header() -> None:
    """`{producer}-{n}`, whatever the value begins with."""
    records = [
        StoredRecord(offset=0, timestamp_ms=7, key=None, value=b"99", headers=(("lab-id", b"abc-0"),)),
        StoredRecord(offset=1, timestamp_ms=7, key=None, value=b"98", headers=(("lab-id", b"abc-1"),)),
    ]
    segment = Segment(base_offset=0, log_bytes=a_batch(records), index_bytes=b"", time_index_bytes=b"")
    assert spread([PartitionLog(topic="t", partition=4, segments=(segment,))]).partitions == (4, 4)


def test_a_record_without_a_number_is_named() -> None:
    records = [StoredRecord(offset=0, timestamp_ms=7, key=None, value=b"none")]
    segment = Segment(base_offset=0, log_bytes=a_batch(records), index_bytes=b"", time_index_bytes=b"")
    with pytest.raises(LabError, match="offset 0 has no number"):
        spread([PartitionLog(topic="t", partition=0, segments=(segment,))])


@pytest.mark.parametrize(
    ("partitions", "words"),
    [
        ((0, 1, 2) * 5, "partitions: in turn"),
        ((0,) * 9 + (1,) * 9, "partitions: in runs, not in turn"),
        ((0, 0, 1, 0, 1, 1), "mixed,"),
    ],
)
def test_the_picture_says_how(partitions: tuple[int, ...], words: str) -> None:
    """In turn, in runs, or neither; figures are in the HTML."""
    shown = spread_display(Spread(partitions, {}))
    assert words in repr(shown) and "in the order of sending" in str(shown.html)


def test_the_text_speaks_of_keys_where_there_are_some() -> None:
    assert "keys in more than one partition: 1" in repr(spread_display(Spread((0, 1), {b"k": frozenset({0, 1})})))
    assert "keys" not in repr(spread_display(Spread((0, 1), {})))
