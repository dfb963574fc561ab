"""A partition's files, from bytes: record batches (`.log`), offset index (`.index`), time index (`.timeindex`).

Pure: bytes in, values out. Formats: Kafka documentation, "Implementation", Messages and Message Format (record batches
of magic 2, KIP-98) and Log; index entries: KIP-33, and `OffsetIndex` and `TimeIndex` of Kafka's storage module. All
numbers are big-endian; varints are zigzag-encoded (the guide to the protocol calls them VARINT and VARLONG).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise

from labsupport.core.errors import LabError
from labsupport.storage.crc32c import crc32c

LENGTH_END = 12  # base offset and length come before what the length counts
CRC_END = 21  # the checksum covers what follows it
HEADER_SIZE = 61
MAGIC = 2
# Bits of the attributes; the lowest three are the codec.
LOG_APPEND_TIME, TRANSACTIONAL, CONTROL, DELETE_HORIZON = 8, 16, 32, 64
INDEX_ENTRY, TIME_INDEX_ENTRY = struct.Struct(">ii"), struct.Struct(">qi")
_HEADER = struct.Struct(">qiibIhiqqqhii")
_CONTROL = struct.Struct(">hh")
_MOST_INFLATED = 256 * 2**20  # far above any `max.message.bytes`; a few kilobytes can claim to be terabytes


class Damaged(LabError):
    """The bytes are not what Kafka writes; `position` is where they stop making sense."""

    def __init__(self, what: str, *, position: int) -> None:
        super().__init__(what, fix="Compare it with another replica's file, or with Kafka's own `dump-log`.")
        self.position = position


class Compression(Enum):
    """The codec of a batch, by its number in the attributes."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class StoredRecord:
    """One record. `headers` in their order; a name may come twice. Everything here was written by a client."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def control(self) -> str:
        """What the broker's own marker in a control batch says: "ABORT", "COMMIT", or the number of another type."""
        _, kind = _CONTROL.unpack((self.key or b"").ljust(_CONTROL.size, b"\xff")[: _CONTROL.size])
        return {0: "ABORT", 1: "COMMIT"}.get(kind, str(kind))


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a producer sent in one piece, as it lies in the file from byte `position` on, `size_bytes` long.

    `producer_id`, `producer_epoch` and `base_sequence` are -1 without idempotence. `records` is None when the batch is
    compressed in a way that the standard library cannot undo; `count` is known all the same.
    """

    position: int
    size_bytes: int
    base_offset: int
    last_offset: int
    count: int
    partition_leader_epoch: int
    magic: int
    crc: int
    attributes: int
    base_timestamp_ms: int
    max_timestamp_ms: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records: tuple[StoredRecord, ...] | None = field(repr=False)

    @property
    def compression(self) -> Compression:
        """The codec of the records; the header is never compressed."""
        return Compression(self.attributes & 7)

    @property
    def timestamp_type(self) -> str:
        """ "CreateTime" (the producer's clock) or "LogAppendTime" (the broker's)."""
        return "LogAppendTime" if self.attributes & LOG_APPEND_TIME else "CreateTime"

    @property
    def transactional(self) -> bool:
        return bool(self.attributes & TRANSACTIONAL)

    @property
    def is_control(self) -> bool:
        """Whether it holds a marker of the broker, which no consumer is given, and not a client's records."""
        return bool(self.attributes & CONTROL)

    @property
    def last_sequence(self) -> int:
        """Of the last record; sequence numbers begin again at 0 after 2**31 - 1. -1 without idempotence."""
        return -1 if self.base_sequence < 0 else (self.base_sequence + self.last_offset - self.base_offset) % 2**31


@dataclass(frozen=True)
class IndexEntry:
    """The batch that ends with `offset` begins at byte `position` of the `.log` file."""

    offset: int
    position: int


@dataclass(frozen=True)
class TimeIndexEntry:
    """No record up to and including `offset` is younger than `timestamp_ms`."""

    timestamp_ms: int
    offset: int


@dataclass(frozen=True, kw_only=True)
class DecodedLog:
    """The batches of a `.log` file up to its end, or up to `damage`. Zeros of a preallocated file are no damage."""

    batches: tuple[Batch, ...]
    damage: Damaged | None = None

    @property
    def records(self) -> tuple[StoredRecord, ...]:
        """The clients' records: markers of the broker and batches that cannot be undone are left out."""
        return tuple(r for batch in self.batches if not batch.is_control for r in batch.records or ())


def decode_log(data: bytes) -> DecodedLog:
    """Read a `.log` file. Nothing is raised: a torn or corrupt tail is `damage`, behind what could be read."""
    found: list[Batch] = []
    try:
        for batch in batches(data):
            found.append(batch)  # noqa: PERF402 - what came before the damage is kept
    except Damaged as damage:
        return DecodedLog(batches=tuple(found), damage=damage)
    return DecodedLog(batches=tuple(found))


def batches(data: bytes, position: int = 0) -> Iterator[Batch]:
    """The batches of a `.log` file from byte `position` on, which has to be the beginning of one. Raises `Damaged`."""
    while position < len(data):
        if not any(data[position : position + LENGTH_END]) and not any(data[position:]):
            return  # `preallocate=true` fills the rest with zeros
        batch = decode_batch(data, position)
        yield batch
        position += batch.size_bytes


def decode_batch(data: bytes, position: int) -> Batch:
    """The batch that begins at byte `position`. Raises `Damaged` when it is torn, corrupt or of an older format."""
    size = _size(data, position)
    body = memoryview(data)[position : position + size]
    fields = _HEADER.unpack_from(body)
    base_offset, _, leader_epoch, magic, crc, attributes, last_delta, base_ms, max_ms, *producer, count = fields
    if magic != MAGIC:
        raise Damaged(
            f"The batch at byte {position} is of format {magic}; only {MAGIC} is read here.", position=position
        )
    if crc32c(body[CRC_END:]) != crc & 0xFFFFFFFF:
        raise Damaged(f"The batch at byte {position} is corrupt: its checksum differs.", position=position)
    try:
        packed = _inflated(bytes(body[HEADER_SIZE:]), Compression(attributes & 7))
        records = None if packed is None else tuple(_records(Varints(packed), count, base_offset, base_ms))
    except (ValueError, zlib.error) as error:
        raise Damaged(
            f"The batch at byte {position} has a good checksum, and yet its records cannot be read ({error}).",
            position=position,
        ) from error
    if records is not None and attributes & LOG_APPEND_TIME:  # the broker's time stamp stands for all of the batch
        records = tuple(replace(record, timestamp_ms=max_ms) for record in records)
    producer_id, producer_epoch, base_sequence = producer
    return Batch(
        position=position,
        size_bytes=size,
        base_offset=base_offset,
        last_offset=base_offset + last_delta,
        count=count,
        partition_leader_epoch=leader_epoch,
        magic=magic,
        crc=crc & 0xFFFFFFFF,
        attributes=attributes,
        base_timestamp_ms=base_ms,
        max_timestamp_ms=max_ms,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        base_sequence=base_sequence,
        records=records,
    )


def _size(data: bytes, position: int) -> int:
    left = len(data) - position
    if left < LENGTH_END:
        raise Damaged(f"The file is torn: the last {left} bytes are too few to begin a batch.", position=position)
    (length,) = struct.unpack_from(">i", data, position + 8)
    size: int = LENGTH_END + length
    if size < HEADER_SIZE:
        raise Damaged(f"The batch at byte {position} says that it has {size} bytes; none can.", position=position)
    if size > left:
        raise Damaged(f"The file is torn: the batch at byte {position} has {left} of {size} bytes.", position=position)
    return size


def _inflated(packed: bytes, compression: Compression) -> bytes | None:
    """None for the codecs that are not in the standard library."""
    if compression is Compression.NONE:
        return packed
    if compression is not Compression.GZIP:
        return None
    inflating = zlib.decompressobj(wbits=31)
    plain = inflating.decompress(packed, _MOST_INFLATED)
    if not inflating.eof:
        raise ValueError("the compressed part does not end")
    return plain


class Varints:
    """Reads bytes from front to back, numbers of variable length among them. `at` is the next byte.

    Raises `ValueError` where they make no sense.
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data, self.at = data, at

    @property
    def left(self) -> int:
        """How many bytes are still to be read."""
        return len(self._data) - self.at

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if size < 0 or size > self.left:
            raise ValueError(f"{size} bytes are wanted where {self.left} are left")
        self.at += size
        return self._data[self.at - size : self.at]

    def varint(self) -> int:
        """A signed number: seven bits a byte, the lowest first, the sign in the lowest of all (zigzag)."""
        raw = shift = 0
        while True:
            (byte,) = self.take(1)
            raw |= (byte & 0x7F) << shift
            if byte < 0x80:
                return raw >> 1 ^ -(raw & 1)
            shift += 7
            if shift > 63:
                raise ValueError("a varint does not end")

    def nullable(self) -> bytes | None:
        """Bytes behind their number, which is -1 for None."""
        size = self.varint()
        return None if size < 0 else self.take(size)


def _records(reader: Varints, count: int, base_offset: int, base_ms: int) -> Iterator[StoredRecord]:
    """So many records, and nothing behind them. Raises `ValueError`."""
    for _ in range(count):
        end = reader.varint() + reader.at
        reader.take(1)  # attributes, unused so far
        timestamp_ms, offset = base_ms + reader.varint(), base_offset + reader.varint()
        key, value = reader.nullable(), reader.nullable()
        headers = tuple(_header(reader) for _ in range(reader.varint()))
        if reader.at != end:
            raise ValueError(f"the record at offset {offset} is not as long as it says")
        yield StoredRecord(offset=offset, timestamp_ms=timestamp_ms, key=key, value=value, headers=headers)
    if reader.left:
        raise ValueError(f"{reader.left} bytes follow the last record")


def _header(reader: Varints) -> tuple[str, bytes | None]:
    return reader.take(reader.varint()).decode("utf-8", "backslashreplace"), reader.nullable()


def decode_index(data: bytes, base_offset: int) -> tuple[IndexEntry, ...]:
    """Read an `.index` file of the segment that begins with `base_offset`. Raises `Damaged`.

    An entry is an offset relative to `base_offset` and a position, 4 bytes each. The active segment's file is as long
    as it may become (`segment.index.bytes`); the zeros behind its entries are left out.
    """
    pairs = _entries(data, INDEX_ENTRY, ".index")
    _must_rise(pairs, INDEX_ENTRY.size, (True, True), ".index")
    return tuple(IndexEntry(base_offset + relative, position) for relative, position in pairs)


def decode_time_index(data: bytes, base_offset: int) -> tuple[TimeIndexEntry, ...]:
    """Read a `.timeindex` file of the segment that begins with `base_offset`. Raises `Damaged`.

    An entry is a time stamp (8 bytes) and an offset relative to `base_offset` (4). Zeros behind them are left out.
    """
    pairs = _entries(data, TIME_INDEX_ENTRY, ".timeindex")
    _must_rise(pairs, TIME_INDEX_ENTRY.size, (True, False), ".timeindex")
    return tuple(TimeIndexEntry(timestamp_ms, base_offset + relative) for timestamp_ms, relative in pairs)


def _entries(data: bytes, form: struct.Struct, suffix: str) -> list[tuple[int, int]]:
    if len(data) % form.size:
        raise Damaged(
            f"The {suffix} file is torn: its {len(data)} bytes are no whole number of entries.",
            position=len(data) // form.size * form.size,
        )
    count = -(-len(data.rstrip(b"\0")) // form.size)  # rounded up: the last entry may itself end in zeros
    return list(form.iter_unpack(data[: count * form.size]))


def _must_rise(pairs: list[tuple[int, int]], size: int, strictly: tuple[bool, bool], suffix: str) -> None:
    for number, (before, after) in enumerate(pairwise([(-1, -1), *pairs])):
        for old, new, strict in zip(before, after, strictly, strict=True):
            if new < old or (strict and new == old):
                raise Damaged(f"The {suffix} file is corrupt: entry {number} falls back.", position=number * size)
