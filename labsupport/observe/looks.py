"""One look each at a part of a cluster. A watcher repeats them; what changed since the look before is written down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import PurePath
from typing import Protocol

from labsupport.clients import kafka_python
from labsupport.clients.connection import Connection
from labsupport.clients.groups import GroupPosition
from labsupport.clients.metadata import ClusterMetadata
from labsupport.clients.one_admin import OneAdmin, Quorum
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.observe.changes import Changes
from labsupport.observe.samplers import GroupSampler

_log = logging.getLogger(__name__)


class AsksController(Protocol):
    """A `clients.metadata.ControllerReader` under KRaft, or a test's."""

    def quorum(self) -> Quorum | None: ...

    def eligible(self, topics: Collection[str]) -> Mapping[tuple[str, int], tuple[int, ...]] | None: ...

    def close(self) -> None: ...


class AsksGroups(Protocol):
    """A `clients.groups.GroupReader`, or a test's."""

    def positions(self) -> list[GroupPosition]: ...

    def bounds(self, places: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], tuple[int, int]]: ...

    def close(self) -> None: ...


class HoldsLogs(Protocol):
    """A broker, as far as its log files go."""

    def sizes(self, topic: str, partition: int) -> Mapping[str, int]: ...


class ControllerLook:
    """Who leads the quorum and, with `elr`, which replicas are eligible where fewer are in sync than there are."""

    def __init__(self, reader: AsksController, changes: Changes, *, elr: bool) -> None:
        self._reader, self._changes, self._elr = reader, changes, elr
        self.metadata: ClusterMetadata | None = None  # what was seen last, by somebody else

    def __call__(self) -> None:
        quorum = self._reader.quorum()
        t_s = now_s()
        self._changes.controller(None if quorum is None else quorum.leader, t_s=t_s)
        if quorum is not None:
            self._changes.quorum(quorum, t_s=t_s)
        topics = self._changes.with_eligible() | shrunk(self.metadata) if self._elr else set[str]()
        if topics and (eligible := self._reader.eligible(topics)) is not None:
            self._changes.eligible(eligible, t_s=now_s())

    def close(self) -> None:
        self._reader.close()


class GroupLook:
    """What consumer groups have committed, and how far behind they are."""

    def __init__(self, reader: AsksGroups, changes: Changes, sampler: GroupSampler) -> None:
        self._reader, self._changes, self._sampler = reader, changes, sampler

    def __call__(self) -> None:
        positions = self._reader.positions()
        t_s = now_s()
        self._changes.positions(positions, t_s=t_s)
        self._sampler.tick(positions, t_s)

    def close(self) -> None:
        self._reader.close()


class LogDirLook:
    """Which log folders of each broker can be used."""

    def __init__(self, connection: Connection, changes: Changes, *, timeout_s: float) -> None:
        self._connection, self._changes, self._timeout_s = connection, changes, timeout_s
        self._admins: dict[str, OneAdmin] = {}
        self.metadata: ClusterMetadata | None = None

    def __call__(self) -> None:
        for node_id, server in (self.metadata.brokers if self.metadata is not None else {}).items():
            dirs = self._ask(server)
            if dirs is not None:
                online = [dirs[name] for name in sorted(dirs, key=PurePath)]
                self._changes.log_dirs(f"broker-{node_id}", online, t_s=now_s())

    def close(self) -> None:
        while self._admins:
            self._admins.popitem()[1].close()

    def _ask(self, server: str) -> dict[str, bool] | None:
        kafka_python.load()
        from kafka.errors import KafkaError

        try:
            if server not in self._admins:
                self._admins[server] = OneAdmin(self._connection, server, self._timeout_s)
            return self._admins[server].log_dirs(self._timeout_s)
        except (KafkaError, OSError) as error:
            _log.debug("%s did not tell its log folders: %s", server, printable(error))
            if (admin := self._admins.pop(server, None)) is not None:
                admin.close()
            return None


class LogLook:
    """The segments, start and end of the partitions that somebody wants to see."""

    def __init__(self, reader: AsksGroups, broker: Callable[[int], HoldsLogs], changes: Changes) -> None:
        self._reader, self._broker, self._changes = reader, broker, changes
        self.places: set[tuple[str, int]] = set()
        self.metadata: ClusterMetadata | None = None

    def __call__(self) -> None:
        for (topic, partition), (start, end) in self._reader.bounds(self.places).items():
            leader = self._leader(topic, partition)
            if leader is None:
                continue
            try:
                sizes = self._broker(leader).sizes(topic, partition)
            except (LabError, OSError) as error:
                _log.debug("no sizes of %s-%s: %s", printable(topic), partition, error)
                continue
            segments = [
                (int(PurePath(file).stem), size)
                for file, size in sizes.items()
                if file.endswith(".log") and PurePath(file).stem.isdecimal()
            ]
            self._changes.log(topic, partition, node=leader, segments=segments, start=start, end=end, t_s=now_s())

    def _leader(self, topic: str, partition: int) -> int | None:
        info = self.metadata.topics.get(topic, {}).get(partition) if self.metadata is not None else None
        return None if info is None else info.leader


def shrunk(metadata: ClusterMetadata | None) -> set[str]:
    """The topics of which a partition has fewer replicas in sync than it has; internal ones are left out."""
    topics = metadata.topics if metadata is not None else {}
    return {
        name
        for name, partitions in topics.items()
        if not name.startswith("__") and any(len(info.isr) < len(info.replicas) for info in partitions.values())
    }
