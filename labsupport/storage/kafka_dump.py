"""A segment in the words of Kafka's own dump tool (`kafka-dump-log`), ours and the tool's own.

The two are lists of lines, so that `==` says whether we read the bytes as Kafka does: batch by batch, record by record,
index entry by index entry.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labsupport.provision.tool_jvm import output_of
from labsupport.storage.files import SUFFIXES, Segment
from labsupport.storage.segments import DELETE_HORIZON, Batch, StoredRecord


@dataclass(frozen=True)
class Dump:
    """What is said of a segment's three files, one line an item."""

    batches: tuple[str, ...]
    records: tuple[str, ...]
    index: tuple[str, ...]
    time_index: tuple[str, ...]


def our_dump(segment: Segment) -> Dump:
    """What we read, in the tool's words. Raises `Damaged` for a corrupt index."""
    return Dump(
        batches=tuple(_batch_line(batch) for batch in segment.log.batches),
        records=tuple(line for batch in segment.log.batches for line in _record_lines(batch)),
        index=tuple(f"offset: {entry.offset} position: {entry.position}" for entry in segment.index),
        time_index=tuple(f"timestamp: {entry.timestamp_ms} offset: {entry.offset}" for entry in segment.time_index),
    )


def kafkas_dump(segment: Segment, *, version: str) -> Dump:
    """What the tool of that Kafka version says of copies of the files. Raises `LabError` when it fails."""
    # The tool takes the first zeros of an index for an entry, when a preallocated one has none yet.
    indexes = [content if any(content) else b"" for content in (segment.index_bytes, segment.time_index_bytes)]
    with tempfile.TemporaryDirectory(prefix="kafka-lab-dump-") as folder:
        files = [Path(folder) / (segment.stem + suffix) for suffix in SUFFIXES]
        for file, content in zip(files, (segment.log_bytes, *indexes), strict=True):
            file.write_bytes(content)
        arguments = ["--print-data-log", "--files", ",".join(map(str, files))]
        return _parsed(output_of("dump-log", arguments, version=version))


def _parsed(output: str) -> Dump:
    """By how a line begins. What a record holds follows on its line, and is compared as far as that line's end."""
    lines = output.split("\n")

    def beginning(words: str) -> tuple[str, ...]:
        return tuple(line.removeprefix("| ") for line in lines if line.startswith(words))

    return Dump(
        batches=beginning("baseOffset: "),
        records=beginning("| offset: "),
        index=beginning("offset: "),
        time_index=beginning("timestamp: "),
    )


def _batch_line(batch: Batch) -> str:
    horizon = f"[{batch.base_timestamp_ms}]" if batch.attributes & DELETE_HORIZON else ".empty"
    return (
        f"baseOffset: {batch.base_offset} lastOffset: {batch.last_offset} count: {batch.count} "
        f"baseSequence: {batch.base_sequence} lastSequence: {batch.last_sequence} producerId: {batch.producer_id} "
        f"producerEpoch: {batch.producer_epoch} partitionLeaderEpoch: {batch.partition_leader_epoch} "
        f"isTransactional: {_java(batch.transactional)} isControl: {_java(batch.is_control)} "
        f"deleteHorizonMs: OptionalLong{horizon} position: {batch.position} "
        f"{batch.timestamp_type}: {batch.max_timestamp_ms} size: {batch.size_bytes} magic: {batch.magic} "
        f"compresscodec: {batch.compression} crc: {batch.crc} isvalid: true"
    )


def _record_lines(batch: Batch) -> Iterator[str]:
    for record in batch.records or ():
        sequence = -1 if batch.base_sequence < 0 else batch.base_sequence + record.offset - batch.base_offset
        names = ",".join(name for name, _ in record.headers)
        line = (
            f"offset: {record.offset} {batch.timestamp_type}: {record.timestamp_ms} keySize: {_size(record.key)} "
            f"valueSize: {_size(record.value)} sequence: {sequence % 2**31 if sequence >= 0 else -1} "
            f"headerKeys: [{names}]{_content(batch, record)}"
        )
        yield line.split("\n", maxsplit=1)[0]


def _content(batch: Batch, record: StoredRecord) -> str:
    if batch.is_control:
        epoch = int.from_bytes((record.value or b"")[2:6], "big", signed=True)
        return f" endTxnMarker: {record.control} coordinatorEpoch: {epoch}"
    key = "" if record.key is None else f" key: {record.key.decode(errors='replace')}"
    value = "" if record.value is None else f" payload: {record.value.decode(errors='replace')}"
    return key + value


def _size(content: bytes | None) -> int:
    return -1 if content is None else len(content)


def _java(truth: bool) -> str:
    return str(truth).lower()
