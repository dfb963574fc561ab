"""We read a partition's files as Kafka does: our words for a segment are those of its own dump tool, line by line."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

import pytest

from labsupport.clients import flights
from labsupport.cluster.cluster import Cluster
from labsupport.core.wait import wait_until
from labsupport.provision import KAFKA_VERSIONS
from labsupport.storage import PartitionLog, Segment, kafkas_dump, our_dump, read_log
from labsupport.storage.segments import Compression, StoredRecord
from tests.unit.storage.test_files import LOG
from tests.unit.storage.test_segments import a_batch, record, with_attributes

ODD = (
    a_batch([record(0)])
    + a_batch([record(1, key=None), record(2, value=None)], base_offset=1, producer=(4711, 3, 40))
    + a_batch(
        [StoredRecord(offset=3, timestamp_ms=5, key=b"", value=b"a\xff\nb|", headers=(("a", b"1"), ("b,c", None)))],
        base_offset=3,
        gzip=True,
    )
    + a_batch([record(4)], base_offset=4, transactional=True, producer=(9, 1, 0))
    + with_attributes(
        a_batch([record(5, struct.pack(">hh", 0, 1), struct.pack(">hi", 0, 7))], base_offset=5, producer=(9, 1, -1)), 48
    )
    + with_attributes(a_batch([record(6), record(7)], base_offset=6), 8)
    + with_attributes(a_batch([record(8)], base_offset=8), 64)
)


@pytest.mark.parametrize("version", KAFKA_VERSIONS)
@pytest.mark.parametrize("case", ["plain", "odd", "torn", "no entry yet"])
def test_our_words_are_those_of_kafkas_dump_tool(version: str, case: str) -> None:
    """Line by line, batches, records and both indexes; control batches, tombstones, gzip and a torn tail too."""
    plain, zeros = LOG.segments[0], bytes(1200) if case == "no entry yet" else b""
    segment = Segment(
        base_offset=0,
        log_bytes={"odd": ODD, "torn": plain.log_bytes[:-5]}.get(case, plain.log_bytes),
        index_bytes=plain.index_bytes if case == "plain" else zeros,
        time_index_bytes=plain.time_index_bytes if case == "plain" else zeros,
    )
    ours = our_dump(segment)
    assert ours == kafkas_dump(segment, version=version)
    assert ours.batches and ours.records and bool(ours.index) == bool(ours.time_index) == (case == "plain")


def test_a_difference_to_kafkas_words_would_be_seen() -> None:
    """Another byte in a record, and the two dumps differ in that batch and that record only."""
    other = Segment(
        base_offset=0, log_bytes=a_batch([record(0, value=b"+15 min")]), index_bytes=b"", time_index_bytes=b""
    )
    mine = Segment(base_offset=0, log_bytes=a_batch([record(0)]), index_bytes=b"", time_index_bytes=b"")
    ours, theirs = our_dump(mine), kafkas_dump(other, version=KAFKA_VERSIONS[-1])
    assert ours.batches != theirs.batches and ours.records != theirs.records and ours.index == theirs.index


@pytest.fixture(scope="module", params=KAFKA_VERSIONS)
def one_broker(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A broker of each version."""
    with Cluster.start(brokers=1, version=request.param) as running:
        yield running


def dumped_alike(cluster: Cluster, log: PartitionLog) -> bool:
    """Whether both read every segment alike."""
    return all(our_dump(s) == kafkas_dump(s, version=cluster.spec.version) for s in log.segments)


def test_flights_in_several_segments_are_read_as_kafka_reads_them(one_broker: Cluster) -> None:
    """Real records, written by a real broker, over several segments and their indexes."""
    topic = one_broker.create_topic("flights", config={"segment.bytes": 2**20})
    sent = list(flights.stream(speed_up=1_000_000, limit=9_000))
    with one_broker.load(topic, source=sent, config={"batch.size": 16_384}) as load:
        load.wait_until_finished()
    log = read_log(one_broker.broker(1), topic)
    assert len(log.segments) > 1 and all(segment.index and segment.time_index for segment in log.segments[:-1])
    assert sorted(r.value or b"" for r in log.records) == sorted(flight.value for flight in sent)
    assert [r.offset for r in log.records] == list(range(9_000))
    assert dumped_alike(one_broker, log)


def test_seeks_find_what_a_consumer_is_given(one_broker: Cluster) -> None:
    """By offset and by time, the broker and we come to the same record."""
    from kafka import TopicPartition

    topic = one_broker.create_topic("sought")
    with one_broker.load(topic, source=flights.stream(speed_up=100_000, limit=2_000)) as load:
        load.wait_until_finished()
    log = read_log(one_broker.broker(1), topic)
    place = TopicPartition(topic.name, 0)
    consumer = one_broker.consumer(enable_auto_commit=False)
    consumer.assign([place])
    for offset in (0, 1, 777, 1_999):
        consumer.seek(place, offset)
        given = next(iter(consumer))
        assert (given.offset, given.value) == (offset, log.seek(offset).record.value)
    for at in (log.records[0], log.records[1_000], log.records[1_999]):
        found = consumer.offsets_for_times({place: at.timestamp_ms})[place]
        assert (found.offset, found.timestamp) == (
            log.seek_time(at.timestamp_ms).record.offset,
            log.seek_time(at.timestamp_ms).record.timestamp_ms,
        )
    consumer.close()


@pytest.mark.parametrize("codec", [c for c in Compression if c is not Compression.NONE], ids=str)
def test_a_compressed_batch_is_read_or_named(one_broker: Cluster, codec: Compression) -> None:
    """gzip is undone, record by record; of the others, the header is read and the codec named."""
    topic = one_broker.create_topic(f"in-{codec}")
    with one_broker.load(
        topic, source=flights.stream(speed_up=1_000_000, limit=300), config={"compression.type": str(codec)}
    ) as load:
        load.wait_until_finished()
    (segment,) = read_log(one_broker.broker(1), topic).segments
    assert {batch.compression for batch in segment.log.batches} == {codec}
    ours, theirs = our_dump(segment), kafkas_dump(segment, version=one_broker.spec.version)
    assert ours.batches == theirs.batches and len(theirs.records) == 300
    assert ours.records == (theirs.records if codec is Compression.GZIP else ())


def markers(log: PartitionLog) -> list[str]:
    """What the broker wrote into a partition to end transactions."""
    return [r.control for batch in log.batches if batch.is_control for r in batch.records or ()]


def test_the_end_of_a_transaction_takes_an_offset(one_broker: Cluster) -> None:
    """Two records and the marker of their commit: what comes next has offset 3."""
    from confluent_kafka import Producer

    topic = one_broker.create_topic("settled")
    producer = Producer(one_broker.connection.confluent(**{"transactional.id": "desk", "log_level": 0}))
    producer.init_transactions(30)

    def logged() -> PartitionLog:
        return read_log(one_broker.broker(1), topic)

    for number, finish in enumerate((producer.commit_transaction, producer.abort_transaction), 1):
        producer.begin_transaction()
        for flight in islice(flights.stream(), 2):
            producer.produce(topic.name, key=flight.key, value=flight.value)
        producer.flush(30)
        finish(30)
        # The coordinator answers once the end is decided; the partition's leader is told a little later.
        wait_until(lambda n=number: len(markers(logged())) == n, 30, because="the marker in the log")  # type: ignore[misc]
    assert [r.offset for r in logged().records] == [0, 1, 3, 4]
    assert markers(logged()) == ["COMMIT", "ABORT"] and dumped_alike(one_broker, logged())
