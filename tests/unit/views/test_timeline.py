"""The failover timeline tells the moments, the lanes and the writes of a Recording."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from labsupport.core.errors import LabError
from labsupport.observe import Recording
from labsupport.views import show
from labsupport.views.happened import Span
from labsupport.views.time_svg import ceiling
from labsupport.views.timeline import Timeline, caption, timeline_of
from labsupport.views.timeline_svg import timeline_svg

from .conftest import HOSTILE, parse, with_data, words


def recording(folder: Path, *, topic: str = "flights", recovers: bool = True) -> Recording:
    """Broker 1 is killed at 5 s; broker 2 leads 9 s later; writes go on after 9.25 s; broker 1 is back at 18 s."""
    made = Recording.create(name="t", coordination="kraft", version="4.3.1", brokers=[1, 2, 3], folder=folder)

    def at(t_s: float, what: str, **fields: object) -> None:
        made.event(what, t_s=made.began_s + t_s, **fields)

    for node in (1, 2, 3):
        at(0.1, "process", node=f"broker-{node}", node_id=node, state="running")
    at(0.2, "topic", topic=topic, partitions=1, replicas={"0": [1, 2, 3]})
    at(0.3, "leader", topic=topic, partition=0, node=1)
    at(0.3, "isr", topic=topic, partition=0, isr=[1, 2, 3])
    at(5.02, "process", node="broker-1", node_id=1, state="stopped")
    at(5.0, "fault began", fault="killed", nodes=["broker-1"])
    ends = [(1.0, 5.0)]
    if recovers:
        at(14.0, "leader", topic=topic, partition=0, node=2, was=1)
        at(14.0, "isr", topic=topic, partition=0, isr=[2, 3])
        at(18.0, "process", node="broker-1", node_id=1, state="running")
        at(18.0, "fault healed", fault="killed", nodes=["broker-1"])
        ends.append((14.25, 25.0))
    for begin, end in ends:
        for n in range(round((end - begin) * 20)):
            t_s = made.began_s + begin + n / 20
            made.send(topic, f"{begin}-{n}", "acked", partition=0, offset=n, t_s=t_s)
            made.send(topic, f"{begin}-{n}-other", "acked", partition=1, offset=n, t_s=t_s)
    made.flush()
    return made


def timeline(made: Recording, topic: str = "flights") -> Timeline:
    return timeline_of(made, show.failover(made, topic, 0).value)


def test_the_moments_are_measured_from_the_kill(tmp_path: Path) -> None:
    """The kill, the new leader and the first acknowledged write, each with its milliseconds."""
    drawn = parse(timeline_svg(timeline(recording(tmp_path))))
    stamps = {float(at): words(label) for at, label in with_data(drawn, "stamp").items()}
    assert stamps == {
        0.0: "killed: 0 ms",
        9.0: "broker 2 leads: 9,000 ms",
        9.25: "first acknowledged write: 9,250 ms",
    }


def test_the_fourth_stamp_is_when_the_picture_changed(tmp_path: Path) -> None:
    """What the page says counts; without a page, the moment when the map was sent, and it is called so."""
    made = recording(tmp_path)
    assert timeline(made).picture_s is None

    def showed(t_s: float, node: int, seen: str) -> None:
        made.event("picture", t_s=made.began_s + t_s, topic="flights", partition=0, node=node, seen=seen)

    showed(14.1, 2, "sent")
    assert "picture sent: 9,100 ms" in words(parse(timeline_svg(timeline(made))))
    showed(14.2, 3, "drawn")  # of another broker
    showed(14.3, 2, "drawn")
    drawn = timeline(made)
    assert (drawn.picture_s, drawn.picture_drawn) == (pytest.approx(9.3), True)
    stamps = [float(at) for at in with_data(parse(timeline_svg(drawn)), "stamp")]
    assert sorted(stamps) == pytest.approx([0, 9.0, 9.25, 9.3])
    assert "The picture showed it after 9,300 ms." in caption(drawn).replace("\N{NO-BREAK SPACE}", " ")


def test_the_caption_states_the_finding(tmp_path: Path) -> None:
    """Caption and label are one text, with the numbers."""
    drawn = parse(show.failover(recording(tmp_path), "flights", 0)._repr_mimebundle_()["text/html"])
    label = next(drawn.iter("{http://www.w3.org/2000/svg}svg")).attrib["aria-label"]
    assert label.replace("\N{NO-BREAK SPACE}", " ") == (
        "Broker 1 was killed while it led flights-0. Broker 2 led after 9,000 ms. The first write was acknowledged "
        "9,250 ms after the kill. The longest time without an acknowledgement was 9,300 ms."
    )
    assert words(drawn).endswith(" ".join(label.split()))


def test_lanes_say_what_held_and_when(tmp_path: Path) -> None:
    """A lane a broker, the leader (dead, as long as nobody noticed) and who was in sync."""
    read = timeline(recording(tmp_path))
    assert [(s.what, round(s.begin, 2)) for s in read.brokers["broker-1"]] == [
        ("running", -3.0),
        ("stopped", 0.02),
    ]
    assert [(s.what, round(s.end, 2)) for s in read.leaders] == [
        ("broker 1", 0.0),
        ("broker 1 (killed)", 9.0),
        ("broker 2", round(read.end, 2)),
    ]
    assert [s.what for s in read.in_sync] == ["3 in sync: 1, 2, 3", "2 in sync: 2, 3"]


def test_no_line_runs_through_the_words_of_a_lane(tmp_path: Path) -> None:
    """The three in sync before the kill are named after its line, since the line would cross them before it."""
    drawn = parse(timeline_svg(timeline(recording(tmp_path))))
    lanes = {what: lane for what, lane in with_data(drawn, "what").items() if "in sync" in what}
    svg = "{http://www.w3.org/2000/svg}"
    lines = [float(e.attrib["x1"]) for e in drawn.iter(f"{svg}line") if e.attrib["x1"] == e.attrib["x2"]]
    kill = next(float(e.attrib["x"]) - 6 for e in drawn.iter(f"{svg}text") if words(e).startswith("killed"))
    assert kill in lines
    begin = float(next(lanes["3 in sync: 1, 2, 3"].iter(f"{svg}text")).attrib["x"])
    assert kill < begin < kill + 10


def test_writes_of_the_partition_alone_are_counted(tmp_path: Path) -> None:
    """20 a second before and after, none between; another partition's writes are not this one's."""
    read = timeline(recording(tmp_path))
    width = (read.end - read.begin) / len(read.acked)
    silent = [rate for n, rate in enumerate(read.acked) if 0.3 < read.begin + n * width < 9]
    assert sum(read.acked) * width == pytest.approx(20 * (read.end - read.begin - 9.25), rel=0.05)
    assert set(silent) == {0.0}


def test_the_fault_is_shaded_until_it_is_healed(tmp_path: Path) -> None:
    """From the kill to the broker's return, or as far as the picture goes; and named."""
    read = timeline(recording(tmp_path))
    assert read.fault == Span(0.0, read.end, "fault: broker 1 killed")
    assert "fault: broker 1 killed" in words(parse(timeline_svg(read)))


def test_no_recovery_is_said(tmp_path: Path) -> None:
    """When nobody took over, the picture does not pretend so."""
    shown = show.failover(recording(tmp_path, recovers=False), "flights", 0)
    html = words(parse(shown._repr_mimebundle_()["text/html"]))
    assert "No other broker took over. No write was acknowledged after that." in html
    assert repr(shown).startswith("broker 1 → nobody (leader of flights-0)")


def test_the_text_holds_judged_facts_and_no_duration(tmp_path: Path) -> None:
    """What nbval compares is the same on a slow machine."""
    shown = show.failover(recording(tmp_path), "flights", 0)
    assert repr(shown) == (
        "broker 1 → broker 2 (leader of flights-0)\nflights-0: new leader: yes · writes acknowledged again: yes"
    )
    assert set(shown._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert (shown.old, shown.new, shown.new_leader_s) == (1, 2, pytest.approx(9.0))


def test_a_hostile_topic_stays_text(tmp_path: Path) -> None:
    """A topic's name comes from a cluster."""
    shown = show.failover(recording(tmp_path, topic=HOSTILE), HOSTILE, 0)
    bundle = shown._repr_mimebundle_()
    assert not list(parse(bundle["text/html"]).iter("img"))
    assert "\x1b" not in bundle["text/html"] + bundle["text/plain"]


def test_the_axis_names_quantity_and_unit(tmp_path: Path) -> None:
    """Axes say what they show, in which unit, and amounts begin at zero."""
    shown = words(parse(timeline_svg(timeline(recording(tmp_path)))))
    assert "time since the kill (s)" in shown
    assert re.search(r"acknowledged \(records/s\) 0 \d", shown)


def test_a_burst_does_not_flatten_the_rest(tmp_path: Path) -> None:
    """Records that waited are acknowledged at once: the usual rate stays visible, and the height is said."""
    read = timeline(recording(tmp_path))
    bursting = replace(read, acked=[*read.acked[:-30], 5000.0, *read.acked[-29:]])
    assert ceiling(bursting.acked) < 100
    assert "↑ up to 5,000/s: what had waited" in words(parse(timeline_svg(bursting)))
    assert "what had waited" not in words(parse(timeline_svg(read)))
    assert ceiling([]) == 1


def test_an_area_is_drawn_whole(tmp_path: Path) -> None:
    """A path is one long attribute, and no limit for texts may cut it."""
    paths = [e.attrib["d"] for e in parse(timeline_svg(timeline(recording(tmp_path)))).iter() if "d" in e.attrib]
    assert any(path.endswith("Z") and path.count("L") > 150 for path in paths)


def test_what_has_no_recording_is_refused_in_a_sentence() -> None:
    """A wrong argument is the reader's to mend."""
    with pytest.raises(LabError, match="str has no recording to show"):
        show.failover("flights", 0)  # type: ignore[arg-type]
