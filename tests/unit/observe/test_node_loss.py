"""Two clocks of one silent node, from hand-made recordings."""

from __future__ import annotations

from typing import Any

import pytest

from labsupport.core.errors import LabError
from labsupport.observe import Recording
from labsupport.observe.node_loss import NodeLoss, node_loss


def write(recording: Recording, t: float, what: str, **fields: Any) -> None:
    """An event at a given second."""
    recording.event(what, t_s=recording.began_s + t, **fields)


def news(recording: Recording, t: float, what: str, reason: str, message: str = "") -> None:
    """What Kubernetes did."""
    write(recording, t, "kubernetes", object=what, reason=reason, message=message)


def lead(recording: Recording, t: float, node: int | None, *, partition: int = 1) -> None:
    """Who led from then on."""
    write(recording, t, "leader", topic="arrivals", partition=partition, node=node)


@pytest.fixture
def told(recording: Recording) -> Recording:
    """Broker 2's node froze after 100 s, and answered again a minute later."""
    lead(recording, 1, 2)
    news(recording, 2, "pod/errand-9f-old", "Started")
    write(recording, 100, "fault began", fault="node frozen", nodes=["broker-2"])
    lead(recording, 105, 3, partition=2)
    lead(recording, 107, None)
    lead(recording, 109.5, 3)
    news(recording, 115, "node/worker2", "NotReady", "Kubelet stopped posting node status.")
    news(recording, 125.5, "pod/broker-2", "TaintManagerEviction", "Marking for deletion Pod n/broker-2")
    news(recording, 127, "pod/errand-9f-new", "Started")
    news(recording, 160, "node/worker2", "Ready")
    news(recording, 163, "pod/broker-2", "Started")
    write(recording, 170, "isr", topic="arrivals", partition=1, isr=[1, 2, 3])
    write(recording, 171, "fault healed", fault="node frozen", nodes=["broker-2"])
    return recording


def read(recording: Recording) -> NodeLoss:
    return node_loss(recording, "arrivals", 1, deployment="errand")


def test_each_is_counted_from_the_moment_when_the_node_fell_silent(told: Recording) -> None:
    """Another partition's leader, nobody as leader, and pods that ran before do not count."""
    seen = read(told)
    assert (seen.leader_s, seen.lost_s, seen.marked_s, seen.replaced_s) == (9.5, 15, 25.5, 27)
    assert (seen.back_s, seen.again_s, seen.in_sync_s) == (60, 63, 70)
    assert seen.broker == "broker-2"


def test_the_marks_are_in_the_order_of_time_whoever_came_first(told: Recording) -> None:
    """Kafka is not put first because it is asked for first."""
    assert repr(read(told)).splitlines() == [
        "Kafka: another leader",
        "Kubernetes: the node is not ready",
        "Kubernetes: its pods are marked for deletion",
        "Deployment: a pod on another node",
        "Kubernetes: the node is ready again",
        "StatefulSet: another broker-2",
        "Kafka: broker-2 is in sync again",
    ]


def test_kubernetes_may_have_been_the_first(recording: Recording) -> None:
    """What decides is the time."""
    write(recording, 1, "fault began", fault="node gone", nodes=["broker-2"])
    lead(recording, 40, 1)
    news(recording, 3, "node/worker2", "NotReady")
    assert repr(read(recording)) == "Kubernetes: the node is not ready\nKafka: another leader"


def test_what_was_not_seen_is_none(recording: Recording) -> None:
    """A mark that was lifted again is none; nor is what happens before the node is back."""
    write(recording, 1, "fault began", fault="node frozen", nodes=["broker-2"])
    news(recording, 5, "pod/broker-2", "TaintManagerEviction", "Cancelling deletion of Pod n/broker-2")
    news(recording, 6, "pod/broker-2", "Started")
    write(recording, 7, "isr", topic="arrivals", partition=1, isr=[1, 2, 3])
    seen = read(recording)
    assert seen.marks == [] and seen.again_s is None and seen.in_sync_s is None


def test_the_last_time_counts(told: Recording) -> None:
    """A page may be run twice."""
    write(told, 300, "fault began", fault="node frozen", nodes=["broker-2"])
    lead(told, 308, 1)
    assert read(told).leader_s == 8 and read(told).lost_s is None


def test_without_a_silent_node_there_is_nothing_to_tell(recording: Recording) -> None:
    """A broker that was killed is another story."""
    write(recording, 1, "fault began", fault="killed", nodes=["broker-2"])
    with pytest.raises(LabError, match="no node that fell silent"):
        read(recording)
