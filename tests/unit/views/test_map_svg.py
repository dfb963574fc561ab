"""The still map tells the facts of a state, in shapes, in words and in its label."""

from __future__ import annotations

import re

from labsupport.views.map_svg import describe, map_html, map_svg
from labsupport.views.state import ROWS, MapState, NodeView, PartitionView, note

from .conftest import HOSTILE, parse, with_data, words


def state(**changes: object) -> MapState:
    facts: dict[str, object] = {
        "name": "flights-lab",
        "coordination": "kraft",
        "version": "4.3.1",
        "nodes": (
            NodeView(node_id=1, name="broker-1", kind="broker", state="stopped", votes=True),
            NodeView(node_id=2, name="broker-2", kind="broker", votes=True),
            NodeView(node_id=3, name="broker-3", kind="broker", state="paused", votes=True),
        ),
        "partitions": (PartitionView(topic="flights", partition=0, leader=2, replicas=(1, 2, 3), isr=(3, 2)),),
        "controller": 3,
        "records_per_s": 1234.4,
    }
    return MapState(**{**facts, **changes})  # type: ignore[arg-type]


def test_each_node_says_its_state_in_words() -> None:
    """A box a broker: its name, its state, and what it is besides."""
    boxes = with_data(parse(map_svg(state())), "state")
    assert {kind: words(box) for kind, box in boxes.items()} == {
        "stopped": "broker-1 stopped votes",
        "running": "broker-2 running votes",
        "paused": "broker-3 paused ★ controller",
    }


def test_a_row_says_who_leads_and_who_is_in_sync() -> None:
    """A partition's row has a role in words under each broker that holds it."""
    row = with_data(parse(map_svg(state())), "partition")["flights-0"]
    assert row.attrib["data-leader"] == "2"
    assert {n: cell.attrib["data-role"] for n, cell in with_data(row, "node").items()} == {
        "broker-1": "not in sync",
        "broker-2": "leader",
        "broker-3": "in sync",
    }
    assert words(row) == "flights-0 not in sync leader in sync"


def test_the_label_repeats_the_caption() -> None:
    """Whoever cannot see the picture hears what it shows."""
    drawn = parse(map_html(state()))
    label = next(drawn.iter("{http://www.w3.org/2000/svg}svg")).attrib["aria-label"]
    assert label == describe(state())
    assert label.startswith("Cluster of 3 brokers (kraft): 1 running, 1 paused, 1 stopped; controller: broker-3;")
    assert "flights-0 is led by broker-2, in sync: 2, 3" in label
    assert label in words(drawn)


def test_without_partitions_no_room_is_left_for_their_names() -> None:
    """The boxes begin at the left, and a broker alone is no wider than it would be among others."""
    alone = state(nodes=(NodeView(node_id=1, name="broker-1", kind="broker"),), partitions=())
    (box,) = with_data(parse(map_svg(alone)), "state").values()
    frame = next(part for part in box if part.tag.endswith("rect"))
    assert float(frame.attrib["x"]) < 20 and float(frame.attrib["width"]) <= 200
    (row_of_three, *_) = with_data(parse(map_svg(state())), "state").values()
    assert float(next(p for p in row_of_three if p.tag.endswith("rect")).attrib["x"]) > 150


def test_nobody_leads_is_said() -> None:
    """A partition without a leader is not drawn as if it had one."""
    part = PartitionView(topic="t", partition=0, leader=None, replicas=(1, 2), isr=())
    assert "led by nobody, in sync: nobody" in describe(state(partitions=(part,)))
    assert [part.role(n) for n in (1, 2, 3)] == ["not in sync", "not in sync", ""]


def test_zookeeper_and_separate_controllers_stand_apart_from_brokers() -> None:
    """ZooKeeper server 1 and broker 1 share a number and are two things."""
    nodes = (
        NodeView(node_id=1, name="broker-1", kind="broker"),
        NodeView(node_id=1, name="zookeeper-1", kind="zookeeper", state="stopped", votes=True),
    )
    shown = words(parse(map_svg(state(nodes=nodes, controller=1, coordination="zookeeper"))))
    assert "broker-1 running ★ controller" in shown
    assert "zookeeper-1: stopped" in shown


def test_a_broker_that_waits_says_for_what() -> None:
    """Under ZooKeeper a killed broker is refused until its old session expires; the picture says so."""
    nodes = (NodeView(node_id=1, name="broker-1", kind="broker", state="waiting"),)
    assert "waiting for its old session to expire" in words(parse(map_svg(state(nodes=nodes))))


def test_hostile_names_stay_text() -> None:
    """A name that is markup, or would steer a terminal, is shown and does nothing."""
    part = PartitionView(topic=HOSTILE, partition=0, leader=1, replicas=(1,), isr=(1,))
    nodes = (NodeView(node_id=1, name=HOSTILE, kind="broker"),)
    hostile = state(name=HOSTILE, version=HOSTILE, nodes=nodes, partitions=(part,))
    drawn = parse(map_html(hostile))
    assert not list(drawn.iter("img"))
    assert "\x1b" not in map_html(hostile) + hostile.text() + repr(hostile.plan())
    assert "<img" in words(drawn)


def test_the_text_is_the_same_on_every_machine() -> None:
    """No rate, and not the controller, which KRaft chooses freely; who leads and who is in sync are sorted."""
    one = state(records_per_s=10.0, controller=1, name="a")
    other = state(records_per_s=None, controller=2, name="b")
    assert one.text() == other.text()
    assert one.text() == (
        "cluster of 3 brokers (kraft): 1 running, 1 paused, 1 stopped\n  flights-0: led by broker-2, in sync 2, 3"
    )
    assert not re.search(r"\d{3,}", one.text())


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    """No script, no style sheet, no address but the name of SVG itself."""
    drawn = map_html(state()).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|<script|<link|<style|url\(", drawn)


def test_a_change_is_said_in_one_sentence() -> None:
    """The line under the live map says what changed between two states."""
    before = state()
    nodes = (*before.nodes[:1], NodeView(node_id=2, name="broker-2", kind="broker", state="stopped"), before.nodes[2])
    part = PartitionView(topic="flights", partition=0, leader=3, replicas=(1, 2, 3), isr=(3,))
    after = state(nodes=nodes, partitions=(part,), controller=2)
    said = note(before, after)
    assert said == "broker-2 is stopped; broker-2 is now the controller; broker-3 now leads flights-0."
    assert note(before, before) == ""
    assert note(MapState(), before) == ""


def test_many_changes_are_counted() -> None:
    """A failover of many partitions does not become a page of text."""

    def led_by(leader: int) -> MapState:
        parts = [PartitionView(topic="t", partition=n, leader=leader, replicas=(1, 2), isr=(2,)) for n in range(ROWS)]
        return state(partitions=tuple(parts))

    said = note(led_by(1), led_by(2))
    assert said.startswith("broker-2 now leads t-0; ")
    assert said.endswith("; and 9 more changes.")
