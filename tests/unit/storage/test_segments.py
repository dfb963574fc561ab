"""A partition's files are read as they were written, and what is torn or corrupt is named.

The writer is another one: kafka-python's builder of record batches.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some
from kafka.record.default_records import DefaultRecordBatchBuilder

from labsupport.storage.crc32c import crc32c
from labsupport.storage.segments import (
    CRC_END,
    HEADER_SIZE,
    Compression,
    Damaged,
    IndexEntry,
    StoredRecord,
    TimeIndexEntry,
    batches,
    decode_batch,
    decode_index,
    decode_log,
    decode_time_index,
)

NO_PRODUCER = (-1, -1, -1)
ATTRIBUTES = 21  # where these two bytes stand


def a_batch(
    records: Sequence[StoredRecord],
    *,
    base_offset: int = 0,
    gzip: bool = False,
    transactional: bool = False,
    producer: tuple[int, int, int] = NO_PRODUCER,
) -> bytes:
    """A record batch as kafka-python writes it, moved to `base_offset` as a broker does."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=int(gzip),
        is_transactional=transactional,
        producer_id=producer[0],
        producer_epoch=producer[1],
        base_sequence=producer[2],
        batch_size=10**9,
    )
    for r in records:
        builder.append(r.offset - base_offset, r.timestamp_ms, r.key, r.value, list(r.headers))
    return struct.pack(">q", base_offset) + bytes(builder.build())[8:]


def with_attributes(batch: bytes, attributes: int, body: bytes | None = None) -> bytes:
    """The batch with other attributes (and other records), and a checksum that fits them."""
    rest = struct.pack(">h", attributes) + batch[ATTRIBUTES + 2 : HEADER_SIZE]
    rest += batch[HEADER_SIZE:] if body is None else body
    length = struct.pack(">i", CRC_END + len(rest) - 12)
    return batch[:8] + length + batch[12:17] + struct.pack(">I", crc32c(rest)) + rest


def record(offset: int, key: bytes | None = b"N725MQ", value: bytes | None = b"+14 min") -> StoredRecord:
    return StoredRecord(offset=offset, timestamp_ms=1_357_035_420_000 + offset, key=key, value=value)


THREE = a_batch([record(7), record(8, key=None), record(9, value=None)], base_offset=7)
TWO_BATCHES = a_batch([record(0)]) + a_batch([record(1), record(2)], base_offset=1)

maybe_bytes = some.none() | some.binary(max_size=300)
some_records = some.lists(
    some.tuples(
        some.integers(0, 2**42),
        maybe_bytes,
        maybe_bytes,
        some.lists(
            some.tuples(some.text(max_size=20).filter(lambda name: name.isprintable()), maybe_bytes), max_size=3
        ),
    ),
    min_size=1,
    max_size=20,
)


class TestABatch:
    def test_has_the_fields_of_its_header(self) -> None:
        """Offsets, counts, epochs and who sent it."""
        batch = decode_batch(a_batch([record(7), record(8)], base_offset=7, producer=(4711, 3, 40)), 0)
        assert (batch.base_offset, batch.last_offset, batch.count, batch.magic) == (7, 8, 2, 2)
        assert (batch.producer_id, batch.producer_epoch, batch.base_sequence, batch.last_sequence) == (4711, 3, 40, 41)
        assert (batch.base_timestamp_ms, batch.max_timestamp_ms) == (record(7).timestamp_ms, record(8).timestamp_ms)
        assert batch.timestamp_type == "CreateTime" and not batch.transactional and not batch.is_control

    def test_keeps_an_empty_value_apart_from_none(self) -> None:
        """A tombstone is no empty string."""
        (empty, none) = decode_batch(a_batch([record(0, value=b""), record(1, value=None)]), 0).records or ()
        assert empty.value == b"" and none.value is None

    @given(some_records, some.integers(0, 2**40), some.booleans())
    def test_gives_back_what_another_writer_wrote(
        self,
        written: list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]],
        base: int,
        gzip: bool,
    ) -> None:
        """Whatever keys, values, headers and times: as written, plain or compressed."""
        records = [
            StoredRecord(offset=base + n, timestamp_ms=ms, key=key, value=value, headers=tuple(headers))
            for n, (ms, key, value, headers) in enumerate(written)
        ]
        batch = decode_batch(a_batch(records, base_offset=base, gzip=gzip), 0)
        assert batch.records == tuple(records)
        assert (batch.count, batch.last_offset) == (len(records), base + len(records) - 1)

    def test_without_producer_id_has_no_sequence(self) -> None:
        batch = decode_batch(THREE, 0)
        assert (batch.producer_id, batch.base_sequence, batch.last_sequence) == (-1, -1, -1)

    def test_numbers_begin_again_after_the_largest(self) -> None:
        """A sequence number has 31 bits."""
        assert decode_batch(a_batch([record(0), record(1)], producer=(1, 0, 2**31 - 1)), 0).last_sequence == 0

    def test_of_the_brokers_clock_has_one_time_for_all(self) -> None:
        """With LogAppendTime the largest time stamp counts, and what the producer wrote does not."""
        batch = decode_batch(with_attributes(THREE, 8), 0)
        assert batch.timestamp_type == "LogAppendTime"
        assert {r.timestamp_ms for r in batch.records or ()} == {batch.max_timestamp_ms}

    @pytest.mark.parametrize("codec", [Compression.SNAPPY, Compression.LZ4, Compression.ZSTD])
    def test_in_a_codec_of_others_is_named_and_not_undone(self, codec: Compression) -> None:
        """Its header is not compressed: offsets and count are known."""
        batch = decode_batch(with_attributes(THREE, codec.value), 0)
        assert (batch.compression, batch.records, batch.count) == (codec, None, 3)

    @pytest.mark.parametrize(("kind", "words"), [(0, "ABORT"), (1, "COMMIT"), (6, "6")])
    def test_of_the_broker_says_what_it_marks(self, kind: int, words: str) -> None:
        """The end of a transaction stands in the log, takes an offset, and is no client's record."""
        marker = a_batch([record(5, key=struct.pack(">hh", 0, kind), value=b"")], base_offset=5, transactional=True)
        log = decode_log(with_attributes(marker, 48))
        assert log.batches[0].is_control and log.batches[0].transactional and log.records == ()
        assert [r.control for r in log.batches[0].records or ()] == [words]


class TestALog:
    def test_is_its_batches_one_behind_the_other(self) -> None:
        log = decode_log(TWO_BATCHES)
        assert log.damage is None and [r.offset for r in log.records] == [0, 1, 2]
        assert log.batches[1].position == log.batches[0].size_bytes

    def test_can_be_read_from_the_middle(self) -> None:
        """As a broker does, with a position from the index."""
        second = decode_log(TWO_BATCHES).batches[1]
        assert list(batches(TWO_BATCHES, second.position)) == [second]

    def test_that_was_preallocated_ends_before_its_zeros(self) -> None:
        assert decode_log(TWO_BATCHES + bytes(5000)) == decode_log(TWO_BATCHES)
        assert decode_log(bytes(100)).batches == decode_log(b"").batches == ()

    @given(some.integers(1, len(TWO_BATCHES) - 1))
    def test_that_is_torn_anywhere_keeps_what_is_whole(self, kept: int) -> None:
        """Cut at any byte: whole batches stand, and the place of the tear is the end of the last one."""
        whole = decode_log(TWO_BATCHES).batches
        log = decode_log(TWO_BATCHES[:kept])
        end = sum(batch.size_bytes for batch in log.batches)
        assert log.batches == whole[: len(log.batches)] and len(log.batches) < len(whole)
        if not any(TWO_BATCHES[end:kept]):
            assert log.damage is None  # cut between two batches, or in the zeros that begin one: nobody can tell
        else:
            assert log.damage is not None and "torn" in log.damage.what and log.damage.position == end

    @given(some.integers(CRC_END, len(THREE) - 1), some.integers(1, 255))
    def test_of_which_one_byte_was_changed_is_corrupt(self, where: int, change: int) -> None:
        """Whatever the checksum covers."""
        changed = bytearray(TWO_BATCHES + THREE)
        changed[len(TWO_BATCHES) + where] ^= change
        log = decode_log(bytes(changed))
        assert log.damage is not None and "its checksum differs" in log.damage.what
        assert log.damage.position == len(TWO_BATCHES) and len(log.batches) == 2

    @given(some.binary(max_size=400))
    def test_of_any_bytes_is_read_without_a_surprise(self, noise: bytes) -> None:
        """Nothing is raised and nothing goes on for ever."""
        decode_log(noise)
        decode_log(TWO_BATCHES + noise)

    @given(some.binary(max_size=60), some.integers(0, 63), some.integers(-5, 2**31 - 1))
    def test_with_a_good_checksum_over_nonsense_is_named(self, body: bytes, attributes: int, count: int) -> None:
        """Records that do not fit their own lengths are damage, whatever the checksum says."""
        header = with_attributes(THREE, attributes)[: HEADER_SIZE - 4] + struct.pack(">i", count)
        log = decode_log(with_attributes(header, attributes, body))
        assert log.damage is None or "yet its records cannot be read" in log.damage.what

    @pytest.mark.parametrize("magic", [0, 1, 3])
    def test_of_another_format_is_named(self, magic: int) -> None:
        """Formats before 0.11 are not read here."""
        log = decode_log(THREE[:16] + bytes([magic]) + THREE[17:])
        assert log.damage is not None and f"is of format {magic}" in log.damage.what

    @pytest.mark.parametrize("length", [-1, 0, 48, -(2**31)])
    def test_with_a_length_that_no_batch_has_is_named(self, length: int) -> None:
        log = decode_log(THREE[:8] + struct.pack(">i", length) + THREE[12:])
        assert log.damage is not None and "none can" in log.damage.what


ENTRIES = ((40, 4200), (256, 8704), (300, 2**20))
TIMES = ((1_357_035_420_000, 0), (1_357_035_420_001, 256), (1_357_035_430_000, 256))
INDEX = b"".join(struct.pack(">ii", *entry) for entry in ENTRIES)
TIME_INDEX = b"".join(struct.pack(">qi", *entry) for entry in TIMES)


class TestAnIndex:
    @pytest.mark.parametrize("padding", [b"", bytes(8), bytes(80_000)])
    def test_has_offsets_that_count_from_the_segments_first(self, padding: bytes) -> None:
        """Preallocated zeros behind the entries are none; an entry may end in zeros itself (2**20)."""
        assert decode_index(INDEX + padding, 1000) == tuple(IndexEntry(1000 + o, p) for o, p in ENTRIES)

    @pytest.mark.parametrize("padding", [b"", bytes(12), bytes(120_000)])
    def test_by_time_too(self, padding: bytes) -> None:
        """Two times may stand for one offset: late records move no offset forward."""
        assert decode_time_index(TIME_INDEX + padding, 1000) == tuple(TimeIndexEntry(t, 1000 + o) for t, o in TIMES)

    def test_of_a_new_segment_is_empty(self) -> None:
        assert decode_index(b"", 0) == decode_time_index(bytes(24), 0) == ()

    @given(some.integers(1, len(INDEX) - 1).filter(lambda kept: kept % 8 != 0))
    def test_that_is_torn_is_named(self, kept: int) -> None:
        with pytest.raises(Damaged, match=r"The \.index file is torn") as damage:
            decode_index(INDEX[:kept], 0)
        assert damage.value.position == kept // 8 * 8

    @given(some.integers(1, len(TIME_INDEX) - 1).filter(lambda kept: kept % 12 != 0))
    def test_by_time_that_is_torn_is_named(self, kept: int) -> None:
        with pytest.raises(Damaged, match=r"The \.timeindex file is torn") as damage:
            decode_time_index(TIME_INDEX[:kept], 0)
        assert damage.value.position == kept // 12 * 12

    @pytest.mark.parametrize("pair", [(40, 9000), (41, 4200), (-1, 5), (5, -1), (39, 5000)])
    def test_that_falls_back_is_corrupt(self, pair: tuple[int, int]) -> None:
        """Offsets and positions only rise."""
        with pytest.raises(Damaged, match="entry 1 falls back") as damage:
            decode_index(INDEX[:8] + struct.pack(">ii", *pair) + INDEX[16:], 0)
        assert damage.value.position == 8

    @given(some.binary(max_size=96))
    def test_of_any_bytes_is_read_or_refused(self, noise: bytes) -> None:
        for decode in (decode_index, decode_time_index):
            try:
                decode(noise, 0)
            except Damaged as damage:
                assert damage.what.endswith(".")


@pytest.mark.parametrize(
    ("data", "checksum"), [(b"123456789", 0xE3069283), (b"", 0), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)]
)
def test_the_checksum_is_that_of_the_standard(data: bytes, checksum: int) -> None:
    """The test vectors of RFC 3720, B.4, and the usual one."""
    assert crc32c(data) == checksum
