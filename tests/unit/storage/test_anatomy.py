"""A batch taken apart: every byte belongs to one field, and the fields say what the decoder says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from labsupport.core.errors import BadInput
from labsupport.storage import Segment, anatomy
from labsupport.storage.segments import Compression, StoredRecord
from tests.unit.storage.test_segments import a_batch, record, with_attributes


def segment(log: bytes) -> Segment:
    return Segment(base_offset=0, log_bytes=log, index_bytes=b"", time_index_bytes=b"")


ONE = segment(a_batch([record(0)], producer=(4711, 3, 40)))


def test_the_header_has_kafkas_names_and_sizes() -> None:
    """As in the documentation of the message format: thirteen fields, 61 bytes."""
    header = [field for field in anatomy(ONE).fields if field.end <= 61]
    assert [(field.name, len(field.content)) for field in header] == [
        ("baseOffset", 8),
        ("batchLength", 4),
        ("partitionLeaderEpoch", 4),
        ("magic", 1),
        ("crc", 4),
        ("attributes", 2),
        ("lastOffsetDelta", 4),
        ("baseTimestamp", 8),
        ("maxTimestamp", 8),
        ("producerId", 8),
        ("producerEpoch", 2),
        ("baseSequence", 4),
        ("recordsCount", 4),
    ]


def test_the_fields_say_what_the_decoder_says() -> None:
    taken = anatomy(ONE)
    values = {field.name: field.value for field in taken.fields}
    batch = taken.batch
    assert values["crc"] == str(batch.crc) and values["producerId"] == "4711" and values["baseSequence"] == "40"
    assert values["baseTimestamp"] == str(batch.base_timestamp_ms) and values["batchLength"] == str(
        batch.size_bytes - 12
    )
    assert (values["key"], values["value"]) == ("N725MQ", "+14 min")


@given(
    some.lists(
        some.tuples(
            some.none() | some.binary(max_size=80),
            some.none() | some.binary(max_size=80),
            some.lists(some.tuples(some.just("name"), some.none() | some.binary(max_size=9)), max_size=2),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_every_byte_belongs_to_one_field(
    written: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]],
) -> None:
    """In order, without a gap, to the last."""
    records = [
        StoredRecord(offset=n, timestamp_ms=7, key=key, value=value, headers=tuple(headers))
        for n, (key, value, headers) in enumerate(written)
    ]
    taken = anatomy(segment(a_batch(records)))
    assert b"".join(field.content for field in taken.fields) == taken.content
    assert [field.start for field in taken.fields[1:]] == [field.end for field in taken.fields[:-1]]


def test_a_compressed_batch_keeps_its_records_closed() -> None:
    """Behind the header there is one field, which names the codec."""
    last = anatomy(segment(with_attributes(a_batch([record(0), record(1)]), Compression.ZSTD.value))).fields[-1]
    assert (last.name, last.value) == ("records", "2 records, compressed with zstd")


def test_what_differs_from_run_to_run_is_marked() -> None:
    """Times, checksums and ids that are dealt out."""
    assert {field.name for field in anatomy(ONE).fields if field.varies} == {
        "crc",
        "baseTimestamp",
        "maxTimestamp",
        "producerId",
        "timestampDelta",
    }


@pytest.mark.parametrize("number", [-1, 1, 99])
def test_a_batch_that_is_not_there_is_refused(number: int) -> None:
    with pytest.raises(BadInput, match="It has 1, counted from 0"):
        anatomy(ONE, number)


def test_a_hostile_record_obeys_nobody() -> None:
    """Control characters are shown, not sent to a terminal."""
    shown = anatomy(segment(a_batch([record(0, value=b"\x1b[2J")])))
    assert "\\x1b[2J" in [field.value for field in shown.fields]
