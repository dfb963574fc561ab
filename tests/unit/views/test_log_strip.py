"""The log of a partition: segments, offsets and readers, as they were at each moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsupport.core.errors import BadInput
from labsupport.views import show
from labsupport.views.log_strip import MOST_SEGMENTS, log_story, log_svg, size_of

from .conftest import HOSTILE, parse, with_data, words
from .recordings import Made, failover


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Two segments on broker 1, then three; one group reads."""
    begun = Made(tmp_path)
    begun.at(1, "log", topic="flights", partition=0, node=1, segments=[[0, 1024], [100, 10]], start=0, end=120)
    begun.at(2, "positions", group="board", topic="flights", positions={"0": 90, "1": 7})
    segments = [[0, 1024], [100, 2048], [300, 0]]
    begun.at(3, "log", topic="flights", partition=0, node=1, segments=segments, start=50, end=310)
    begun.at(4, "log", topic="flights", partition=1, node=1, segments=[[7, 1]], start=7, end=9)
    begun.at(5, "log", topic="other", partition=0, node=1, segments=[[8, 1]], start=8, end=9)
    begun.recording.flush()
    return begun


def test_each_frame_is_the_log_at_a_moment(made: Made) -> None:
    """Other partitions and topics have logs of their own."""
    story, strip = log_story(made.recording, "flights", 0)
    assert [(t, [len(log["segments"]) for log in f["logs"]], f["readers"]) for t, f in story.drawing["frames"]] == [
        (1, [2], []),
        (2, [2], [["board", 90]]),
        (3, [3], [["board", 90]]),
    ]
    assert (strip.start, strip.end) == (50, 310)
    assert [(mark.t, mark.words) for mark in story.marks] == [(3, "broker 1: new segment from offset 300")]


def test_a_deleted_segment_is_news(made: Made) -> None:
    made.at(6, "log", topic="flights", partition=0, node=1, segments=[[100, 2048], [300, 9]], start=100, end=310)
    made.recording.flush()
    story, _ = log_story(made.recording, "flights", 0)
    assert story.marks[-1].words == "broker 1: segment 0 deleted"


def test_the_picture_shows_segments_and_readers(made: Made) -> None:
    """A rectangle a segment, its words where there is room, and how far a reader is behind."""
    _, strip = log_story(made.recording, "flights", 0)
    drawn = parse(log_svg(strip))
    assert list(with_data(drawn, "segment")) == ["0", "100", "300"]
    assert words(with_data(drawn, "reader")["board"]) == "board reads 90 next · 220 behind"
    assert "segment 300: 0 B, being written" in words(drawn)


def test_the_text_holds_no_offset(tmp_path: Path) -> None:
    shown = show.partition_log(failover(tmp_path), "flights")
    assert repr(shown) == "log of flights-0 on broker 1\n  read by board"


def test_of_many_segments_the_oldest_are_one(made: Made) -> None:
    """A log of a thousand segments is no bigger a message than one of sixty."""
    segments = [[n * 10, 5] for n in range(1000)]
    made.at(7, "log", topic="flights", partition=0, node=1, segments=segments, start=0, end=10_000)
    made.recording.flush()
    _, strip = log_story(made.recording, "flights", 0)
    assert len(strip.logs[1].segments) == MOST_SEGMENTS
    assert strip.logs[1].segments[0] == (0, 5 * (1000 - MOST_SEGMENTS + 1))


def test_what_was_not_listed_is_there_all_the_same(made: Made) -> None:
    """A Recording lists the newest segments; what lies before them is drawn as such."""
    made.at(7, "log", topic="flights", partition=0, node=2, segments=[[500, 9]], start=50, end=510)
    made.recording.flush()
    _, strip = log_story(made.recording, "flights", 0)
    assert list(strip.logs) == [2], "its leader alone is asked"
    assert "segment 50: older segments" in words(parse(log_svg(strip)))


def test_a_log_that_nobody_watched_is_refused(made: Made) -> None:
    with pytest.raises(BadInput, match=r"nothing about the log of flights-9.*watch_log"):
        show.partition_log(made.recording, "flights", 9)


def test_a_hostile_group_stays_text(tmp_path: Path) -> None:
    written = failover(tmp_path, topic=HOSTILE, group=HOSTILE)
    html = show.partition_log(written, HOSTILE)._repr_mimebundle_()["text/html"]
    assert not list(parse(html).iter("img"))
    assert "\x1b" not in html


@pytest.mark.parametrize(("size", "said"), [(0, "0 B"), (1023, "1,023 B"), (16_384, "16 KiB"), (3 << 40, "3,072 GiB")])
def test_sizes_read_well(size: int, said: str) -> None:
    assert size_of(size) == said.replace(" ", "\N{NO-BREAK SPACE}")
