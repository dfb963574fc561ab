"""A partition's files as a reader sees them: figures in the HTML, the same facts everywhere in the text."""

from __future__ import annotations

import re

from labsupport.storage import PartitionLog, Segment, anatomy
from labsupport.storage.segments import StoredRecord
from labsupport.views.segments import anatomy_display, log_display, seek_display, segment_display
from tests.unit.storage.test_files import FIRST_MS, LOG
from tests.unit.storage.test_segments import a_batch, record

from .conftest import HOSTILE

ONE = Segment(base_offset=0, log_bytes=a_batch([record(0)]), index_bytes=b"", time_index_bytes=b"")


def html_of(display: object) -> str:
    bundle = display._repr_mimebundle_()  # type: ignore[attr-defined]
    assert set(bundle) == {"text/plain", "text/html"}
    return str(bundle["text/html"])


class TestTheSegments:
    def test_are_lines_of_a_table(self) -> None:
        shown = html_of(log_display(LOG))
        assert all(segment.stem in shown for segment in LOG.segments)
        assert "0 – 8" in shown and "9 – 14" in shown and shown.count("(active)") == 1

    def test_have_a_text_without_sizes(self) -> None:
        assert repr(log_display(LOG)) == (
            "flights-0 on disk: several segments of .log, .index and .timeindex; "
            "from offset 0 to 14, without a gap, every checksum right"
        )

    def test_that_are_damaged_or_have_gaps_say_so(self) -> None:
        """The positive of the other text."""
        torn = Segment(base_offset=0, log_bytes=ONE.log_bytes + b"torn", index_bytes=b"", time_index_bytes=b"")
        assert "offset 0 only, and damage behind them" in repr(
            log_display(PartitionLog(topic="t", partition=0, segments=(torn,)))
        )
        later = Segment(
            base_offset=5, log_bytes=a_batch([record(5)], base_offset=5), index_bytes=b"", time_index_bytes=b""
        )
        assert "from offset 0 to 5, with gaps" in repr(
            log_display(PartitionLog(topic="t", partition=0, segments=(ONE, later)))
        )

    def test_that_begin_later_do_not_say_where(self) -> None:
        """How many records fit into a segment differs from run to run, so where deletion ends does, too."""
        log = PartitionLog(topic="t", partition=0, segments=LOG.segments[1:])
        assert "from a later offset than 0 to 14, without a gap" in repr(log_display(log))

    def test_without_a_record_say_so(self) -> None:
        empty = Segment(base_offset=0, log_bytes=b"", index_bytes=b"", time_index_bytes=b"")
        assert "no records yet" in repr(log_display(PartitionLog(topic="t", partition=0, segments=(empty,))))


class TestABatch:
    def test_shows_every_byte_once(self) -> None:
        shown = html_of(anatomy_display(anatomy(ONE)))
        pairs = re.findall(r">([0-9a-f]{2}) </span>", shown)
        assert bytes.fromhex("".join(pairs)) == ONE.log_bytes

    def test_names_its_fields_in_the_text_without_what_varies(self) -> None:
        said = repr(anatomy_display(anatomy(ONE))).splitlines()
        assert said[0] == "baseOffset: 0" and "value: +14 min" in said and "key: N725MQ" in said
        assert "crc: (differs from run to run)" in said

    def test_of_a_hostile_record_runs_nothing(self) -> None:
        """Whatever a client wrote is text, in the table as in the dump."""
        content = HOSTILE.encode("utf-8", "surrogateescape")
        one = StoredRecord(offset=0, timestamp_ms=0, key=content, value=content, headers=((HOSTILE, content),))
        segment = Segment(base_offset=0, log_bytes=a_batch([one]), index_bytes=b"", time_index_bytes=b"")
        shown = html_of(anatomy_display(anatomy(segment)))
        assert "onerror" in shown and "<img" not in shown

    def test_that_is_long_says_what_is_left_out(self) -> None:
        many = a_batch([record(n) for n in range(50)])
        segment = Segment(base_offset=0, log_bytes=many, index_bytes=b"", time_index_bytes=b"")
        assert "fields more are not shown" in html_of(anatomy_display(anatomy(segment)))


class TestASeek:
    def test_shows_its_steps(self) -> None:
        shown = html_of(seek_display(LOG.seek_time(FIRST_MS + 7)))
        assert ".timeindex: the last entry not later is" in shown and "offset 4 is at byte" in shown
        assert "the headers of 2 batches were read; the last has offsets" in shown

    def test_its_bar_fits_into_any_width_and_says_how_long_the_file_is(self) -> None:
        shown = html_of(seek_display(LOG.seek(7)))
        svg = shown[shown.index("<svg") : shown.index("</svg>")]
        assert "viewBox" not in svg and svg.count('%"') >= 4
        assert ">read</text>" in svg and f">{LOG.segments[0].size_bytes:,}</text>" in svg

    def test_says_whether_little_was_read(self) -> None:
        assert repr(seek_display(LOG.seek(7))) == (
            "found by .index → .log; less than a tenth of the segment was read: no"
        )


def test_the_indexes_show_bytes_and_meaning() -> None:
    shown = html_of(segment_display(LOG.segments[0]))
    assert LOG.segments[0].index_bytes[:8].hex(" ") in shown and f">{FIRST_MS + 4}<" in shown
    assert repr(segment_display(LOG.segments[0])) == (
        "indexed segment: fewer index entries than batches, fewer batches than records"
    )
