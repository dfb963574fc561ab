"""A batch field by field: which bytes mean what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.storage.files import Segment
from labsupport.storage.segments import HEADER_SIZE, Batch, Compression, Varints

Part = Literal["where", "check", "who", "when", "record"]

_WIDTHS: tuple[tuple[str, int, Part], ...] = (
    ("baseOffset", 8, "where"),
    ("batchLength", 4, "where"),
    ("partitionLeaderEpoch", 4, "who"),
    ("magic", 1, "check"),
    ("crc", 4, "check"),
    ("attributes", 2, "check"),
    ("lastOffsetDelta", 4, "where"),
    ("baseTimestamp", 8, "when"),
    ("maxTimestamp", 8, "when"),
    ("producerId", 8, "who"),
    ("producerEpoch", 2, "who"),
    ("baseSequence", 4, "who"),
    ("recordsCount", 4, "record"),
)
_VARY = frozenset({"crc", "baseTimestamp", "maxTimestamp", "producerId"})


@dataclass(frozen=True, kw_only=True)
class Field:
    """Some bytes of a file that mean one thing. `name` is Kafka's own; `start` counts from the batch's first byte.

    `varies`: whether the next run of a page will find another value here: a time, a checksum, an id that was dealt out.
    """

    name: str
    part: Part
    start: int
    content: bytes
    value: str
    varies: bool = False

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + len(self.content)


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """All bytes of a batch, in order and without a gap: its header, then its records."""

    batch: Batch
    content: bytes = field(repr=False)
    fields: tuple[Field, ...] = field(repr=False)


def anatomy(segment: Segment, number: int = 0) -> Anatomy:
    """Take the batch of that number apart. Raises `BadInput` when the segment has none of that number."""
    batches = segment.log.batches
    if not 0 <= number < len(batches):
        raise BadInput(f"There is no batch {number!r} in this segment.", fix=f"It has {len(batches)}, counted from 0.")
    batch = batches[number]
    content = segment.log_bytes[batch.position : batch.position + batch.size_bytes]
    return Anatomy(batch=batch, content=content, fields=(*_header(content), *_body(batch, content)))


def _header(content: bytes) -> Iterator[Field]:
    start = 0
    for name, width, part in _WIDTHS:
        piece = content[start : start + width]
        value = int.from_bytes(piece, "big", signed=name != "crc")
        yield Field(name=name, part=part, start=start, content=piece, value=str(value), varies=name in _VARY)
        start += width


def _body(batch: Batch, content: bytes) -> Iterator[Field]:
    if batch.compression is not Compression.NONE:
        value = f"{batch.count} records, compressed with {batch.compression}"
        yield Field(name="records", part="record", start=HEADER_SIZE, content=content[HEADER_SIZE:], value=value)
        return
    reader = Varints(content, HEADER_SIZE)
    for number in range(batch.count):
        yield from _record(reader, content, f"record {number}: " if batch.count > 1 else "")


def _record(reader: Varints, content: bytes, which: str) -> Iterator[Field]:
    def piece(name: str, start: int, value: object) -> Field:
        shown = content[start : reader.at]
        return Field(
            name=which + name,
            part="record",
            start=start,
            content=shown,
            value=printable(value),
            varies=name == "timestampDelta",
        )

    def number(name: str) -> tuple[Field, int]:
        start = reader.at
        value = reader.varint()
        return piece(name, start, value), value

    def text(name: str, size: int) -> Iterator[Field]:
        if size > 0:
            start = reader.at
            yield piece(name, start, reader.take(size))

    yield number("length")[0]
    start = reader.at
    yield piece("attributes", start, reader.take(1)[0])
    yield number("timestampDelta")[0]
    yield number("offsetDelta")[0]
    for name in ("key", "value"):
        length, size = number(f"{name}Length")
        yield length
        yield from text(name, size)
    count, headers = number("headersCount")
    yield count
    for _ in range(headers):
        for name in ("headerKey", "headerValue"):
            length, size = number(f"{name}Length")
            yield length
            yield from text(name, size)
