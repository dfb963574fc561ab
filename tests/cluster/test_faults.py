"""Faults on real brokers: each does to the cluster what its name says, and is undone."""

from __future__ import annotations

import socket

import pytest

from labsupport import faults
from labsupport.clients import Connection
from labsupport.clients.metadata import MetadataReader, NoAnswer, active_controller
from labsupport.cluster.broker import Broker
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.topic import Topic
from labsupport.core.journal import NullJournal
from labsupport.core.wait import wait_until


@pytest.fixture(scope="module")
def topic(cluster: Cluster) -> Topic:
    """One partition on all three brokers."""
    return cluster.create_topic("t", replica_assignment={0: [1, 2, 3]})


def _accepts(broker: Broker) -> bool:
    host, _, port = broker.address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5):
            return True
    except OSError:
        return False


def _answers(broker: Broker) -> bool:
    try:
        MetadataReader(Connection(bootstrap_servers=broker.address), timeout_s=1).read()
    except NoAnswer:
        return False
    return True


def _all_well(cluster: Cluster, topic: Topic) -> bool:
    topic.wait_for_isr(size=3, timeout_s=60)
    return all(broker.state == "running" for broker in cluster.brokers)


def test_a_killed_leader_is_gone_and_another_broker_leads(cluster: Cluster, topic: Topic) -> None:
    """By role: the process ends, its port refuses, and the partition moves to a follower."""
    with faults.killed(faults.leader_of(cluster, topic)) as fault:
        (broker,) = (cluster.broker(node_id) for node_id in fault.node_ids)
        assert broker.state == "stopped"
        assert not _accepts(broker)
        assert topic.wait_for_leader(other_than=broker.node_id) in {1, 2, 3} - {broker.node_id}
    assert _answers(broker)
    assert _all_well(cluster, topic)


@pytest.mark.contract
def test_a_paused_broker_accepts_and_does_not_answer(cluster: Cluster, topic: Topic) -> None:
    """The kernel still takes connections for it; whoever waits for a word waits in vain."""
    broker = cluster.broker(3)
    with faults.paused(broker):
        assert broker.state == "paused"
        assert _accepts(broker)
        assert not _answers(broker)
    assert _answers(broker)
    assert _all_well(cluster, topic)


@pytest.mark.contract
def test_a_stopped_follower_is_out_of_the_isr_at_once(cluster: Cluster, topic: Topic) -> None:
    """Controlled shutdown: out before its process ends, so no waiting here."""
    with faults.stopped(faults.follower_of(cluster, topic)) as fault:
        (node_id,) = fault.node_ids
        assert node_id not in topic.isr()
        assert cluster.broker(node_id).state == "stopped"
    assert _all_well(cluster, topic)


def test_killing_the_controller_makes_another_node_the_controller(cluster: Cluster, topic: Topic) -> None:
    """Whoever is elected, it is not the dead one; ZooKeeper lets its session expire first."""
    with faults.killed(faults.controller(cluster)) as fault:
        elected = wait_until(
            lambda: (
                {active_controller(cluster.connection, coordination=cluster.spec.coordination)}
                - {None, *fault.node_ids}
            ),
            90,
            because="another controller",
        )
    assert elected <= {1, 2, 3}
    assert _all_well(cluster, topic)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("in the cell")])
def test_an_error_in_the_block_leaves_two_nested_faults_healed(
    cluster: Cluster, topic: Topic, error: BaseException
) -> None:
    """One broker killed and one paused, then the cell breaks off."""
    with pytest.raises(type(error)), faults.killed(cluster.broker(2)), faults.paused(cluster.broker(3)):
        assert [broker.state for broker in cluster.brokers] == ["running", "stopped", "paused"]
        raise error
    assert _all_well(cluster, topic)


def test_what_the_reader_stopped_stays_stopped(cluster: Cluster, topic: Topic) -> None:
    """A fault heals what it broke, no more."""
    cluster.broker(2).stop()
    with faults.stopped(cluster.broker(2), cluster.broker(3)) as fault:
        assert fault.nodes == ("broker-3",)
    assert [broker.state for broker in cluster.brokers] == ["running", "stopped", "running"]
    cluster.broker(2).start()
    assert _all_well(cluster, topic)


def test_the_recording_gets_the_fault(cluster: Cluster, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Began before anything is seen of it, healed when the broker is back."""

    class Journal(NullJournal):
        def event(self, what: str, *, t_s: float | None = None, **fields: object) -> None:
            events.append((what, t_s, fields))

    events: list[tuple[str, float | None, dict[str, object]]] = []
    monkeypatch.setattr(cluster.broker(3), "journal", Journal())
    with faults.paused(cluster.broker(3)) as fault:
        pass
    ours = [event for event in events if event[0].startswith("fault")]
    fields = {"fault": "paused", "nodes": ["broker-3"]}
    assert ours == [("fault began", fault.began_s, fields), ("fault healed", ours[1][1], fields)]
    assert _all_well(cluster, topic)
