"""The files of one partition on one broker, as segments, and the way to a record in them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TypeVar

from labsupport.cluster.broker import Broker
from labsupport.core.errors import BadInput, LabError
from labsupport.core.escape import printable
from labsupport.core.wait import wait_until
from labsupport.storage.segments import (
    Batch,
    DecodedLog,
    IndexEntry,
    StoredRecord,
    TimeIndexEntry,
    batches,
    decode_index,
    decode_log,
    decode_time_index,
)

SUFFIXES = (".log", ".index", ".timeindex")
_TRIES = 5

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Segment:
    """The three files that bear one base offset in their names. Decoded when first asked for."""

    base_offset: int
    log_bytes: bytes = field(repr=False)
    index_bytes: bytes = field(repr=False)
    time_index_bytes: bytes = field(repr=False)

    @property
    def stem(self) -> str:
        """The name that the files share: the base offset in twenty digits."""
        return f"{self.base_offset:020d}"

    @property
    def size_bytes(self) -> int:
        """The size of its `.log` file."""
        return len(self.log_bytes)

    @cached_property
    def log(self) -> DecodedLog:
        """Batches and records."""
        return decode_log(self.log_bytes)

    @cached_property
    def index(self) -> tuple[IndexEntry, ...]:
        """Some offsets, and where in the `.log` file their batches begin. Raises `Damaged`."""
        return decode_index(self.index_bytes, self.base_offset)

    @cached_property
    def time_index(self) -> tuple[TimeIndexEntry, ...]:
        """Some times, and the offsets from which on records may be younger. Raises `Damaged`."""
        return decode_time_index(self.time_index_bytes, self.base_offset)


@dataclass(frozen=True, kw_only=True)
class Seek:
    """How a record is found: which file, which index entries, and how much had to be read from there on.

    `entry` is None when the reading began at the file's start, `time_entry` when none was early enough or the seek was
    by offset. `scanned` are the batches whose headers were read, the last of them the one that holds `record`.
    """

    segment: Segment
    time_entry: TimeIndexEntry | None
    entry: IndexEntry | None
    scanned: tuple[Batch, ...]
    record: StoredRecord

    @property
    def began_at(self) -> int:
        """The position in the file at which the reading began."""
        return self.entry.position if self.entry else 0

    @property
    def scanned_bytes(self) -> int:
        """From there to the end of the batch that holds the record."""
        return sum(batch.size_bytes for batch in self.scanned)


@dataclass(frozen=True, kw_only=True)
class PartitionLog:
    """What one broker keeps of one partition, its segments oldest first; the last one is the active one."""

    topic: str
    partition: int
    segments: tuple[Segment, ...]

    @property
    def batches(self) -> tuple[Batch, ...]:
        """Of all segments."""
        return tuple(batch for segment in self.segments for batch in segment.log.batches)

    @property
    def records(self) -> tuple[StoredRecord, ...]:
        """The clients' records, of all segments."""
        return tuple(record for segment in self.segments for record in segment.log.records)

    @property
    def size_bytes(self) -> int:
        """Of all `.log` files together."""
        return sum(segment.size_bytes for segment in self.segments)

    @property
    def names_fit(self) -> bool:
        """Whether each file begins with the offset in its name."""
        return all(not s.log.batches or s.log.batches[0].base_offset == s.base_offset for s in self.segments)

    def seek(self, offset: int) -> Seek:
        """Find the first record with this offset or a later one, the way a broker does. Raises `BadInput`.

        The last segment that begins at or before the offset; the last entry of its index at or before the offset; from
        there, batch by batch (`UnifiedLog.read` and `LogSegment.read` of Kafka's storage module).
        """
        starts = [segment.base_offset for segment in self.segments]
        number = bisect_right(starts, offset) - 1
        if number < 0:
            raise BadInput(f"Offset {offset!r} is before the start of the log.", fix=f"The first is {starts[0]}.")
        segment = self.segments[number]
        entry = _last(segment.index, lambda entry: entry.offset, offset)
        return self._found(segment, None, entry, lambda record: record.offset >= offset)

    def seek_time(self, timestamp_ms: int) -> Seek:
        """Find the first record of this time or a later one, the way a broker does. Raises `BadInput`.

        The first segment that has one; the last entry of its time index before that time gives an offset; the offset
        index gives a position; from there, batch by batch (`UnifiedLog.fetchOffsetByTimestamp`).
        """
        for segment in self.segments:
            if any(batch.max_timestamp_ms >= timestamp_ms for batch in segment.log.batches):
                time_entry = _last(segment.time_index, lambda entry: entry.timestamp_ms, timestamp_ms)
                offset = time_entry.offset if time_entry else segment.base_offset
                entry = _last(segment.index, lambda entry: entry.offset, offset)
                return self._found(segment, time_entry, entry, lambda record: record.timestamp_ms >= timestamp_ms)
        raise BadInput(f"No record is as young as {timestamp_ms!r}.", fix="Ask for an earlier time.")

    def _found(
        self,
        segment: Segment,
        time_entry: TimeIndexEntry | None,
        entry: IndexEntry | None,
        wanted: Callable[[StoredRecord], bool],
    ) -> Seek:
        scanned = []
        for batch in batches(segment.log_bytes, entry.position if entry else 0):
            scanned.append(batch)
            for record in batch.records or ():
                if wanted(record) and not batch.is_control:
                    return Seek(
                        segment=segment, time_entry=time_entry, entry=entry, scanned=tuple(scanned), record=record
                    )
        raise BadInput("No such record is in the log yet.", fix=f"The log ends in segment {segment.stem}.")


def _last(entries: tuple[T, ...], number: Callable[[T], int], most: int) -> T | None:
    """The last entry whose number is at most `most`; binary search, as in Kafka's `AbstractIndex`."""
    found = bisect_right(entries, most, key=number)
    return entries[found - 1] if found else None


def read_log(broker: Broker, topic: object, partition: int = 0) -> PartitionLog:
    """Read a partition's files from a broker. Raises `LabError` when it has none of that partition.

    The broker goes on meanwhile: a segment that it deletes while we read is left out, and a batch that it is just
    writing may be torn.
    """
    for _ in range(_TRIES):
        segments = tuple(_segments(broker, str(topic), partition))
        if segments:
            return PartitionLog(topic=str(topic), partition=partition, segments=segments)
    raise LabError(
        f"{broker.name} has no files of {printable(topic)}-{partition}.",
        fix="Is it one of the partition's replicas? `topic.replicas(partition)` says.",
    )


def _segments(broker: Broker, topic: str, partition: int) -> Iterator[Segment]:
    files = {PurePosixPath(file).name: file for file in broker.files(topic, partition)}
    for stem in sorted(name.removesuffix(".log") for name in files if name.endswith(".log")):
        try:
            log, index, time_index = (broker.read(files[stem + s]) if stem + s in files else b"" for s in SUFFIXES)
        except BadInput:
            continue  # deleted since
        yield Segment(base_offset=int(stem), log_bytes=log, index_bytes=index, time_index_bytes=time_index)


def wait_for_deletion(broker: Broker, topic: object, partition: int = 0, *, retention_bytes: int) -> PartitionLog:
    """Wait until no segment can go without the log falling below `retention_bytes`, and return what is left.

    Raises `WaitTimeout`. The broker looks every `log.retention.check.interval.ms` (300,000 by default).
    """

    def settled() -> PartitionLog | None:
        log = read_log(broker, topic, partition)
        return log if log.size_bytes - log.segments[0].size_bytes < retention_bytes else None

    found = wait_until(settled, 60, because=f"old segments of {printable(topic)}-{partition} to be deleted", poll_s=0.2)
    assert found is not None
    return found
