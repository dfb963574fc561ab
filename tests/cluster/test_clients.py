"""Clients on real brokers: one Connection serves both families, and metadata keeps coming under a fault."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from labsupport import faults
from labsupport.clients import flights
from labsupport.clients.metadata import ControllerReader, MetadataReader, NoAnswer, active_controller
from labsupport.clients.read_back import read_all
from labsupport.cluster.cluster import Cluster
from labsupport.core.errors import LabError
from labsupport.core.journal import NullJournal
from labsupport.core.wait import wait_until


class Journal(NullJournal):
    """Keeps events and reads."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self.reads: list[tuple[int, int, str]] = []

    def event(self, what: str, *, t_s: float | None = None, **fields: object) -> None:
        self.events.append((what, fields))

    def read(
        self, topic: str, partition: int, offset: int, record_id: str, *, t_s: float | None = None, reader: str = ""
    ) -> None:
        self.reads.append((partition, offset, record_id))


def test_text_makes_the_round_trip_through_kafka_python(cluster: Cluster) -> None:
    """Keys and values are written as text and JSON, and read from the beginning."""
    cluster.create_topic("words")
    with cluster.producer(acks="all") as producer:
        sent = producer.send("words", key="N725MQ", value={"delay_min": 14}).get(timeout=30)
    consumer = cluster.consumer("words", consumer_timeout_ms=30_000)
    record = next(iter(consumer))
    consumer.close()
    assert (record.offset, record.key, json.loads(record.value)) == (sent.offset, b"N725MQ", {"delay_min": 14})


def test_the_controller_is_what_the_cluster_itself_says(cluster: Cluster) -> None:
    """KRaft: the leader of the metadata quorum, as kafka-python's admin describes it. ZooKeeper: in the metadata."""
    ours = active_controller(cluster.connection, coordination=cluster.spec.coordination, timeout_s=20)
    if cluster.spec.coordination == "zookeeper":
        assert ours == cluster.metadata().controller_id
        return
    with cluster.admin() as admin:
        quorum = admin.describe_metadata_quorum()
    assert ours == quorum["topics"][0]["partitions"][0]["leader_id"]


def test_metadata_goes_on_while_any_one_broker_is_frozen(cluster: Cluster) -> None:
    """The read under way may fail; after it the others answer, whichever broker it was."""
    reader = MetadataReader(cluster.connection, timeout_s=4)
    reader.read()
    for broker in cluster.brokers:
        with faults.paused(broker):
            answers = [_answered(reader) for _ in range(4)]
            assert all(answers[1:])
    _wait_until_all_are_back(cluster)


def test_the_controller_is_found_while_another_broker_is_frozen(cluster: Cluster) -> None:
    """A reader that was connected to the frozen one asks the next."""
    reader = ControllerReader(cluster.connection, coordination=cluster.spec.coordination, timeout_s=20)
    controller = reader.read()
    for broker in cluster.brokers:
        if broker.node_id != controller:
            with faults.paused(broker):
                assert reader.read() is not None
    reader.close()
    _wait_until_all_are_back(cluster)


def test_asking_for_a_topic_does_not_create_it(cluster: Cluster) -> None:
    """Brokers create what is asked for by name (auto.create.topics.enable is true by default)."""
    reader = MetadataReader(cluster.connection, timeout_s=10)
    assert reader.read("nobody-made-this").topics == {}
    assert "nobody-made-this" not in reader.read().topics


def test_flights_go_in_and_come_back_by_aircraft(cluster: Cluster) -> None:
    """Every flight of the stream is in the topic once, and those of one aircraft are in one partition."""
    cluster.create_topic("flights", partitions=3)
    journal = Journal()
    expected = Counter(flight.value for flight in flights.stream(limit=400))
    with cluster.load("flights", source=flights.stream(speed_up=20_000, limit=400)) as load:
        load.wait_until_finished()
    assert (load.sent, load.acked) == (400, 400)
    assert read_all(cluster.connection, "flights", journal=journal) == 400
    assert {record_id.partition("-")[2] for _, _, record_id in journal.reads} == {str(n) for n in range(400)}
    consumer = cluster.consumer("flights", consumer_timeout_ms=2_000)
    partitions: dict[bytes, set[int]] = {}
    values: Counter[bytes] = Counter()
    for record in consumer:
        values[record.value] += 1
        if record.key is not None:
            partitions.setdefault(record.key, set()).add(record.partition)
    consumer.close()
    assert values == expected
    assert {len(numbers) for numbers in partitions.values()} == {1}


def test_reading_back_is_framed_by_two_events(cluster: Cluster) -> None:
    """A verdict counts only what was read between them. Records of strangers have no id."""
    cluster.create_topic("framed")
    with cluster.producer() as producer:
        producer.send("framed", value="from a stranger").get(timeout=30)
    journal = Journal()
    assert read_all(cluster.connection, "framed", journal=journal) == 1
    assert journal.reads == [(0, 0, "")]
    assert journal.events == [
        ("read back began", {"topic": "framed"}),
        ("read back", {"topic": "framed", "complete": True, "records": 1, "high_watermarks": {0: 1}}),
    ]


def test_an_empty_topic_is_read_to_its_end(cluster: Cluster) -> None:
    """Nothing is a result too."""
    cluster.create_topic("empty", partitions=2)
    assert read_all(cluster.connection, "empty") == 0


def test_markers_of_transactions_are_no_records(cluster: Cluster) -> None:
    """They take the last offset of a log, and reading ends all the same. Aborted records were written: they count."""
    from confluent_kafka import Producer

    cluster.create_topic("transactions")
    producer = Producer(cluster.connection.confluent(**{"transactional.id": "t", "log_level": 0}))
    producer.init_transactions(60)
    for end in (producer.commit_transaction, producer.abort_transaction):
        producer.begin_transaction()
        producer.produce("transactions", b"x")
        producer.flush(30)
        end(30)
    assert read_all(cluster.connection, "transactions") == 2


def test_a_partition_without_a_leader_is_named(cluster: Cluster) -> None:
    """Its only replica is dead, so nobody could say that a record is lost."""
    topic = cluster.create_topic("orphan", replica_assignment={0: [1], 1: [3]})
    with faults.killed(cluster.broker(3)):
        wait_until(lambda: topic.leader(1) is None, 60, because="the cluster to notice")
        with pytest.raises(LabError, match="orphan-1 cannot be read: no leader") as caught:
            read_all(cluster.connection, "orphan", timeout_s=2)
        assert "orphan-0" not in str(caught.value)


def test_a_topic_that_is_not_there_is_named(cluster: Cluster) -> None:
    """And not created by the attempt."""
    with pytest.raises(LabError, match="There is no topic absent"):
        read_all(cluster.connection, "absent")
    assert "absent" not in cluster.topics()


def _wait_until_all_are_back(cluster: Cluster) -> None:
    """A broker that was frozen for longer than its session is a stranger for a moment."""

    def known() -> bool:
        try:
            return all(len(broker.metadata().brokers) == len(cluster.brokers) for broker in cluster.brokers)
        except NoAnswer:
            return False

    wait_until(known, 60, because="every broker to know all the others")


def _answered(reader: MetadataReader) -> bool:
    try:
        reader.read()
    except NoAnswer:
        return False
    return True
