"""Where groups stand: nobody's silence is an error, and what was not told is left out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from labsupport.clients import Connection
from labsupport.clients.groups import GROUPS_LIMIT, GroupPosition, GroupReader
from labsupport.core.clock import now_s
from tests.unit.clients.mock_cluster import MockCluster

Place = tuple[str, int]


def done(value: object) -> Future[Any]:
    future: Future[Any] = Future()
    if isinstance(value, Exception):
        future.set_exception(value)
    else:
        future.set_result(value)
    return future


class FakeAdmin:
    """Answers as confluent-kafka's `AdminClient` does. `committed`: by group, offsets by place, or an error."""

    def __init__(self, committed: Mapping[str, Any], ends: Mapping[Place, Any]) -> None:
        self._committed, self._ends, self.described = committed, ends, list[str]()

    def list_consumer_groups(self, **_: Any) -> Future[Any]:
        return done(SimpleNamespace(valid=[SimpleNamespace(group_id=group) for group in self._committed]))

    def list_consumer_group_offsets(self, asked: list[Any], **_: Any) -> dict[str, Future[Any]]:
        (group,) = (one.group_id for one in asked)
        self.described.append(group)
        offsets = self._committed[group]
        if isinstance(offsets, Exception):
            return {group: done(offsets)}
        found = [
            SimpleNamespace(topic=topic, partition=partition, offset=offset, error=None)
            for (topic, partition), offset in offsets.items()
        ]
        return {group: done(SimpleNamespace(topic_partitions=found))}

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
    reader._client = admin = FakeAdmin(committed, ends)
    return reader, admin


def test_a_groups_lag_is_what_lies_between_its_offsets_and_the_ends() -> None:
    """Topic by topic; a partition of which nothing was committed does not count, nor an end that went back."""
    committed = {"board": {("flights", 1): 5, ("flights", 0): 7, ("gates", 0): 3, ("flights", 2): -1001}}
    reader, _ = reader_of(committed, {("flights", 0): 10, ("flights", 1): 5, ("gates", 0): 2})
    assert reader.positions() == [
        GroupPosition("board", "flights", {0: 7, 1: 5}, 3),
        GroupPosition("board", "gates", {0: 3}, 0),
    ]


@pytest.mark.parametrize("end", [None, -1001])
def test_a_lag_whose_end_nobody_tells_is_unknown_and_not_too_small(end: int | None) -> None:
    """A partition without a leader has no end; the others' lag alone would look like progress. Of a silent leader
    librdkafka tells -1001: taken for an end, it would mean that nobody is behind."""
    ends = {("flights", 0): 10} | ({} if end is None else {("flights", 1): end})
    reader, _ = reader_of({"board": {("flights", 0): 7, ("flights", 1): 5}}, ends)
    assert reader.positions() == [GroupPosition("board", "flights", {0: 7, 1: 5}, None)]


@pytest.mark.parametrize("error", [TimeoutError(), _error()])
def test_a_group_whose_coordinator_is_silent_is_left_out(error: Exception) -> None:
    """And the others are there."""
    reader, _ = reader_of({"a": error, "b": {("flights", 0): 1}}, {("flights", 0): 1})
    assert [found.group for found in reader.positions()] == ["b"]


def test_of_many_groups_the_first_ten_by_name_are_asked() -> None:
    """Each costs a request a second."""
    reader, admin = reader_of({f"g{n:02d}": {} for n in reversed(range(30))}, {})
    assert reader.positions() == []
    assert admin.described == [f"g{n:02d}" for n in range(GROUPS_LIMIT)]


def test_a_hostile_name_is_escaped_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Groups are named by whoever joins."""
    reader, _ = reader_of({"g\x1b[31m\n": TimeoutError()}, {})
    with caplog.at_level(logging.DEBUG, logger="labsupport.clients.groups"):
        reader.positions()
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
