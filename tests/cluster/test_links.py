"""Links of real clusters: cut, slowed, half open. Each test sees the effect, and the same check without the fault."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from labsupport import faults
from labsupport.clients.metadata import NoAnswer
from labsupport.cluster import registry
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.links import CLIENTS, PROXY
from labsupport.cluster.topic import Topic
from labsupport.core.errors import BadInput
from labsupport.core.wait import wait_until
from tests.cluster.conftest import SESSION
from tests.marked import processes_of, wait_until_gone

QUICK_TO_SHRINK: dict[str, object] = {
    "replica.lag.time.max.ms": 2000,
    "replica.socket.timeout.ms": 1000,
    "replica.fetch.wait.max.ms": 500,
}


@pytest.fixture(scope="module", params=["kraft", "zookeeper"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three brokers and one coordinator of their own: what is cut between two brokers is replication alone."""
    config = QUICK_TO_SHRINK | SESSION[request.param]
    with Cluster.start(3, request.param, controllers=1, links=True, config=config) as running:
        yield running


@pytest.fixture(scope="module")
def topic(cluster: Cluster) -> Topic:
    """One partition on all three brokers, led by broker 1."""
    return cluster.create_topic("t", replica_assignment={0: [1, 2, 3]}, config={"min.insync.replicas": 1})


@pytest.fixture(autouse=True)
def well(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test all replicas are in sync again and broker 1 leads, without our doing anything more."""
    yield
    if "topic" in request.fixturenames:
        topic: Topic = request.getfixturevalue("topic")
        topic.wait_for_isr(size=3, timeout_s=60)


def producer_config(**settings: Any) -> dict[str, Any]:
    return {"acks": "all", "linger.ms": 0, "socket.timeout.ms": 1500, "message.timeout.ms": 4000, **settings}


def send(cluster: Cluster, topic: Topic, **settings: Any) -> str:
    """One record from a new producer: "" when it was acknowledged, else the name of librdkafka's error."""
    from confluent_kafka import Producer

    producer = Producer(cluster.connection.confluent(**producer_config(**settings)), logger=_SILENT)
    return send_with(producer, topic)


def send_with(producer: Any, topic: Topic, record: bytes = b"x") -> str:
    outcome: list[str] = []
    producer.produce(str(topic), record, on_delivery=lambda error, _: outcome.append(error.name() if error else ""))
    producer.flush(30)
    return outcome[0]


def connections_to(port: int) -> list[Any]:
    """Established connections of this very process to a loopback port."""
    ours = psutil.Process().net_connections(kind="tcp4")
    return [c for c in ours if c.raddr and c.raddr.port == port and c.status == psutil.CONN_ESTABLISHED]


def followers_apart_from_the_controller(cluster: Cluster) -> list[Any]:
    """Brokers 2 and 3, the controller last: under ZooKeeper the leader must reach it to have an ISR shrunk."""
    return sorted(cluster.brokers[1:], key=lambda broker: broker.node_id == cluster.controller().node_id)


# -- the proxy in front of real listeners ------------------------------------------------------------------------------


def test_all_nodes_talk_through_the_proxy_alone(cluster: Cluster, topic: Topic) -> None:
    """Nobody has found a way around it: no JVM is connected to a port behind the proxy."""
    assert send(cluster, topic) == ""
    assert _ways_around(cluster) == {}
    assert _dialled(_pids(cluster)[PROXY]) & _ports_behind(cluster)  # what is looked for, where it must be
    assert cluster.links.traffic("broker-1", ["broker-2", "broker-3"]).open >= 2


def _ways_around(cluster: Cluster) -> dict[str, set[int]]:
    """Which nodes are connected to ports behind the proxy, and to which."""
    behind = _ports_behind(cluster)
    dialled = {name: _dialled(pid) & behind for name, pid in _pids(cluster).items() if name != PROXY}
    return {name: ports for name, ports in dialled.items() if ports}


def _pids(cluster: Cluster) -> dict[str, int]:
    return {process["name"]: process["pid"] for process in registry.find(cluster.name)["processes"]}


def _ports_behind(cluster: Cluster) -> set[int]:
    """Where the nodes listen themselves, all listeners."""
    settings = json.loads((Path(registry.find(cluster.name)["folder"]) / PROXY / "settings.json").read_text())
    return {door["target_port"] for door in settings["doors"]}


def _dialled(pid: int) -> set[int]:
    connections = psutil.Process(pid).net_connections(kind="tcp")
    listening = {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN}
    return {c.raddr.port for c in connections if c.raddr and c.laddr.port not in listening}


def test_the_proxy_says_who_came(cluster: Cluster, topic: Topic) -> None:
    """By the names that brokers give themselves."""
    followers = cluster.links.traffic("broker-1", "broker-2").client_ids
    assert "broker-2-fetcher-0" in followers
    coordinator = cluster.coordinators[0].name
    assert cluster.links.traffic("broker-1", coordinator).open >= 1


# -- cut ---------------------------------------------------------------------------------------------------------------


def test_a_follower_cut_off_its_leader_leaves_the_isr_and_comes_back(cluster: Cluster, topic: Topic) -> None:
    """All three live and are known to the controller; only the link between two is gone, and there is news to fetch."""
    cut_off, other = followers_apart_from_the_controller(cluster)
    assert topic.isr() == [1, 2, 3]
    with faults.link_cut(faults.leader_of(cluster, topic), cut_off):
        assert send(cluster, topic, acks="1") == ""
        wait_until(lambda: topic.isr() == [1, other.node_id], 30, because=f"{cut_off.name} to leave the ISR")
        assert cluster.links.traffic("broker-1", cut_off.name).open == 0
        assert cluster.links.traffic("broker-1", cut_off.name).reset > 0
        assert send(cluster, topic) == ""  # two of three are enough
        assert topic.leader() == 1
    topic.wait_for_isr(size=3, timeout_s=30)
    assert cluster.links.traffic("broker-1", other.name).reset == 0


def test_a_client_cut_off_the_leader_cannot_write_and_the_brokers_do_not_notice(cluster: Cluster, topic: Topic) -> None:
    with faults.link_cut("clients", faults.leader_of(cluster, topic)):
        assert send(cluster, topic) == "_MSG_TIMED_OUT"
        assert topic.isr() == [1, 2, 3] and topic.leader() == 1
    assert send(cluster, topic) == ""


def test_a_broker_cut_off_the_coordinator_loses_its_partition_though_it_lives(cluster: Cluster, topic: Topic) -> None:
    """It is fenced, or its ZooKeeper session expires; healed, it is a follower again and may lead."""
    alone = cluster.create_topic("fenced", replica_assignment={0: [3, 2]})
    with faults.link_cut(cluster.broker(3), cluster.coordinators):
        wait_until(lambda: cluster.broker(2).metadata().topics["fenced"][0].leader == 2, 60, because="broker 2 to lead")
        assert cluster.broker(3).state == "running"
        assert cluster.broker(3).metadata().topics["fenced"][0].leader == 3  # it has not heard of it
        assert _ways_around(cluster) == {}
    wait_until(lambda: cluster.broker(3).metadata().topics["fenced"][0].leader == 2, 60, because="broker 3 to hear")
    alone.wait_for_isr(size=2, timeout_s=60)


def test_one_against_two(cluster: Cluster, topic: Topic) -> None:
    """The leader apart from both followers is left alone in the ISR, if the controller hears of it."""
    leader = cluster.controller().node_id if cluster.spec.coordination == "zookeeper" else 1
    others = [broker for broker in cluster.brokers if broker.node_id != leader]
    apart = cluster.create_topic("apart", replica_assignment={0: [leader, *(broker.node_id for broker in others)]})
    with faults.link_cut(cluster.broker(leader), others) as fault:
        assert set(fault.nodes) == {"broker-1", "broker-2", "broker-3"}
        assert send(cluster, apart, acks="1") == ""
        seen = lambda: cluster.broker(leader).metadata().topics["apart"][0].isr  # noqa: E731
        wait_until(lambda: seen() == (leader,), 30, because="the ISR to shrink to its leader")
        names = [broker.name for broker in others]
        assert cluster.links.traffic(f"broker-{leader}", names).open == 0
        assert cluster.links.traffic(*names).open > 0  # the two still see each other
    apart.wait_for_isr(size=3, timeout_s=60)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("in the cell")])
def test_an_error_in_the_block_leaves_the_links_healed(cluster: Cluster, topic: Topic, error: BaseException) -> None:
    with pytest.raises(type(error)), faults.link_cut("clients", [*cluster.brokers]):
        assert send(cluster, topic) == "_MSG_TIMED_OUT"
        raise error
    assert send(cluster, topic) == ""


def test_the_lab_itself_is_not_blinded(cluster: Cluster, topic: Topic) -> None:
    """What a broker says is read around the proxy: otherwise a cut for clients would end every picture."""
    with faults.link_cut("clients", [*cluster.brokers]):
        assert topic.leader() == 1
        with pytest.raises(NoAnswer):
            _metadata_as_a_client(cluster)
    _metadata_as_a_client(cluster)


def _metadata_as_a_client(cluster: Cluster) -> None:
    from labsupport.clients.metadata import MetadataReader

    MetadataReader(cluster.connection, timeout_s=2).read()


# -- half open ---------------------------------------------------------------------------------------------------------


def test_over_a_half_open_link_sends_time_out_while_the_connection_stands(cluster: Cluster, topic: Topic) -> None:
    """The producer has a connection all the time and never an answer."""
    from confluent_kafka import Producer

    producer = Producer(cluster.connection.confluent(**producer_config()), logger=_SILENT)
    port = int(cluster.broker(1).address.rpartition(":")[2])
    assert send_with(producer, topic) == ""
    lost_before = cluster.links.traffic(CLIENTS, "broker-1").lost_bytes
    resets_before = cluster.links.traffic(CLIENTS, "broker-1").reset
    with faults.link_half_open("clients", faults.leader_of(cluster, topic)):
        standing = connections_to(port)
        assert standing
        assert send_with(producer, topic) == "_MSG_TIMED_OUT"
        assert cluster.links.traffic(CLIENTS, "broker-1").lost_bytes > lost_before
        assert cluster.links.traffic(CLIENTS, "broker-1").reset == resets_before
        # What the client believes: it gives up a connection that is silent for too long, and gets another one.
        wait_until(lambda: connections_to(port), 20, because="the client to be connected")
        assert cluster.links.traffic(CLIENTS, "broker-1").open >= len(standing)  # and what the broker believes
    wait_until(lambda: send_with(producer, topic) == "", 30, because="a send to be acknowledged again")


def test_a_follower_behind_a_half_open_link_leaves_the_isr(cluster: Cluster, topic: Topic) -> None:
    """Its fetches never arrive: the leader waits `replica.lag.time.max.ms`, the follower its socket's time-out."""
    silenced, other = followers_apart_from_the_controller(cluster)
    with faults.link_half_open(cluster.broker(1), silenced):
        assert send(cluster, topic, acks="1") == ""
        wait_until(lambda: topic.isr() == [1, other.node_id], 30, because=f"{silenced.name} to leave the ISR")
        assert cluster.links.traffic("broker-1", silenced.name).lost_bytes > 0


# -- slowed ------------------------------------------------------------------------------------------------------------

DELAY_MS = 300


def test_a_slow_link_to_the_leader_costs_a_client_its_delay_each_way(cluster: Cluster, topic: Topic) -> None:
    """At least twice the delay, and it was the proxy that held the bytes back: before and after it held none."""
    from confluent_kafka import Producer

    producer = Producer(
        cluster.connection.confluent(**producer_config(**{"message.timeout.ms": 20000})), logger=_SILENT
    )
    assert send_with(producer, topic) == ""
    assert _late(cluster, CLIENTS) == 0
    with faults.link_slowed("clients", faults.leader_of(cluster, topic), delay_ms=DELAY_MS):
        before_s = time.monotonic()
        assert send_with(producer, topic) == ""
        assert time.monotonic() - before_s >= 2 * DELAY_MS / 1000
    held = _late(cluster, CLIENTS)
    assert held > 0
    assert send_with(producer, topic) == ""
    assert _late(cluster, CLIENTS) == held


KBIT_PER_S, RECORD_BYTES = 160, 40_000  # two seconds a record


def test_a_narrow_link_lets_a_record_through_as_fast_as_it_says(cluster: Cluster, topic: Topic) -> None:
    """The bytes of the record need their time on the line, and the proxy has held them back. Before and after it, the
    same record takes a small part of that."""
    from confluent_kafka import Producer

    patient = {"socket.timeout.ms": 30000, "message.timeout.ms": 30000, "compression.type": "none"}
    producer = Producer(cluster.connection.confluent(**producer_config(**patient)), logger=_SILENT)
    record, at_least_s = b"x" * RECORD_BYTES, RECORD_BYTES * 8 / (KBIT_PER_S * 1000)
    assert send_with(producer, topic) == ""  # it has found its leader
    assert _taken_s(producer, topic, record) < at_least_s / 2
    before = _late(cluster, CLIENTS)
    with faults.link_slowed("clients", faults.leader_of(cluster, topic), kbit_per_s=KBIT_PER_S):
        assert _taken_s(producer, topic, record) >= at_least_s * 0.9
    assert _late(cluster, CLIENTS) >= before + RECORD_BYTES / 2
    assert _taken_s(producer, topic, record) < at_least_s / 2


def _taken_s(producer: Any, topic: Topic, record: bytes) -> float:
    """Seconds until one record was acknowledged."""
    before_s = time.monotonic()
    assert send_with(producer, topic, record) == ""
    return time.monotonic() - before_s


def test_acks_all_waits_for_the_slowest_follower_and_acks_1_does_not(cluster: Cluster, topic: Topic) -> None:
    """The link of one follower is slow. With acks=all a send takes as long as a fetch's way; acks=1 passes it by."""
    with faults.link_slowed(cluster.broker(1), cluster.broker(2), delay_ms=DELAY_MS):
        fastest = {acks: _fastest_of_five(cluster, topic, acks) for acks in ("all", "1")}
        assert topic.isr() == [1, 2, 3]
    assert fastest["all"] >= DELAY_MS / 1000
    assert fastest["all"] > fastest["1"]


def _fastest_of_five(cluster: Cluster, topic: Topic, acks: str) -> float:
    """Seconds of the quickest send of a producer that has found its leader."""
    from confluent_kafka import Producer

    config = producer_config(acks=acks, **{"message.timeout.ms": 20000})
    producer = Producer(cluster.connection.confluent(**config), logger=_SILENT)
    assert send_with(producer, topic) == ""
    taken_s = []
    for _ in range(5):
        before_s = time.monotonic()
        assert send_with(producer, topic) == ""
        taken_s.append(time.monotonic() - before_s)
    return min(taken_s)


def _late(cluster: Cluster, end: str) -> int:
    return cluster.links.traffic(end, "broker-1").late_bytes


# -- beginning and end -------------------------------------------------------------------------------------------------


def test_without_links_there_is_no_proxy_and_the_faults_say_so() -> None:
    with Cluster.start(brokers=1) as cluster:
        assert len(processes_of(cluster.name)) == 3  # a broker, the supervisor, its janitor
        with (
            pytest.raises(BadInput, match=r"without links\. Use Cluster\.start\(links=True\)"),
            faults.link_cut("clients", cluster.broker(1)),
        ):
            pytest.fail("the block was entered")


def test_the_proxy_is_one_private_process_and_is_gone_with_its_cluster() -> None:
    """Its ports and its socket are this machine's and this user's alone."""
    cluster = Cluster.start(brokers=1, links=True)
    assert len(processes_of(cluster.name)) == 4
    record = registry.find(cluster.name)
    proxy = next(process["pid"] for process in record["processes"] if process["name"] == PROXY)
    hosts = {c.laddr.ip for c in psutil.Process(proxy).net_connections(kind="tcp") if c.status == psutil.CONN_LISTEN}
    assert hosts == {"127.0.0.1"}
    assert cluster.links.socket_path.stat().st_mode & 0o777 == 0o600
    cluster.close()
    wait_until_gone(cluster.name)


def test_another_process_can_break_links_of_a_cluster_it_attached_to() -> None:
    with Cluster.start(brokers=1, links=True) as cluster:
        topic = cluster.create_topic("t")
        other = Cluster.attach(cluster.name)
        with faults.link_cut("clients", other.broker(1)):
            assert send(cluster, topic) == "_MSG_TIMED_OUT"
        assert send(cluster, topic) == ""


def test_a_killed_broker_starts_again_behind_its_proxy() -> None:
    """Its ports behind the proxy are held for it as others are."""
    with Cluster.start(brokers=1, links=True) as cluster:
        topic = cluster.create_topic("t")
        with faults.killed(cluster.broker(1)):
            assert send(cluster, topic) == "_MSG_TIMED_OUT"
        assert send(cluster, topic) == ""
        assert Path(cluster.broker(1).log_file).exists()


def _silent() -> Any:
    import logging

    logger = logging.getLogger("links-test")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


_SILENT = _silent()
