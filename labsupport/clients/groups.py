"""Where consumer groups stand, and where partitions begin and end."""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labsupport.clients import kafka_python
from labsupport.clients.connection import Connection
from labsupport.clients.metadata import SILENT
from labsupport.clients.one_admin import bounded_admin
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


class CommittedReader:
    """What groups have committed, through kafka-python.

    Not through librdkafka, which ends the whole process (SIGSEGV) when it is told that a coordinator has moved while an
    admin client asks for a group's offsets (its issue 5040, seen with 2.16.0): and coordinators move when brokers die.
    """

    def __init__(self, connection: Connection, *, timeout_s: float) -> None:
        self._connection, self._timeout_s = connection, timeout_s
        self._client: Any = None

    def of(self, group: str) -> dict[Place, int]:
        """By place, the offset of the next record; empty when nobody says."""
        kafka_python.load()
        from kafka.errors import KafkaError

        try:
            found = self._admin().list_group_offsets({group: None}).get(group, {})
        except (KafkaError, OSError, TimeoutError) as error:
            logger.debug("%s not described: %s", printable(group), printable(error))
            self.close()  # the next client may find another broker
            return {}
        return {(place.topic, place.partition): told.offset for place, told in found.items() if told.offset >= 0}

    def close(self) -> None:
        """Let the client go; asking again makes a new one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _admin(self) -> Any:
        if self._client is None:
            servers = self._connection.bootstrap_servers.split(",")
            random.shuffle(servers)
            self._client = bounded_admin(self._connection, servers, self._timeout_s)
        return self._client


class GroupReader:
    """Asks again and again through the same clients, for at most `timeout_s` seconds a question.

    Nobody's silence is an error: what was not told is left out. Use it from one thread.
    """

    def __init__(self, connection: Connection, *, timeout_s: float = 1.0) -> None:
        self._connection, self._timeout_s = connection, timeout_s
        self._client: Any = None
        self._committed = CommittedReader(connection, timeout_s=timeout_s)

    def positions(self) -> list[GroupPosition]:
        """The first ten groups by name, and what each has committed, topic by topic."""
        committed = {group: self._committed.of(group) for group in sorted(self._groups())[:GROUPS_LIMIT]}
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
        """Let the clients go; asking again makes new ones."""
        self._client = None
        self._committed.close()

    def _groups(self) -> list[str]:
        from confluent_kafka import KafkaException

        try:
            listed = self._admin().list_consumer_groups(request_timeout=self._timeout_s).result(self._timeout_s * 2)
        except (KafkaException, TimeoutError) as error:
            logger.debug("groups not listed: %s", printable(error))
            return []
        return [listing.group_id for listing in listed.valid]

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
