"""A partition's files become segments, and a record is found in them as a broker finds it."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest

from labsupport.core.errors import BadInput, LabError
from labsupport.storage import PartitionLog, Segment, read_log
from tests.unit.storage.test_segments import a_batch, record

FIRST_MS = 1_357_035_420_000


def a_segment(*sizes: int, base_offset: int = 0) -> Segment:
    """Batches of so many records, a millisecond apart; each but the first has an entry in both indexes."""
    log, index, time_index, offset = b"", b"", b"", base_offset
    for size in sizes:
        last = offset + size - 1
        if log:
            index += struct.pack(">ii", last - base_offset, len(log))
            time_index += struct.pack(">qi", FIRST_MS + last, last - base_offset)
        log += a_batch([record(n) for n in range(offset, last + 1)], base_offset=offset)
        offset += size
    return Segment(
        base_offset=base_offset, log_bytes=log, index_bytes=index + bytes(80), time_index_bytes=time_index + bytes(120)
    )


LOG = PartitionLog(topic="flights", partition=0, segments=(a_segment(3, 2, 4), a_segment(1, 5, base_offset=9)))


class FakeBroker:
    """A broker's files; those in `gone` are deleted between `files` and `read`."""

    name = "broker-1"

    def __init__(self, files: Mapping[str, bytes], gone: set[str] | None = None) -> None:
        self._files, self._gone = dict(files), gone or set()

    def files(self, topic: str, partition: int) -> list[str]:
        return sorted(name for name in self._files if f"/{topic}-{partition}/" in name)

    def read(self, file: str) -> bytes:
        if file in self._gone:
            raise BadInput("gone", fix="")
        return self._files[file]


def on_disk(log: PartitionLog) -> dict[str, bytes]:
    files = {"data/flights-0/partition.metadata": b"version: 0", "data/flights-0/leader-epoch-checkpoint": b"0"}
    for s in log.segments:
        parts = {"log": s.log_bytes, "index": s.index_bytes, "timeindex": s.time_index_bytes}
        files |= {f"data/flights-0/{s.stem}.{suffix}": content for suffix, content in parts.items()}
    return files


class TestAPartitionsFiles:
    def test_are_its_segments_oldest_first(self) -> None:
        """Other files of the folder are left alone."""
        assert read_log(FakeBroker(on_disk(LOG)), "flights") == LOG  # type: ignore[arg-type]
        assert [record.offset for record in LOG.records] == list(range(15))

    def test_may_be_deleted_while_they_are_read(self) -> None:
        """What the broker has just deleted is not there, nor is what it is about to delete."""
        files = on_disk(LOG) | {"data/flights-0/00000000000000000000.log.deleted": b"x"}
        broker = FakeBroker(files, gone={f"data/flights-0/{LOG.segments[0].stem}.index"})
        assert read_log(broker, "flights").segments == LOG.segments[1:]  # type: ignore[arg-type]

    def test_may_lack_an_index_that_nobody_needed_yet(self) -> None:
        """A segment without index files is read from its start."""
        files = {name: content for name, content in on_disk(LOG).items() if not name.endswith("index")}
        (first, _) = read_log(FakeBroker(files), "flights").segments  # type: ignore[arg-type]
        assert first.index == first.time_index == () and len(first.log.records) == 9

    def test_of_a_partition_that_is_not_there_are_missed(self) -> None:
        with pytest.raises(LabError, match=r"broker-1 has no files of flights-1\. Is it one of"):
            read_log(FakeBroker(on_disk(LOG)), "flights", 1)  # type: ignore[arg-type]


class TestASeek:
    @pytest.mark.parametrize("offset", range(15))
    def test_by_offset_finds_every_record(self, offset: int) -> None:
        seek = LOG.seek(offset)
        assert seek.record.offset == offset and seek.record in (seek.scanned[-1].records or ())

    @pytest.mark.parametrize(
        ("offset", "base", "entry", "scanned"),
        [(0, 0, None, 1), (3, 0, None, 2), (4, 0, 4, 1), (7, 0, 4, 2), (8, 0, 8, 1), (9, 9, None, 1), (14, 9, 14, 1)],
    )
    def test_by_offset_begins_at_the_last_entry_before(
        self, offset: int, base: int, entry: int | None, scanned: int
    ) -> None:
        """Segment, index entry, and how many batches are read from there."""
        seek = LOG.seek(offset)
        assert seek.segment.base_offset == base
        assert (seek.entry.offset if seek.entry else None) == entry and len(seek.scanned) == scanned

    def test_reads_from_where_it_began_to_the_end_of_the_batch(self) -> None:
        seek = LOG.seek(7)
        assert seek.began_at == seek.scanned[0].position > 0
        assert seek.began_at + seek.scanned_bytes == seek.segment.size_bytes

    @pytest.mark.parametrize("late_ms", range(15))
    def test_by_time_finds_the_first_that_is_not_older(self, late_ms: int) -> None:
        assert LOG.seek_time(FIRST_MS + late_ms).record.offset == late_ms

    def test_by_time_uses_both_indexes(self) -> None:
        """The time leads to an offset, the offset to a position."""
        seek = LOG.seek_time(FIRST_MS + 7)
        assert seek.time_entry is not None and seek.time_entry.offset == 4
        assert seek.entry is not None and seek.entry.offset == 4

    def test_by_time_from_before_the_first_record_begins_at_the_start(self) -> None:
        seek = LOG.seek_time(0)
        assert (seek.record.offset, seek.time_entry, seek.entry) == (0, None, None)

    def test_outside_the_log_is_refused(self) -> None:
        """Before its start, behind its end, younger than all."""
        later = PartitionLog(topic="flights", partition=0, segments=LOG.segments[1:])
        with pytest.raises(BadInput, match=r"Offset 8 is before the start of the log\. The first is 9"):
            later.seek(8)
        with pytest.raises(BadInput, match="No such record is in the log yet"):
            LOG.seek(15)
        with pytest.raises(BadInput, match="No record is as young"):
            LOG.seek_time(FIRST_MS + 15)
