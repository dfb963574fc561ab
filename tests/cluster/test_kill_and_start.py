"""Killed and started again without a pause, five times, in both modes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labsupport.cluster.cluster import Cluster

# Longer than a broker needs to start, shorter than Kafka's 9 and 18 s: each of the kills is waited for.
SHORT_SESSION: dict[str, dict[str, object]] = {
    "kraft": {"broker.session.timeout.ms": 6_000},
    "zookeeper": {"zookeeper.session.timeout.ms": 6_000},
}


@pytest.fixture(scope="module", params=["kraft", "zookeeper"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three brokers."""
    with Cluster.start(brokers=3, coordination=request.param, config=SHORT_SESSION[request.param]) as running:
        yield running


@pytest.mark.timeout(600)
def test_a_broker_can_be_killed_and_started_five_times_without_a_pause(cluster: Cluster) -> None:
    """A broker is refused while its dead session lives. With ZooKeeper it ends itself then, so we wait before."""
    topic = cluster.create_topic("killed", replica_assignment={0: [1, 2, 3]})
    last = cluster.process_events(0, 0)[-1].number
    for _ in range(5):
        cluster.broker(1).kill()
        assert cluster.broker(1).state == "stopped"
        cluster.broker(1).start()
        assert cluster.broker(1).state == "running"
    assert topic.wait_for_isr(size=3, timeout_s=60) == [1, 2, 3]
    waits = [event for event in cluster.process_events(last, 0) if event.what == "waiting"]
    assert len(waits) == (5 if cluster.spec.coordination == "zookeeper" else 0)


def test_a_clean_stop_leaves_the_isr_at_once(cluster: Cluster) -> None:
    """A broker that shuts down in order hands its leadership over before its process ends (controlled shutdown)."""
    topic = cluster.create_topic("stopped", replica_assignment={0: [1, 2, 3]})
    topic.wait_for_isr(size=3)
    cluster.broker(1).stop()
    assert topic.isr() == [2, 3]
    assert topic.leader() == 2
    cluster.broker(1).start()
    assert topic.wait_for_isr(size=3) == [1, 2, 3]


@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_all_brokers_may_be_killed_and_started(coordination: str) -> None:
    with Cluster.start(2, coordination, controllers=1, config=SHORT_SESSION[coordination]) as cluster:
        cluster.create_topic("t", replica_assignment={0: [1, 2]})
        for broker in cluster.brokers:
            broker.kill()
        for broker in cluster.brokers:
            broker.start(timeout_s=90)
        assert cluster.topic("t").wait_for_isr(size=2) == [1, 2]
