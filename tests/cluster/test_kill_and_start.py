"""Killed and started again without a pause, five times, in both modes."""

from __future__ import annotations

import pytest

from labsupport.cluster.cluster import Cluster


@pytest.mark.timeout(600)
@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_a_broker_can_be_killed_and_started_five_times_without_a_pause(coordination: str) -> None:
    """A broker is refused while its dead session lives: 18 s with ZooKeeper, 9 s with KRaft (both Kafka's defaults)."""
    with Cluster.start(brokers=3, coordination=coordination) as cluster:
        topic = cluster.create_topic("t", replica_assignment={0: [1, 2, 3]})
        for _ in range(5):
            cluster.broker(1).kill()
            assert cluster.broker(1).state == "stopped"
            cluster.broker(1).start()
            assert cluster.broker(1).state == "running"
        assert topic.wait_for_isr(size=3, timeout_s=60) == [1, 2, 3]
        waits = [event for event in cluster.process_events(0, 0) if event.what == "waiting"]
        assert len(waits) == (5 if coordination == "zookeeper" else 0)


@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_a_clean_stop_leaves_the_isr_at_once(coordination: str) -> None:
    """A broker that shuts down in order hands its leadership over before its process ends (controlled shutdown)."""
    with Cluster.start(brokers=3, coordination=coordination) as cluster:
        topic = cluster.create_topic("t", replica_assignment={0: [1, 2, 3]})
        cluster.broker(1).stop()
        assert topic.isr() == [2, 3]
        assert topic.leader() == 2
        cluster.broker(1).start()
        assert topic.wait_for_isr(size=3) == [1, 2, 3]


@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_all_brokers_may_be_killed_and_started(coordination: str) -> None:
    with Cluster.start(brokers=2, coordination=coordination, controllers=1) as cluster:
        cluster.create_topic("t", replica_assignment={0: [1, 2]})
        for broker in cluster.brokers:
            broker.kill()
        for broker in cluster.brokers:
            broker.start(timeout_s=90)
        assert cluster.topic("t").wait_for_isr(size=2) == [1, 2]
