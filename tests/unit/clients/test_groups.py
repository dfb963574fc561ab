"""Where groups stand: nobody's silence is an error, and what was not told is left out."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from labsupport.clients import Connection
from labsupport.clients.groups import GROUPS_LIMIT, CommittedReader, GroupPosition, GroupReader
from labsupport.core.clock import now_s
from tests.unit.clients.fake_broker import FakeCluster
from tests.unit.clients.mock_cluster import MockCluster

NOT_COORDINATOR = 16

Place = tuple[str, int]


def done(value: object) -> Future[Any]:
    future: Future[Any] = Future()
    if isinstance(value, Exception):
        future.set_exception(value)
    else:
        future.set_result(value)
    return future


class FakeAdmin:
    """Answers as confluent-kafka's `AdminClient` and our `CommittedReader` do. `committed`: by group, then by place."""

    def __init__(self, committed: Mapping[str, Any], ends: Mapping[Place, Any]) -> None:
        self._committed, self._ends, self.described = committed, ends, list[str]()

    def list_consumer_groups(self, **_: Any) -> Future[Any]:
        return done(SimpleNamespace(valid=[SimpleNamespace(group_id=group) for group in self._committed]))

    def of(self, group: str) -> dict[Place, int]:
        """As a `CommittedReader`: a group that nobody told of has committed nothing."""
        self.described.append(group)
        return dict(self._committed[group])

    def list_offsets(self, wanted: Mapping[Any, Any], **_: Any) -> dict[Any, Future[Any]]:
        return {place: done(self._end(place)) for place in wanted}

    def _end(self, place: Any) -> object:
        end = self._ends.get((place.topic, place.partition), _error())
        return end if isinstance(end, Exception) else SimpleNamespace(offset=end)


def _error() -> Exception:
    from confluent_kafka import KafkaError, KafkaException

    return KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))


def reader_of(committed: Mapping[str, Any], ends: Mapping[Place, Any]) -> tuple[GroupReader, FakeAdmin]:
    reader = GroupReader(Connection(bootstrap_servers="127.0.0.1:1"))
    reader._client = reader._committed = admin = FakeAdmin(committed, ends)  # type: ignore[assignment]
    return reader, admin


def test_a_groups_lag_is_what_lies_between_its_offsets_and_the_ends() -> None:
    """Topic by topic; a partition of which nothing was committed does not count, nor an end that went back."""
    committed = {"board": {("flights", 1): 5, ("flights", 0): 7, ("gates", 0): 3, ("flights", 2): 4}}
    reader, _ = reader_of(committed, {("flights", 0): 10, ("flights", 1): 5, ("flights", 2): 4, ("gates", 0): 2})
    assert reader.positions() == [
        GroupPosition("board", "flights", {0: 7, 1: 5, 2: 4}, 3),
        GroupPosition("board", "gates", {0: 3}, 0),
    ]


@pytest.mark.parametrize("end", [None, -1001])
def test_a_lag_whose_end_nobody_tells_is_unknown_and_not_too_small(end: int | None) -> None:
    """A partition without a leader has no end; the others' lag alone would look like progress. Of a silent leader
    librdkafka tells -1001: taken for an end, it would mean that nobody is behind."""
    ends = {("flights", 0): 10} | ({} if end is None else {("flights", 1): end})
    reader, _ = reader_of({"board": {("flights", 0): 7, ("flights", 1): 5}}, ends)
    assert reader.positions() == [GroupPosition("board", "flights", {0: 7, 1: 5}, None)]


def test_a_group_whose_coordinator_is_silent_is_left_out() -> None:
    """And the others are there."""
    reader, _ = reader_of({"a": {}, "b": {("flights", 0): 1}}, {("flights", 0): 1})
    assert [found.group for found in reader.positions()] == ["b"]


def test_of_many_groups_the_first_ten_by_name_are_asked() -> None:
    """Each costs a request a second."""
    reader, admin = reader_of({f"g{n:02d}": {} for n in reversed(range(30))}, {})
    assert reader.positions() == []
    assert admin.described == [f"g{n:02d}" for n in range(GROUPS_LIMIT)]


@pytest.fixture
def committed(fake_cluster: FakeCluster) -> Iterator[CommittedReader]:
    reader = CommittedReader(Connection(bootstrap_servers=fake_cluster.start(2)), timeout_s=5)
    yield reader
    reader.close()


def test_what_was_committed_is_told_by_the_coordinator(fake_cluster: FakeCluster, committed: CommittedReader) -> None:
    """A partition of which nothing was committed (-1) does not count, and a group that is not there has nothing."""
    fake_cluster.committed = {"board": {("flights", 0): 7, ("flights", 1): -1, ("gates", 0): 3}}
    assert committed.of("board") == {("flights", 0): 7, ("gates", 0): 3}
    assert committed.of("nobody") == {}


def test_a_coordinator_that_moved_is_no_error_and_is_asked_again(
    fake_cluster: FakeCluster, committed: CommittedReader
) -> None:
    """NOT_COORDINATOR, as it says while a broker starts."""
    fake_cluster.committed = {"board": {("flights", 0): 7}}
    fake_cluster.offsets_error = NOT_COORDINATOR
    assert committed.of("board") == {}
    fake_cluster.offsets_error = 0
    assert committed.of("board") == {("flights", 0): 7}


def test_silence_is_no_error_and_ends_in_time(fake_cluster: FakeCluster) -> None:
    """All brokers frozen, before and after a client was made; when they wake, they are asked again."""
    fake_cluster.committed = {"board": {("flights", 0): 7}}
    reader = CommittedReader(Connection(bootstrap_servers=fake_cluster.start(2)), timeout_s=0.5)
    for silent in (True, False, True, False):
        for broker in fake_cluster.brokers:
            broker.silent = silent
        began_s = now_s()
        assert reader.of("board") == ({} if silent else {("flights", 0): 7})
        assert now_s() - began_s < 10
    reader.close()


def test_librdkafka_ends_the_process_over_it(fake_cluster: FakeCluster) -> None:
    """Why it is not asked. When this fails its issue 5040 is mended, and `CommittedReader` may go."""
    fake_cluster.offsets_error = NOT_COORDINATOR
    code = f"""
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient
admin = AdminClient({{"bootstrap.servers": {fake_cluster.start(1)!r}, "log_level": 0}})
admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("board")], request_timeout=5)["board"].result(10)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert ended.returncode == -signal.SIGSEGV, ended.stderr


def test_a_hostile_name_is_escaped_in_the_log(
    fake_cluster: FakeCluster, committed: CommittedReader, caplog: pytest.LogCaptureFixture
) -> None:
    """Groups are named by whoever joins."""
    fake_cluster.offsets_error = NOT_COORDINATOR
    with caplog.at_level(logging.DEBUG, logger="labsupport.clients.groups"):
        committed.of("g\x1b[31m\n")
    assert "\\x1b" in caplog.text and "\x1b" not in caplog.text


def test_bounds_are_read_from_the_leaders_and_what_does_not_exist_has_none(mock_cluster: MockCluster) -> None:
    """The first offset and the high watermark, from librdkafka's own mock of a cluster."""
    from confluent_kafka import Producer

    producer = Producer(mock_cluster.connection.confluent())
    for _ in range(5):
        producer.produce("t", b"x", partition=0)
    assert producer.flush(20) == 0
    reader = GroupReader(mock_cluster.connection, timeout_s=5)
    wanted: list[Place] = [("t", 0), ("t", 1), ("nowhere", 0)]
    assert reader.bounds(wanted) == {("t", 0): (0, 5), ("t", 1): (0, 0)}
    reader.close()
    assert reader.bounds(wanted[:1]) == {("t", 0): (0, 5)}  # a new client
    assert reader.bounds([]) == {}


def test_silence_ends_in_time_and_leaves_nothing(mock_cluster: MockCluster) -> None:
    """A frozen cluster holds the reader for about as long as it was allowed, and is no error."""
    reader = GroupReader(mock_cluster.connection, timeout_s=0.5)
    reader.bounds([("t", 0)])
    mock_cluster.pause()
    began_s = now_s()
    assert reader.bounds([("t", 0)]) == {} and reader.positions() == []
    assert now_s() - began_s < 10
    mock_cluster.resume()
