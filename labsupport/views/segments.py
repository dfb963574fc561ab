"""A partition's files as pictures: the segments, the bytes of a batch, the entries of the indexes, the way to a record.

The texts hold what is the same on every machine; sizes, times and numbers of batches are in the HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from labsupport.storage import Anatomy, PartitionLog, Seek, Segment
from labsupport.storage.anatomy import Field
from labsupport.views import palette as colour
from labsupport.views.display import Display
from labsupport.views.markup import Markup, join, tag, text

_ROW_BYTES = 16
_MOST_ROWS = 24
_MOST_FIELDS = 40
_ENTRIES = 4
_BOX = "max-width:700px;overflow-x:auto;line-height:1.4"
_TABLE = "border-collapse:collapse;margin:.4em 0;font-size:90%"
_CELL = "text-align:left;vertical-align:top;padding:.1em .6em .1em 0;white-space:nowrap"
_MONO = "font-family:var(--jp-code-font-family, monospace)"
_DUMP = f"{_MONO};font-size:85%;white-space:pre;overflow-x:auto;margin:.4em 0;line-height:1.5;background:none"
_SHADES = ("rgba(120,120,120,.13)", "rgba(120,120,120,.34)")
_CAPTION = "font-size:90%;margin:.3em 0"
_BAR_HEIGHT, _LEAST_PERCENT = 26, 0.5


def log_display(log: PartitionLog) -> Display:
    """The segments of a partition, a line each."""
    rows = [_segment_row(log, number) for number in range(len(log.segments))]
    table = _table(("segment", "bytes", "offsets", "batches", ".index", ".timeindex"), rows)
    where = f"{log.topic}-{log.partition}"
    caption = (
        f"{where} on disk: its segments, what each .log file holds, and how many entries the indexes have. "
        "New records go to the last one, the active segment."
    )
    return Display(log, _figure(table, caption, "partition-files"), _log_text(log))


def _segment_row(log: PartitionLog, number: int) -> tuple[object, ...]:
    segment = log.segments[number]
    records = segment.log.batches
    offsets = f"{records[0].base_offset:,} – {records[-1].last_offset:,}" if records else "none yet"
    active = " (active)" if number == len(log.segments) - 1 else ""
    name = join(tag("span", segment.stem, style=f"{_MONO};font-size:90%"), active)
    counts = (len(records), len(segment.index), len(segment.time_index))
    return (name, f"{segment.size_bytes:,}", offsets, *(f"{count:,}" for count in counts))


def _log_text(log: PartitionLog) -> str:
    offsets = [record.offset for record in log.records]
    said = "no records yet"
    if offsets:
        gaps = "without a gap" if offsets == list(range(offsets[0], offsets[-1] + 1)) else "with gaps"
        start = "offset 0" if offsets[0] == 0 else "a later offset than 0"  # which one differs from machine to machine
        first = "offset 0 only" if offsets == [0] else f"from {start} to {offsets[-1]}, {gaps}"
        said = f"{first}, every checksum right" if not _damaged(log) else f"{first}, and damage behind them"
    many = "one segment" if len(log.segments) == 1 else "several segments"
    return f"{log.topic}-{log.partition} on disk: {many} of .log, .index and .timeindex; {said}"


def _damaged(log: PartitionLog) -> bool:
    return any(segment.log.damage for segment in log.segments)


def anatomy_display(taken: Anatomy) -> Display:
    """The bytes of a batch, and beneath them what they mean."""
    hexes = tag("pre", *_hex_rows(taken), style=_DUMP)
    rows = [_field_row(field) for field in taken.fields[:_MOST_FIELDS]]
    table = _table(("bytes", "field", "hexadecimal", "value"), rows)
    left = len(taken.fields) - len(rows)
    more = f" {left} fields more are not shown." if left > 0 else ""
    caption = (
        f"A batch of {len(taken.content)} bytes: 61 of header, the rest records. Shades part the fields; underlined in "
        f"blue is what the producer wrote.{more}"
    )
    return Display(taken, _figure(join(hexes, table), caption, "batch-bytes"), _anatomy_text(taken))


def _hex_rows(taken: Anatomy) -> list[Markup]:
    of_byte = [(_style(number, field), field.name) for number, field in enumerate(taken.fields) for _ in field.content]
    shown = min(len(taken.content), _ROW_BYTES * _MOST_ROWS)
    rows = []
    for start in range(0, shown, _ROW_BYTES):
        cells = [
            tag("span", f"{taken.content[at]:02x} ", style=of_byte[at][0], title=of_byte[at][1])
            for at in range(start, min(start + _ROW_BYTES, shown))
        ]
        gap = "   " * (_ROW_BYTES - len(cells))
        letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in taken.content[start : start + _ROW_BYTES])
        rows.append(join(f"{start:4d}  ", *cells, gap, " ", letters, Markup("\n")))
    return rows


def _style(number: int, field: Field) -> str:
    written = field.name.rpartition(": ")[2] in ("key", "value", "headerKey", "headerValue")
    ink = f"font-weight:700;border-bottom:2px solid {colour.LEADER};" if written else ""
    return f"{ink}background:{_SHADES[number % 2]}"


def _field_row(field: Field) -> tuple[object, ...]:
    span = f"{field.start}" if len(field.content) == 1 else f"{field.start}–{field.end - 1}"
    hexes = field.content[:_ROW_BYTES].hex(" ") + (" …" if len(field.content) > _ROW_BYTES else "")
    return (span, field.name, tag("span", hexes, style=_MONO), text(field.value, limit=80))


def _anatomy_text(taken: Anatomy) -> str:
    lines = [f"{field.name}: {'(differs from run to run)' if field.varies else field.value}" for field in taken.fields]
    more = [f"and {len(lines) - _MOST_FIELDS} fields more"] if len(lines) > _MOST_FIELDS else []
    return "\n".join([*lines[:_MOST_FIELDS], *more])


def segment_display(segment: Segment) -> Display:
    """The first entries of a segment's two indexes, bytes and meaning."""
    index = [
        (_hex(segment.index_bytes, 8, n), f"{entry.offset:,}", f"{entry.position:,}")
        for n, entry in enumerate(segment.index[:_ENTRIES])
    ]
    times = [
        (_hex(segment.time_index_bytes, 12, n), entry.timestamp_ms, f"{entry.offset:,}")
        for n, entry in enumerate(segment.time_index[:_ENTRIES])
    ]
    first = _table((".index, 8 bytes an entry", "offset", "position in .log"), index)
    second = _table((".timeindex, 12 bytes an entry", "timestamp (ms)", "offset"), times)
    counts = f"{len(segment.index):,} and {len(segment.time_index):,} entries for {len(segment.log.records):,} records"
    caption = (
        f"Segment {segment.stem}: {counts}; the first {_ENTRIES} of each. Of an offset an entry keeps the distance "
        "from the segment's first."
    )
    return Display(segment, _figure(join(first, second), caption, "segment-indexes"), _segment_text(segment))


def _hex(data: bytes, size: int, number: int) -> Markup:
    return tag("span", data[number * size : (number + 1) * size].hex(" "), style=_MONO)


def _segment_text(segment: Segment) -> str:
    counts = (len(segment.index), len(segment.log.batches), len(segment.log.records))
    entries, batches = ("fewer" if few < many else "not fewer" for few, many in pairwise(counts))
    return f"indexed segment: {entries} index entries than batches, {batches} batches than records"


def seek_display(seek: Seek) -> Display:
    """The steps to a record, over a bar that is its `.log` file."""
    steps = tag("ol", *(tag("li", step) for step in _steps(seek)), style="margin:.3em 0")
    share = 100 * seek.scanned_bytes / seek.segment.size_bytes
    read, size = f"{seek.scanned_bytes:,}", f"{seek.segment.size_bytes:,}"
    caption = f"Offset {seek.record.offset:,} found: {read} of the segment's {size} bytes were read ({share:.1f}%)."
    return Display(seek, _figure(join(_bar(seek), steps), caption, "seek"), _seek_text(seek))


def _steps(seek: Seek) -> list[str]:
    steps = [f"The file name: segment {seek.segment.stem}."]
    if seek.time_entry:
        entry = seek.time_entry
        steps.append(f".timeindex: the last entry not later is {entry.timestamp_ms}, with offset {entry.offset:,}.")
    if seek.entry:
        offset, position = seek.entry.offset, seek.entry.position
        steps.append(f".index: the last entry not after it says that offset {offset:,} is at byte {position:,}.")
    else:
        steps.append(".index: no entry is early enough; begin at byte 0.")
    batch, many = seek.scanned[-1], len(seek.scanned)
    headers = (
        "the header of one batch was read; it" if many == 1 else f"the headers of {many:,} batches were read; the last"
    )
    steps.append(
        f".log: from byte {seek.began_at:,} on, {headers} has offsets {batch.base_offset:,} – {batch.last_offset:,}."
    )
    return steps


def _bar(seek: Seek) -> Markup:
    """All of a `.log` file, and in it what was read. Places are in percent, so that it fits into any width."""
    size = max(1, seek.segment.size_bytes)
    width = max(_LEAST_PERCENT, 100 * seek.scanned_bytes / size)
    left = min(100 * seek.began_at / size, 100 - width)
    label = f"The .log file as a bar; read were {seek.scanned_bytes:,} bytes from byte {seek.began_at:,} on."
    below = {"y": _BAR_HEIGHT + 14, "font_size": 12, "fill": colour.INK}
    words = [("read", min(max(left + width / 2, 3.0), 97.0), "middle")]
    words += [("byte 0", 0.0, "start")] if left > 25 else []
    words += [(f"{size:,}", 100.0, "end")] if left < 70 else []
    return tag(
        "svg",
        tag("rect", x=0, y=0, width="100%", height=_BAR_HEIGHT, fill=colour.GREY, fill_opacity="0.25"),
        tag("rect", x=f"{left:.2f}%", y=0, width=f"{width:.2f}%", height=_BAR_HEIGHT, fill=colour.FOLLOWER),
        *(tag("text", word, x=f"{at:.2f}%", text_anchor=anchor, **below) for word, at, anchor in words),
        xmlns="http://www.w3.org/2000/svg",
        width="100%",
        height=_BAR_HEIGHT + 18,
        style="display:block;max-width:700px;min-width:0",
        role="img",
        aria_label=label,
        font_family=colour.FONT,
    )


def _seek_text(seek: Seek) -> str:
    way = " → ".join([*([".timeindex"] if seek.time_entry else []), *([".index"] if seek.entry else []), ".log"])
    little = seek.scanned_bytes * 10 < seek.segment.size_bytes
    return f"found by {way}; less than a tenth of the segment was read: {'yes' if little else 'no'}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Markup:
    head = tag("tr", *(tag("th", name, scope="col", style=_CELL) for name in heads), style="background:none")
    body = [tag("tr", *(tag("td", cell, style=_CELL) for cell in row), style="background:none") for row in rows]
    return tag("table", head, *body, style=_TABLE)


def _figure(body: Markup, caption: str, testid: str) -> Markup:
    return tag("figure", body, tag("figcaption", caption, style=_CAPTION), style=f"margin:0;{_BOX}", data_testid=testid)
