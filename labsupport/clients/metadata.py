"""What the brokers say of themselves: who they are, who leads, who is in sync, who is the controller."""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from labsupport.clients import kafka_python, one_broker
from labsupport.clients.connection import Connection
from labsupport.clients.one_admin import OneAdmin, Quorum
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.core.escape import printable

logger = logging.getLogger(__name__)

T = TypeVar("T")
Coordination = Literal["kraft", "zookeeper"]


class NoAnswer(LabError):
    """No broker answered in time."""


def unless_silent(ask: Callable[[], T]) -> T | None:
    """What `ask` returns, or None when nobody answers: while brokers die, that is no reason to stop waiting."""
    try:
        return ask()
    except NoAnswer:
        return None


@dataclass(frozen=True)
class PartitionInfo:
    """Node ids. `replicas` in the order of assignment: the first is the preferred leader."""

    leader: int | None
    replicas: tuple[int, ...]
    isr: tuple[int, ...]


@dataclass(frozen=True)
class ClusterMetadata:
    """One broker's answer; another may know more or less for a moment.

    `brokers` maps node ids to "host:port". `controller_id` is the active controller under ZooKeeper; under KRaft it is
    a broker chosen at random (KIP-590) and `active_controller` says the truth. `topics` holds all of them, internal
    ones too; topic names come from a broker, so escape them before you show them.
    """

    cluster_id: str
    brokers: dict[int, str]
    controller_id: int | None
    topics: dict[str, dict[int, PartitionInfo]] = field(default_factory=dict)


class MetadataReader:
    """Reads metadata again and again through one librdkafka client. Safe to use from several threads.

    With a single server in the connection the answers are that broker's own; with more, those of any that answers.
    """

    def __init__(self, connection: Connection, *, timeout_s: float = 1.0) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._client: Any = None
        servers = connection.bootstrap_servers.split(",")
        self._only = servers[0] if len(servers) == 1 else None
        self._plain = connection.security.get("security.protocol", "PLAINTEXT") == "PLAINTEXT"

    def read(self, topic: str | None = None) -> ClusterMetadata:
        """Return within `timeout_s` seconds what a broker answers, or raise `NoAnswer`.

        With `topic`, only that topic is returned (none if it does not exist); nothing is ever created by asking.
        A broker that does not answer is avoided by the reads that follow.
        """
        if self._only is not None and self._plain:
            return self._read_from_one(self._only, topic)
        return self._read_from_any(topic)

    def _read_from_one(self, server: str, topic: str | None) -> ClusterMetadata:
        try:
            answer = one_broker.ask(server, self._timeout_s)
        except (OSError, ValueError) as error:
            raise self._no_answer() from error
        partitions = {name: dict(sorted(found.items())) for name, found in sorted(answer.topics.items())}
        return ClusterMetadata(
            cluster_id=answer.cluster_id,
            brokers=dict(sorted(answer.brokers.items())),
            controller_id=_none_below_0(answer.controller_id),
            topics={
                name: {
                    number: PartitionInfo(_none_below_0(leader), tuple(replicas), tuple(isr))
                    for number, (leader, replicas, isr) in found.items()
                }
                for name, found in partitions.items()
                if topic is None or name == topic
            },
        )

    def _read_from_any(self, topic: str | None) -> ClusterMetadata:
        from confluent_kafka import KafkaException

        problem: Exception | None = None
        deadline = now_s() + self._timeout_s
        try_s = self._timeout_s / 2  # the first try ends early enough for another broker to be asked
        while (left_s := deadline - now_s()) > 0.01:
            client = self._connect() if self._client is None else self._client  # not `or`: its len() is 0
            try:
                answer = client.list_topics(timeout=max(0.05, min(try_s, left_s)))
            except KafkaException as error:
                problem, self._client, try_s = error, None, self._timeout_s
                continue
            if self._only is not None and not answer.orig_broker_name.startswith(f"{self._only}/"):
                self._client = None  # librdkafka has moved on to another broker
                continue
            self._client = client
            return _understood(answer, topic)
        raise self._no_answer() from problem

    def _no_answer(self) -> NoAnswer:
        return NoAnswer(
            f"No broker of {printable(self._connection.bootstrap_servers)} answered within {self._timeout_s:g} s.",
            fix="Is the cluster running? `kafka-lab status` says.",
        )

    def close(self) -> None:
        """Let the client go; reading again makes a new one."""
        self._client = None

    def _connect(self) -> Any:
        from confluent_kafka.admin import AdminClient

        servers = self._connection.bootstrap_servers.split(",")
        random.shuffle(servers)
        # The request must give up before the read does, else a silent broker stays the favourite of the next read.
        give_up_ms = max(100, int(self._timeout_s * 1000 / 2))
        quiet: dict[str, Any] = {
            "bootstrap.servers": ",".join(servers),
            "log_level": 0,
            "allow.auto.create.topics": "false",
            "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 200,
            "socket.timeout.ms": give_up_ms,
            "socket.connection.setup.timeout.ms": 1000,
            "enable.metrics.push": "false",
        }
        return AdminClient(self._connection.confluent(**quiet), logger=SILENT)


class ControllerReader:
    """Asks again and again for the active controller, the quorum and the ELR, one broker at a time. From one thread."""

    def __init__(self, connection: Connection, *, coordination: Coordination, timeout_s: float = 2.0) -> None:
        self._timeout_s = timeout_s
        self._metadata = MetadataReader(connection, timeout_s=timeout_s) if coordination == "zookeeper" else None
        self._connection = connection
        self._servers = deque(connection.bootstrap_servers.split(","))
        self._admin: OneAdmin | None = None

    def read(self) -> int | None:
        """The node id of the active controller, or None when nobody said so within `timeout_s` seconds."""
        if self._metadata is not None:
            try:
                return self._metadata.read().controller_id
            except NoAnswer:
                return None
        quorum = self.quorum()
        return None if quorum is None else quorum.leader

    def quorum(self) -> Quorum | None:
        """KRaft's quorum, as soon as it has a leader; after `timeout_s` as it is, or None when nobody answered."""
        return self._ask(OneAdmin.quorum, enough=lambda quorum: quorum.leader is not None)

    def eligible(self, topics: Collection[str]) -> dict[tuple[str, int], tuple[int, ...]] | None:
        """The eligible leader replicas of each partition of `topics` (KIP-966); None when nobody told in time."""
        return self._ask(lambda admin, timeout_s: admin.eligible(topics, timeout_s), enough=lambda _: True)

    def close(self) -> None:
        """Let the clients go; reading again makes new ones."""
        if self._metadata is not None:
            self._metadata.close()
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def _ask(self, question: Callable[[OneAdmin, float], T], *, enough: Callable[[T], bool]) -> T | None:
        """Ask one broker after the other, within `timeout_s` in all, until an answer is `enough`; else the last one."""
        deadline = now_s() + self._timeout_s
        last: T | None = None
        while (left_s := deadline - now_s()) > 0.02:
            answer = self._ask_one(question, min(left_s, self._timeout_s / 4))
            if answer is not None:
                last = answer
                if enough(answer):
                    break
                time.sleep(0.05)
        return last

    def _ask_one(self, question: Callable[[OneAdmin, float], T], timeout_s: float) -> T | None:
        kafka_python.load()
        from kafka.errors import KafkaError

        give_up_s = now_s() + timeout_s
        try:
            if self._admin is None:
                self._admin = OneAdmin(self._connection, self._servers[0], timeout_s)
            return question(self._admin, max(0.05, give_up_s - now_s()))
        except (KafkaError, OSError) as error:
            logger.debug("%s did not answer: %s", self._servers[0], printable(error))
            self.close()
            self._servers.rotate(-1)
            time.sleep(max(0.0, min(0.05, give_up_s - now_s())))  # a refused connection takes no time at all
            return None


def active_controller(
    connection: Connection, *, coordination: Coordination = "kraft", timeout_s: float = 2.0
) -> int | None:
    """The node id of the active controller, or None when nobody answers within `timeout_s` seconds.

    KRaft: the leader of the metadata quorum (DescribeQuorum, KIP-595); with separate controllers it is not a broker.
    ZooKeeper: what the brokers' metadata says.
    """
    reader = ControllerReader(connection, coordination=coordination, timeout_s=timeout_s)
    try:
        return reader.read()
    finally:
        reader.close()


def _none_below_0(node_id: int) -> int | None:
    return node_id if node_id >= 0 else None


def _understood(answer: Any, topic: str | None) -> ClusterMetadata:
    return ClusterMetadata(
        cluster_id=str(answer.cluster_id or ""),
        brokers={node_id: f"{node.host}:{node.port}" for node_id, node in sorted(answer.brokers.items())},
        controller_id=_none_below_0(answer.controller_id),
        topics={
            name: {
                number: PartitionInfo(
                    leader=_none_below_0(partition.leader),
                    replicas=tuple(partition.replicas),
                    isr=tuple(partition.isrs),
                )
                for number, partition in sorted(found.partitions.items())
            }
            for name, found in sorted(answer.topics.items())
            if topic is None or name == topic
        },
    )


SILENT = logging.getLogger(f"{__name__}.librdkafka")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False
