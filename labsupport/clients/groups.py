"""Where consumer groups stand, and where partitions begin and end."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labsupport.clients.connection import Connection
from labsupport.clients.metadata import SILENT
from labsupport.core.escape import printable

GROUPS_LIMIT = 10

logger = logging.getLogger(__name__)

Place = tuple[str, int]  # topic and partition


@dataclass(frozen=True)
class GroupPosition:
    """What a group has committed of a topic: by partition, the offset of the next record. `lag` is in records.

    `lag` counts up to the high watermarks, and only partitions of which something was committed; None when an end was
    not told.
    """

    group: str
    topic: str
    positions: Mapping[int, int]
    lag: int | None


class GroupReader:
    """Asks again and again through one librdkafka client, for at most `timeout_s` seconds a question.

    Nobody's silence is an error: what was not told is left out. Use it from one thread.
    """

    def __init__(self, connection: Connection, *, timeout_s: float = 1.0) -> None:
        self._connection, self._timeout_s = connection, timeout_s
        self._client: Any = None

    def positions(self) -> list[GroupPosition]:
        """The first ten groups by name, and what each has committed, topic by topic."""
        committed = {group: self._committed(group) for group in sorted(self._groups())[:GROUPS_LIMIT]}
        ends = self._offsets({place for places in committed.values() for place in places}, latest=True)
        return [
            GroupPosition(group, topic, positions, _lag(topic, positions, ends))
            for group, places in committed.items()
            for topic, positions in _by_topic(places).items()
        ]

    def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """The first offset and the high watermark of each place, of those whose leader says so."""
        places = set(places)
        starts, ends = self._offsets(places, latest=False), self._offsets(places, latest=True)
        return {place: (starts[place], ends[place]) for place in places if place in starts and place in ends}

    def close(self) -> None:
        """Let the client go; asking again makes a new one."""
        self._client = None

    def _groups(self) -> list[str]:
        from confluent_kafka import KafkaException

        try:
            listed = self._admin().list_consumer_groups(request_timeout=self._timeout_s).result(self._timeout_s * 2)
        except (KafkaException, TimeoutError) as error:
            logger.debug("groups not listed: %s", printable(error))
            return []
        return [listing.group_id for listing in listed.valid]

    def _committed(self, group: str) -> dict[Place, int]:
        from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException

        try:
            asked = self._admin().list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group)], request_timeout=self._timeout_s
            )
            answer = asked[group].result(self._timeout_s * 2)
        except (KafkaException, TimeoutError) as error:
            logger.debug("%s not described: %s", printable(group), printable(error))
            return {}
        return {
            (found.topic, found.partition): found.offset
            for found in answer.topic_partitions
            if found.error is None and found.offset >= 0
        }

    def _offsets(self, places: Iterable[Place], *, latest: bool) -> dict[Place, int]:
        from confluent_kafka import KafkaException, TopicPartition, admin

        specs: Any = admin
        spec = specs.OffsetSpec.latest() if latest else specs.OffsetSpec.earliest()
        wanted = {TopicPartition(*place): spec for place in places}
        found: dict[Place, int] = {}
        if not wanted:
            return found
        for place, asked in self._admin().list_offsets(wanted, request_timeout=self._timeout_s).items():
            try:
                offset = int(asked.result(self._timeout_s * 2).offset)
            except (KafkaException, TimeoutError) as error:
                logger.debug("no offset of %s: %s", printable(place), printable(error))
                continue
            if offset >= 0:  # librdkafka says -1001 of a leader that did not answer, and calls it no error
                found[place.topic, place.partition] = offset
        return found

    def _admin(self) -> Any:
        from confluent_kafka.admin import AdminClient

        if self._client is None:
            quiet: dict[str, Any] = {
                "log_level": 0,
                "allow.auto.create.topics": "false",
                "reconnect.backoff.max.ms": 1000,
                "socket.timeout.ms": max(100, int(self._timeout_s * 1000)),
                "enable.metrics.push": "false",
            }
            self._client = AdminClient(self._connection.confluent(**quiet), logger=SILENT)
        return self._client


def _by_topic(places: Mapping[Place, int]) -> dict[str, dict[int, int]]:
    topics: dict[str, dict[int, int]] = defaultdict(dict)
    for (topic, partition), offset in sorted(places.items()):
        topics[topic][partition] = offset
    return dict(topics)


def _lag(topic: str, positions: Mapping[int, int], ends: Mapping[Place, int]) -> int | None:
    if any((topic, partition) not in ends for partition in positions):
        return None
    return sum(max(0, ends[topic, partition] - offset) for partition, offset in positions.items())
