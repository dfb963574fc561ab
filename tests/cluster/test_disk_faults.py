"""Disks of real brokers: full, lost, torn. Each test sees the effect, and the same check without the fault."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from labsupport import faults
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.topic import Topic
from labsupport.core.errors import BadInput
from labsupport.core.wait import wait_until

PARTITIONS = 8
SHORT_SESSION = {"zookeeper.session.timeout.ms": 6000}  # a killed broker is believed in until it expires
SOON = {"replica.high.watermark.checkpoint.interval.ms": 500}


def send(cluster: Cluster, topic: Topic | str, partition: int = 0, *, count: int = 1, size: int = 100) -> list[str]:
    """Records one after the other, a batch each: "" for each one that was acknowledged, else librdkafka's error."""
    config = {"acks": "all", "linger.ms": 0, "message.timeout.ms": 60000, "batch.num.messages": 1}
    producer = Producer(cluster.connection.confluent(**config))
    outcomes: list[str] = []
    for number in range(count):
        producer.produce(
            str(topic),
            number.to_bytes(4, "big") + b"x" * size,
            partition=partition,
            on_delivery=lambda error, _: outcomes.append(error.name() if error else ""),
        )
    producer.flush(90)
    return outcomes


def end_offset(cluster: Cluster, topic: Topic | str, partition: int = 0) -> int:
    """As the leader tells it, once a broker that has just started is told that it is one."""
    return wait_until(lambda: _end_offset(cluster, str(topic), partition), 60, because="the leader to tell its end")


def _end_offset(cluster: Cluster, topic: str, partition: int) -> int | None:
    """Each time by a new client: one that was once told of no leader goes on believing it (librdkafka)."""
    consumer = Consumer(cluster.connection.confluent(**{"group.id": "looks"}))
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=5)[1])
    except KafkaException:
        return None
    finally:
        consumer.close()


def leaders(cluster: Cluster, topic: Topic | str, seen_by: int = 2) -> dict[int, int | None]:
    partitions = cluster.broker(seen_by).metadata().topics[str(topic)]
    return {number: partition.leader for number, partition in partitions.items()}


def partitions_in(cluster: Cluster, folder: str, topic: str) -> set[int]:
    """The partitions that broker 1 keeps in one of its log folders."""
    files = {p: cluster.broker(1).files(topic, p) for p in range(PARTITIONS)}
    return {p for p, found in files.items() if any(file.startswith(f"{folder}/") for file in found)}


def spread(cluster: Cluster, name: str) -> tuple[set[int], set[int]]:
    """A topic whose partitions are all led by broker 1: those in its first log folder, and those in its second."""
    cluster.create_topic(name, replica_assignment={p: [1, 2] for p in range(PARTITIONS)})
    both = lambda: (partitions_in(cluster, "data-0", name), partitions_in(cluster, "data-1", name))  # noqa: E731
    wait_until(lambda: sum(map(len, both())) == PARTITIONS, 30, because="broker 1 to have made all its folders")
    first, second = both()
    assert first and second
    assert set(leaders(cluster, name).values()) == {1}
    return first, second


def all_in_sync(cluster: Cluster, topic: str) -> bool:
    partitions = cluster.broker(2).metadata().topics[topic]
    return all(set(partition.isr) == {1, 2} for partition in partitions.values())


# -- a log folder lost -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_with_one_log_folder_lost_its_partitions_move_and_the_other_folder_serves(coordination: str) -> None:
    with Cluster.start(brokers=2, coordination=coordination, controllers=1, log_dirs=2, config=SOON) as cluster:
        first, second = spread(cluster, "t")
        assert send(cluster, "t", min(second)) == [""]
        with faults.log_dir_lost(cluster.broker(1), 1) as fault:
            assert repr(fault) == "broker-1 log dir lost"
            expected = dict.fromkeys(first, 1) | dict.fromkeys(second, 2)
            wait_until(lambda: leaders(cluster, "t") == expected, 60, because="the lost partitions to move")
            assert "Stopping serving logs in dir" in cluster.broker(1).log(100_000)
            assert cluster.broker(1).state == "running"
            assert send(cluster, "t", min(first)) + send(cluster, "t", min(second)) == ["", ""]
        wait_until(lambda: all_in_sync(cluster, "t"), 60, because="all replicas to be in sync")
        assert partitions_in(cluster, "data-1", "t") == second
        assert end_offset(cluster, "t", min(second)) == 2
        with pytest.raises(BadInput, match="broker-1 has no log folder 2"), faults.log_dir_lost(cluster.broker(1), 2):
            pytest.fail("the block was entered")


# -- a full disk -------------------------------------------------------------------------------------------------------


def test_a_full_log_folder_goes_offline_at_the_next_write_and_the_other_one_serves() -> None:
    with Cluster.start(brokers=2, controllers=1, log_dirs=2, log_dir_mb=32, config=SOON) as cluster:
        first, second = spread(cluster, "t")
        assert set(send(cluster, "t", min(second), count=100, size=10_000)) == {""}  # a megabyte has room
        assert leaders(cluster, "t")[min(second)] == 1
        with faults.disk_full(cluster.broker(1), log_dir=1):
            assert set(send(cluster, "t", min(second), count=100, size=10_000)) == {
                ""
            }  # by the other broker, in the end
            expected = dict.fromkeys(first, 1) | dict.fromkeys(second, 2)
            wait_until(lambda: leaders(cluster, "t") == expected, 60, because="the partitions to move")
            assert "No space left on device" in cluster.broker(1).log(100_000)
        wait_until(lambda: all_in_sync(cluster, "t"), 60, because="all replicas to be in sync")
        assert end_offset(cluster, "t", min(second)) == 200


@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_a_broker_whose_only_log_folder_is_full_ends_itself_and_starts_when_there_is_space(coordination: str) -> None:
    config = SHORT_SESSION if coordination == "zookeeper" else {}
    with Cluster.start(brokers=2, coordination=coordination, controllers=1, log_dir_mb=32, config=config) as cluster:
        cluster.create_topic("t", replica_assignment={0: [1, 2]})
        with faults.disk_full(faults.leader_of(cluster, "t")):
            assert set(send(cluster, "t", count=100, size=10_000)) == {""}
            wait_until(lambda: cluster.broker(1).state == "stopped", 60, because="broker 1 to end itself")
            words = cluster.broker(1).log(100_000)
            assert "No space left on device" in words and "log dirs" in words
        assert cluster.broker(1).state == "running"
        wait_until(lambda: all_in_sync(cluster, "t"), 60, because="broker 1 to be in sync again")
        assert end_offset(cluster, "t") == 100


def test_the_machines_own_disk_is_not_filled() -> None:
    with Cluster.start(brokers=1) as cluster:
        with pytest.raises(BadInput, match="log_dir_mb"), faults.disk_full(cluster.broker(1)):
            pytest.fail("the block was entered")
        assert send(cluster, cluster.create_topic("t")) == [""]


# -- a torn tail -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["kraft", "zookeeper"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    config = SHORT_SESSION if request.param == "zookeeper" else {}
    with Cluster.start(brokers=2, coordination=request.param, controllers=1, config=config) as running:
        yield running


def segment(cluster: Cluster, node_id: int, topic: str) -> bytes:
    broker = cluster.broker(node_id)
    return broker.read(next(file for file in broker.files(topic, 0) if file.endswith(".log")))


@pytest.mark.parametrize("zeros", [False, True], ids=["cut", "zeros"])
def test_a_torn_follower_cuts_its_log_and_fetches_the_rest(cluster: Cluster, zeros: bool) -> None:
    """Torn it differs from the leader; recovered it is the same, byte for byte."""
    name = f"follower-{'zeros' if zeros else 'cut'}"
    topic = cluster.create_topic(name, replica_assignment={0: [1, 2]})
    assert send(cluster, topic, count=5) == [""] * 5
    whole = segment(cluster, 1, name)
    wait_until(lambda: segment(cluster, 2, name) == whole, 30, because="the follower to have all")
    with faults.tail_torn(faults.follower_of(cluster, topic), topic, zeros=zeros):
        assert cluster.broker(2).state == "stopped"
        torn = segment(cluster, 2, name)
        assert len(torn) > len(whole) if zeros else len(torn) < len(whole)
    wait_until(lambda: all_in_sync(cluster, name), 60, because="the follower to be in sync again")
    assert segment(cluster, 2, name) == segment(cluster, 1, name) == whole
    words = rf"partition={name}-0, .*Corruption found in segment 0, truncating to offset {5 if zeros else 4}"
    assert re.search(words, cluster.broker(2).log(100_000))
    assert end_offset(cluster, topic) == 5


def test_what_only_a_torn_leader_had_is_lost_though_it_was_acknowledged(cluster: Cluster) -> None:
    """The control is the same kill without a tear: what a process wrote, the kernel keeps."""
    topic = cluster.create_topic("alone", replica_assignment={0: [2]})
    assert send(cluster, topic, count=5) == [""] * 5
    with faults.killed(cluster.broker(2)):
        pass
    assert end_offset(cluster, topic) == 5
    with faults.tail_torn(cluster.broker(2), topic):
        pass
    assert end_offset(cluster, topic) == 4


def test_a_stopped_broker_cannot_be_torn(cluster: Cluster) -> None:
    """After an orderly end Kafka does not look, and would serve the torn log."""
    topic = cluster.create_topic("stopped", replica_assignment={0: [1, 2]})
    assert send(cluster, topic) == [""]
    with (
        faults.stopped(cluster.broker(2)),
        pytest.raises(BadInput, match="is stopped"),
        faults.tail_torn(cluster.broker(2), topic),
    ):
        pytest.fail("the block was entered")
    assert cluster.broker(2).state == "running"
    wait_until(lambda: all_in_sync(cluster, "stopped"), 60, because="broker 2 to be in sync again")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("in the cell")])
def test_an_error_in_the_block_leaves_the_broker_running(cluster: Cluster, error: BaseException) -> None:
    topic = cluster.create_topic("error", replica_assignment={0: [1, 2]})
    assert send(cluster, topic) == [""]
    with pytest.raises(type(error)), faults.tail_torn(cluster.broker(2), topic):
        raise error
    assert cluster.broker(2).state == "running"
    wait_until(lambda: all_in_sync(cluster, "error"), 60, because="broker 2 to be in sync again")
