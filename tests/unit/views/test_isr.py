"""The ISR timeline: a lane a replica, what it was and when, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsupport.core.errors import BadInput
from labsupport.views import show
from labsupport.views.isr import isr_svg, isr_timeline

from .conftest import HOSTILE, parse, with_data, words
from .recordings import Made, failover


def lanes(made: Made, partition: int = 0) -> dict[int, list[tuple[str, float]]]:
    made.at(20, "controller", node=3)  # the picture goes as far as the last event
    made.recording.flush()
    read = isr_timeline(made.recording, "flights").partitions[partition]
    return {node: [(span.what, round(span.begin, 2)) for span in spans] for node, spans in read.replicas.items()}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A partition on brokers 2, 1 and 3, all of them in sync."""
    begun = Made(tmp_path)
    begun.at(1, "topic", topic="flights", partitions=1, replicas={"0": [2, 1, 3]})
    begun.at(1, "leader", topic="flights", partition=0, node=2)
    begun.at(1, "isr", topic="flights", partition=0, isr=[1, 2, 3])
    return begun


def test_each_replica_has_a_lane_the_preferred_leader_first(made: Made) -> None:
    """What it was, from when on."""
    made.at(4, "isr", topic="flights", partition=0, isr=[1, 2])
    made.at(5, "leader", topic="flights", partition=0, node=1)
    made.at(6, "isr", topic="flights", partition=0, isr=[1])
    assert lanes(made) == {
        2: [("leader", 1), ("in sync", 5), ("not in sync", 6)],
        1: [("in sync", 1), ("leader", 5)],
        3: [("in sync", 1), ("not in sync", 4)],
    }
    assert list(lanes(made)) == [2, 1, 3]


def test_a_broker_that_is_down_is_said_to_be_before_anybody_noticed(made: Made) -> None:
    """The metadata still calls it a leader; its process tells."""
    made.at(3, "process", node="broker-2", node_id=2, state="stopped")
    made.at(9, "leader", topic="flights", partition=0, node=1)
    made.at(9, "isr", topic="flights", partition=0, isr=[1, 3])
    assert lanes(made)[2] == [("leader", 1), ("leader (down)", 3), ("not in sync", 9)]


def test_eligible_replicas_are_shown_where_the_broker_tells(made: Made) -> None:
    """From Kafka 4.1 on: out of the ISR, and still safe to lead."""
    made.at(3, "elr", topic="flights", partition=0, elr=[3])
    made.at(3, "isr", topic="flights", partition=0, isr=[1, 2])
    made.at(5, "elr", topic="flights", partition=0, elr=[])
    made.at(6, "event that nobody knows", topic="flights")
    assert lanes(made)[3] == [("in sync", 1), ("eligible (ELR)", 3), ("not in sync", 5)]


def test_a_broker_that_was_killed_is_down_and_not_called_stopped(made: Made) -> None:
    """`faults.stopped` asks a broker to go; a reader must not take one for the other."""
    made.at(3, "process", node="broker-3", node_id=3, state="stopped")
    made.at(5, "process", node="broker-3", node_id=3, state="running")
    made.at(6, "process", node="broker-3", node_id=3, state="paused")
    assert lanes(made)[3] == [("in sync", 1), ("in sync (down)", 3), ("in sync", 5), ("in sync (paused)", 6)]


def test_faults_that_overlap_are_all_named_and_on_lines_of_their_own(made: Made) -> None:
    """Two begin together: their names would lie upon each other. A third that comes later has room on the first."""
    made.at(3, "fault began", fault="killed", nodes=["broker-2"])
    made.at(3.1, "fault began", fault="paused", nodes=["broker-3"])
    made.at(12, "fault began", fault="stopped", nodes=["broker-1"])
    made.at(20, "controller", node=3)
    made.recording.flush()
    drawn = parse(isr_svg(isr_timeline(made.recording, "flights")))
    names = {e.text: e.attrib["y"] for e in drawn.iter() if e.tag.endswith("text") and "broker-" in (e.text or "")}
    assert names.keys() == {"broker-2 killed", "broker-3 paused", "broker-1 stopped"}
    assert names["broker-2 killed"] == names["broker-1 stopped"] != names["broker-3 paused"]


def test_the_text_holds_no_time(tmp_path: Path) -> None:
    """Who led and how few were in sync can be compared; when cannot."""
    shown = show.isr_timeline(failover(tmp_path), "flights")
    assert repr(shown) == "flights-0: led by broker 1, then 2; at least 2 in sync, 3 at the end"
    assert [span.what for span in shown.faults] == ["broker-1 killed"]


def test_that_nobody_led_is_said_in_the_caption_and_not_compared(made: Made) -> None:
    """Between two times of the same leader there was one without: "broker 2, then 2" would be nonsense."""
    made.at(4, "leader", topic="flights", partition=0, node=None)
    made.at(6, "leader", topic="flights", partition=0, node=2)
    made.at(8, "leader", topic="flights", partition=0, node=1)
    made.recording.flush()
    shown = show.isr_timeline(made.recording, "flights")
    assert "led by broker 2, then nobody, then 2, then 1;" in shown.html
    assert "led by broker 2, then 1;" in repr(shown)


def test_the_picture_names_lanes_unit_and_fault(tmp_path: Path) -> None:
    """And its label is the caption."""
    drawn = parse(isr_svg(isr_timeline(failover(tmp_path), "flights")))
    said = words(drawn)
    assert "time since the recording began (s)" in said
    assert all(f"broker {node}" in said for node in (1, 2, 3))
    assert "broker-1 killed" in with_data(drawn, "fault")
    (svg,) = drawn
    assert svg.attrib["aria-label"] == "flights-0: led by broker 1, then 2; at least 2 in sync, 3 at the end."


def test_many_partitions_are_counted(tmp_path: Path) -> None:
    """Six are drawn."""
    made = Made(tmp_path)
    for number in range(40):
        made.at(1, "isr", topic="flights", partition=number, isr=[1])
    made.recording.flush()
    read = isr_timeline(made.recording, "flights")
    assert (len(read.partitions), read.hidden) == (6, 34)
    assert "and 34 more partitions" in words(parse(isr_svg(read)))


def test_a_topic_that_was_never_there_is_refused(made: Made) -> None:
    made.recording.flush()
    with pytest.raises(BadInput, match=r"knows no topic <img"):
        show.isr_timeline(made.recording, HOSTILE)


def test_a_hostile_topic_stays_text(tmp_path: Path) -> None:
    html = show.isr_timeline(failover(tmp_path, topic=HOSTILE), HOSTILE)._repr_mimebundle_()["text/html"]
    assert not list(parse(html).iter("img"))
    assert "\x1b" not in html
