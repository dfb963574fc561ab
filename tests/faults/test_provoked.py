"""What Kafka does not promise, made to happen on real clusters: the verdict names it each time.

Every provocation is run again with the one setting that forbids it, and then nothing of the kind is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from labsupport import Cluster, Recording, faults
from labsupport.cluster.topic import Topic
from labsupport.core.wait import wait_until
from labsupport.observe import HistoryVerdict, verdict
from tests.faults.well import wait_until_well

LEADER, FOLLOWERS = 1, (2, 3)
MODES = ("kraft", "zookeeper")
# A frozen follower stays in sync until its session or its lag is over: long enough for a schedule, short to wait for.
SETTINGS: dict[str, dict[str, object]] = {
    "kraft": {"broker.session.timeout.ms": 9_000},
    "zookeeper": {"zookeeper.session.timeout.ms": 9_000},
}
ALL_MODES = {"replica.lag.time.max.ms": 20_000, "auto.leader.rebalance.enable": False}


@pytest.fixture(scope="module", params=MODES)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three brokers and one separate controller or ZooKeeper server, which no schedule touches."""
    with Cluster.start(3, request.param, controllers=1, config=ALL_MODES | SETTINGS[request.param]) as running:
        yield running


def recording_of(cluster: Cluster) -> Recording:
    assert isinstance(cluster.recording, Recording)
    return cluster.recording


def new_topic(cluster: Cluster, name: str, **config: object) -> Topic:
    """One partition, led by broker 1. `min.insync.replicas` is always set: ELR moves its default to the cluster."""
    settings: dict[str, object] = {key.replace("_", "."): value for key, value in config.items()}
    return cluster.create_topic(
        name, replica_assignment={0: [LEADER, *FOLLOWERS]}, config={"min.insync.replicas": 1} | settings
    )


def followers(cluster: Cluster) -> list[Any]:
    return [cluster.broker(node_id) for node_id in FOLLOWERS]


def send(cluster: Cluster, topic: Topic, records: int, **arguments: Any) -> None:
    """Send so many, and wait until each has its outcome."""
    with cluster.load(topic, records=records, **arguments) as load:
        load.wait_until_finished()


def judged(cluster: Cluster, topic: Topic) -> HistoryVerdict:
    """All replicas in sync again, then a full read."""
    wait_until_well(cluster, topic)
    cluster.read_back(topic, timeout_s=90)
    return verdict(recording_of(cluster), topic.name)


@pytest.mark.parametrize("acks", ["1", "all"])
def test_acks_1_loses_what_only_the_leader_has(cluster: Cluster, acks: str) -> None:
    """The followers are frozen and still in sync; the leader acknowledges alone and dies; a follower takes over.

    The first record answers the fetches that are waiting at the leader, and may reach the followers in their sleep; the
    others cannot. With acks=all nothing is acknowledged meanwhile, so nothing that was acknowledged is lost.
    """
    topic = new_topic(cluster, f"acks-{acks}")
    send(cluster, topic, 20)
    with ExitStack() as frozen:
        frozen.enter_context(faults.paused(*followers(cluster)))
        for records in (1, 50):
            send(cluster, topic, records, acks=acks, idempotence=False, delivery_timeout_ms=1_000)
        assert topic.isr() == [1, 2, 3]
        with faults.killed(cluster.broker(LEADER)):
            frozen.close()
            assert topic.wait_for_leader(other_than=LEADER) in FOLLOWERS
    found = judged(cluster, topic)
    assert (found.acked, found.unknown) == ((71, 0) if acks == "1" else (20, 51))
    assert found.lost in ((50, 51) if acks == "1" else (0,))
    assert set(found.anomalies) <= {"lost"}


@pytest.mark.parametrize("unclean", [True, False])
def test_an_unclean_election_loses_what_the_last_in_sync_replica_had(cluster: Cluster, unclean: bool) -> None:
    """All followers die first, then the leader that went on alone; a follower comes back before it.

    Without `unclean.leader.election.enable` nobody leads until the old leader is back, and nothing is lost.
    """
    topic = new_topic(cluster, f"unclean-{unclean}".lower(), unclean_leader_election_enable=unclean)
    send(cluster, topic, 20)
    with ExitStack() as dead:
        dead.enter_context(faults.killed(*followers(cluster)))
        topic.wait_for_isr(size=1)
        send(cluster, topic, 50)
        with faults.killed(cluster.broker(LEADER)):
            dead.close()
            if unclean:
                assert topic.wait_for_leader(other_than=LEADER) in FOLLOWERS
            else:
                wait_until(lambda: topic.leader() is None, 60, because="nobody to lead")
    found = judged(cluster, topic)
    assert found.acked == 70
    assert found.anomalies == ({"lost": 50} if unclean else {})


@pytest.mark.parametrize("acks", ["0", "all"])
def test_acks_0_misses_what_the_socket_took(cluster: Cluster, acks: Any) -> None:
    """The leader is frozen, the client goes on writing into its socket, the leader dies: sent, and not there.

    With acks=all the client sends the same records again, to the new leader.
    """
    topic = new_topic(cluster, f"socket-{acks}")
    leader = cluster.broker(LEADER)
    with cluster.load(topic, acks=acks, idempotence=acks == "all", records_per_s=500) as load:
        load.wait_for_acked(100)
        with faults.paused(leader):
            sent = load.sent + 200
            wait_until(lambda: load.sent >= sent, 30, because="200 more to be sent")
            with faults.killed(leader):
                topic.wait_for_leader(other_than=LEADER)
                load.wait_for_acked(load.acked + 100)
    found = judged(cluster, topic)
    assert found.anomalies.keys() == ({"sent_missing"} if acks == "0" else set())
    assert (found.unconfirmed if acks == "0" else found.acked) >= 400


@pytest.fixture(scope="module")
def linked() -> Iterator[Cluster]:
    """Links that can be cut, and a leader that gives its followers up after two seconds.

    KRaft only: under ZooKeeper the controller is one of the brokers, and a leader that is cut off from it cannot tell
    it that the ISR has become smaller.
    """
    config = ALL_MODES | SETTINGS["kraft"] | {"replica.lag.time.max.ms": 2_000}
    with Cluster.start(3, "kraft", controllers=1, links=True, config=config) as running:
        yield running


# Many small requests, repeated at once; that too few followers have a record is told after a second, not after thirty.
SEVERAL_IN_FLIGHT = {
    "max.in.flight.requests.per.connection": 5,
    "batch.num.messages": 10,
    "retry.backoff.ms": 5,
    "retry.backoff.max.ms": 5,
    "request.timeout.ms": 1_000,
}


@pytest.mark.parametrize("idempotence", [False, True])
def test_a_retry_behind_others_that_are_in_flight_changes_the_order(linked: Cluster, idempotence: bool) -> None:
    """The links between leader and followers are cut: too few replicas are in sync, requests are refused and repeated.
    The links are mended, and from one request to the next there are enough: the refused one comes behind that.

    The client's own link is slow, so that at any time some requests are on their way. What waited for the followers
    when the links were cut was written and is written again. An idempotent producer numbers its batches: the broker
    refuses one that comes too early, and knows one that it has.
    """
    topic = new_topic(linked, f"idempotence-{idempotence}".lower(), min_insync_replicas=2)
    leader = linked.broker(LEADER)
    with (
        faults.link_slowed("clients", leader, kbit_per_s=400),
        linked.load(topic, idempotence=idempotence, records_per_s=200, config=SEVERAL_IN_FLIGHT) as load,
    ):
        for _ in range(2):
            load.wait_for_acked(load.acked + 100)
            with faults.link_cut(leader, followers(linked)):
                topic.wait_for_isr(size=1)
                refused_from = load.sent
                wait_until(lambda: load.sent >= refused_from + 200, 30, because="200 more to be sent")  # noqa: B023
            topic.wait_for_isr(size=3)
        load.wait_for_acked(load.acked + 100)
    found = judged(linked, topic)
    assert (found.reordered > 0) is not idempotence
    assert set(found.anomalies) <= {"reordered", "duplicated"}
    assert not idempotence or found.clean
