"""The picture of a cluster: a pure fold of a Recording's entries."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from labsupport.observe import ClusterFacts, ClusterPicture, Partition, Recording, state_of
from tests.unit.observe.made_by_hand import VERSION_1

KRAFT = ClusterFacts(name="demo", coordination="kraft", version="4.3.1", brokers=(1, 2, 3))
SEPARATE = ClusterFacts(
    name="demo",
    coordination="kraft",
    version="4.3.1",
    brokers=(1, 2),
    coordinators=("controller-101", "controller-102"),
)
ZOOKEEPER = ClusterFacts(
    name="demo", coordination="zookeeper", version="3.9.2", brokers=(1, 2), coordinators=("zookeeper-1",)
)


def event(what: str, **fields: Any) -> dict[str, Any]:
    """An event at 1 s."""
    return {"t": 1.0, "k": "event", "what": what, **fields}


def after(*entries: dict[str, Any], facts: ClusterFacts = KRAFT) -> ClusterPicture:
    """The picture once these have happened."""
    return ClusterPicture.first(facts).after(entries)


def states(picture: ClusterPicture) -> dict[str, str]:
    """The state of each node."""
    return {name: node.state for name, node in picture.nodes.items()}


def test_every_node_is_known_before_any_event() -> None:
    """From the header: combined KRaft nodes have two roles; ZooKeeper 1 is not broker 1."""
    combined, separate, zookeeper = (ClusterPicture.first(facts).nodes for facts in (KRAFT, SEPARATE, ZOOKEEPER))
    assert {name: node.roles for name, node in combined.items()} == {
        f"broker-{n}": {"broker", "controller"} for n in (1, 2, 3)
    }
    assert {name: (node.node_id, node.roles) for name, node in separate.items()} == {
        "broker-1": (1, {"broker"}),
        "broker-2": (2, {"broker"}),
        "controller-101": (101, {"controller"}),
        "controller-102": (102, {"controller"}),
    }
    assert zookeeper["zookeeper-1"].roles == {"zookeeper"} and zookeeper["broker-1"].roles == {"broker"}
    assert {node.state for node in combined.values()} == {"starting"}


def test_a_process_changes_the_state_of_its_node_only() -> None:
    """Killed, frozen, or waiting for its old session to end."""
    picture = after(
        event("process", node="broker-1", node_id=1, state="running"),
        event("process", node="broker-2", node_id=2, state="paused"),
        event("process", node="broker-3", node_id=3, state="stopped"),
        event("process", node="broker-3", node_id=3, state="waiting"),
    )
    assert states(picture) == {"broker-1": "running", "broker-2": "paused", "broker-3": "waiting"}


def test_with_the_supervisor_gone_nothing_runs() -> None:
    """Its processes do not outlive it."""
    picture = after(
        event("process", node="broker-1", node_id=1, state="running"),
        event("process", node="supervisor", node_id=None, state="gone"),
    )
    assert set(states(picture).values()) == {"stopped"} and "supervisor" not in picture.nodes


def test_a_node_that_the_header_does_not_name_appears() -> None:
    """A cluster may grow."""
    picture = after(event("process", node="broker-4", node_id=4, state="starting"))
    assert (picture.nodes["broker-4"].node_id, picture.nodes["broker-4"].roles) == (4, {"broker"})


def test_leaders_and_in_sync_replicas_follow_the_last_event() -> None:
    """A partition that nobody leads has leader None."""
    created = [
        event("topic", topic="flights", partitions=2, replicas={"0": [1, 2], "1": [2, 3]}),
        event("leader", topic="flights", partition=0, node=1, was=None),
        event("isr", topic="flights", partition=0, isr=[1, 2]),
        event("leader", topic="flights", partition=1, node=2, was=None),
    ]
    picture = after(*created)
    assert picture.topics == {"flights": {0: Partition((1, 2), 1, (1, 2)), 1: Partition((2, 3), 2, ())}}
    assert picture.leads(1) == [("flights", 0)]
    moved = picture.after(
        [
            event("leader", topic="flights", partition=0, node=2, was=1),
            event("isr", topic="flights", partition=0, isr=[2]),
            event("leader", topic="flights", partition=1, node=None, was=2),
        ]
    )
    assert moved.topics == {"flights": {0: Partition((1, 2), 2, (2,)), 1: Partition((2, 3), None, ())}}


def test_new_partitions_keep_what_is_known_of_the_old() -> None:
    """Adding partitions is an event of the topic alone."""
    picture = after(
        event("topic", topic="t", partitions=1, replicas={"0": [1]}),
        event("leader", topic="t", partition=0, node=1),
        event("topic", topic="t", partitions=2, replicas={"0": [1], "1": [2]}),
    )
    assert picture.topics["t"] == {0: Partition((1,), 1, ()), 1: Partition((2,))}


def test_a_deleted_topic_is_gone_with_its_rate() -> None:
    """No partitions: no topic."""
    picture = after(
        event("topic", topic="t", partitions=1, replicas={"0": [1]}),
        {"t": 1, "k": "sample", "name": "records_per_s", "value": 5, "topic": "t"},
        event("topic", topic="t", partitions=0, replicas={}),
    )
    assert (picture.topics, picture.records_per_s) == ({}, {})


def test_controller_rates_and_faults() -> None:
    """Faults are there until they are healed; of two equal ones, one is healed at a time."""
    fault = {"fault": "killed", "nodes": ["broker-1"]}
    picture = after(
        event("controller", node=3),
        {"t": 2.5, "k": "sample", "name": "records_per_s", "value": 199.5, "topic": "flights"},
        event("fault began", **fault),
        event("fault began", **fault),
        event("fault healed", **fault),
        event("fault healed", fault="paused", nodes=["broker-2"]),
    )
    assert (picture.controller, picture.records_per_s, picture.t_s) == (3, {"flights": 199.5}, 2.5)
    assert picture.faults == (("killed", ("broker-1",)),)
    assert after(event("controller", node=None)).controller is None


def test_a_picture_is_never_changed() -> None:
    """What is drawn now stays as it is while the next one is made."""
    first = after(event("topic", topic="t", partitions=1, replicas={"0": [1]}))
    kept = repr(first)
    second = first.after(
        [event("leader", topic="t", partition=0, node=2), event("process", node="broker-1", state="paused")]
    )
    assert repr(first) == kept and second != first


def test_sends_and_reads_draw_nothing() -> None:
    """Nor does what we do not know."""
    first = ClusterPicture.first(KRAFT)
    assert (
        first.after([{"t": 0.0, "k": "send"}, {"t": 0.0, "k": "read"}, event("comet") | {"t": 0.0}, {"t": 0, "k": "?"}])
        == first
    )


@given(cut=st.integers(0, 27))
def test_it_does_not_matter_how_the_entries_come_in_pieces(cut: int) -> None:
    """Live, entry by entry, or replayed at once: the same picture."""
    recording = Recording.load(VERSION_1)
    entries = list(recording.entries())
    first = ClusterPicture.first(recording.header.cluster)
    assert first.after(entries[:cut]).after(entries[cut:]) == first.after(entries)
    assert first.after(entries).after([]) == first.after(entries)
    seen = state_of(recording)
    assert (seen.nodes, seen.topics, seen.faults) == (first.after(entries).nodes, first.after(entries).topics, ())
