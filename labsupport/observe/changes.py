"""From what was seen again and again to what changed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from labsupport.core.journal import Journal

if TYPE_CHECKING:
    from labsupport.clients.groups import GroupPosition
    from labsupport.clients.metadata import ClusterMetadata, PartitionInfo
    from labsupport.clients.one_admin import Quorum
    from labsupport.cluster.supervised import ProcessEvent

STATES = {
    "started": "starting",
    "ready": "running",
    "exited": "stopped",
    "paused": "paused",
    "resumed": "running",
    "waiting": "waiting",
}
STALE_S = 10.0  # a broker that was frozen answers for some seconds with what it knew before
SIGHTINGS = 4  # of an old state in a row, before it is believed in that time; any broker may be asked
KUBERNETES = "kubernetes"  # what that backend's watcher tells: JSON of object, reason and message
SEGMENTS_LIMIT = 64  # the newest of a partition


class Changes:
    """Writes an event for each change, stamped with the time when it was first seen. Safe to use from several threads.

    While there is no `room` (`Recording.has_room`), what changed is not written; what is then still so is, later.
    """

    def __init__(self, journal: Journal, *, room: Callable[[], bool] = lambda: True) -> None:
        self._journal, self._room = journal, room
        self._lock = threading.Lock()
        self._settled: dict[Hashable, _Settled] = {}
        self._topics: dict[str, dict[str, tuple[int, ...]]] = {}
        self._stale_until_s = float("-inf")

    def process(self, event: ProcessEvent) -> None:
        """A process began, ended, froze: always written. Or what Kubernetes did, while there is room."""
        if event.what == KUBERNETES:
            if self._room():
                self._journal.event(KUBERNETES, t_s=event.t_s, **_news(event.detail))
            return
        with self._lock:
            if event.what == "resumed":
                self._stale_until_s = event.t_s + STALE_S
        self._journal.event(
            "process",
            t_s=event.t_s,
            node=event.node,
            node_id=event.node_id,
            state=STATES.get(event.what, event.what),
            detail=event.detail,
        )

    def metadata(self, seen: ClusterMetadata, *, t_s: float) -> None:
        """What one broker says of topics, leaders and in-sync replicas; internal topics ("__…") are left out."""
        topics = {name: partitions for name, partitions in seen.topics.items() if not name.startswith("__")}
        with self._lock:
            for name, partitions in topics.items():
                self._topic(name, partitions, t_s)
                for number, info in partitions.items():
                    self._partition(name, number, info, t_s)
            for name in self._topics.keys() - topics.keys():
                self._maybe_deleted(name, t_s)

    def controller(self, node_id: int | None, *, t_s: float) -> None:
        """Who is the active controller; None only counts when it is seen twice, since a busy one may not answer."""
        with self._lock:
            change = self._change("controller", node_id, t_s, sightings=2 if node_id is None else 1)
            if change is not None:
                self._journal.event("controller", t_s=change, node=node_id)

    def quorum(self, seen: Quorum, *, t_s: float) -> None:
        """Who leads KRaft's quorum, in which epoch, and who votes; no leader only counts when it is seen twice."""
        with self._lock:
            change = self._change("quorum", seen, t_s, sightings=2 if seen.leader is None else 1)
            if change is not None:
                self._journal.event("quorum", t_s=change, leader=seen.leader, epoch=seen.epoch, voters=seen.voters)

    def eligible(self, seen: Mapping[tuple[str, int], tuple[int, ...]], *, t_s: float) -> None:
        """The eligible leader replicas of partitions; that a partition has none is only said when it had some."""
        with self._lock:
            for (topic, number), elr in seen.items():
                if (change := self._change(("elr", topic, number), elr, t_s, before=())) is not None:
                    self._journal.event("elr", t_s=change, topic=topic, partition=number, elr=elr)

    def with_eligible(self) -> set[str]:
        """The topics of which a partition was last seen with eligible leader replicas."""
        with self._lock:
            return {str(key[1]) for key, seen in self._settled.items() if isinstance(key, tuple) and _is_elr(key, seen)}

    def log_dirs(self, node: str, online: Sequence[bool], *, t_s: float) -> None:
        """Which of a broker's log folders can be used; only what fails, and what comes back, is said."""
        with self._lock:
            for number, is_online in enumerate(online):
                change = self._change(("log dir", node, number), is_online, t_s, before=True)
                if change is not None:
                    state = "online" if is_online else "offline"
                    self._journal.event("log dir", t_s=change, node=node, log_dir=number, state=state)

    def positions(self, seen: Iterable[GroupPosition], *, t_s: float) -> None:
        """What groups have committed."""
        with self._lock:
            for one in seen:
                key, positions = ("positions", one.group, one.topic), tuple(one.positions.items())
                if (change := self._change(key, positions, t_s)) is not None:
                    named = {str(partition): offset for partition, offset in positions}
                    self._journal.event("positions", t_s=change, group=one.group, topic=one.topic, positions=named)

    def log(
        self,
        topic: str,
        partition: int,
        *,
        node: int,
        segments: Sequence[tuple[int, int]],
        start: int,
        end: int,
        t_s: float,
    ) -> None:
        """What the leader `node` has of a partition: segments as (base offset, bytes), first offset, high watermark."""
        newest = tuple(sorted(segments)[-SEGMENTS_LIMIT:])
        with self._lock:
            change = self._change(("log", topic, partition), (node, newest, start, end), t_s)
            if change is not None:
                where = {"topic": topic, "partition": partition, "node": node}
                self._journal.event("log", t_s=change, **where, segments=newest, start=start, end=end)

    def _topic(self, name: str, partitions: dict[int, PartitionInfo], t_s: float) -> None:
        replicas = {str(number): info.replicas for number, info in sorted(partitions.items())}
        self._change(("there", name), True, t_s)
        if partitions and self._topics.get(name) != replicas and self._room():
            self._topics[name] = replicas
            self._journal.event("topic", t_s=t_s, topic=name, partitions=len(replicas), replicas=replicas)

    def _partition(self, name: str, number: int, info: PartitionInfo, t_s: float) -> None:
        key = (name, number)
        was = self._value(("leader", *key))
        if (change := self._change(("leader", *key), info.leader, t_s)) is not None:
            self._journal.event("leader", t_s=change, topic=name, partition=number, node=info.leader, was=was)
        isr = tuple(sorted(info.isr))
        if (change := self._change(("isr", *key), isr, t_s)) is not None:
            self._journal.event("isr", t_s=change, topic=name, partition=number, isr=isr)

    def _maybe_deleted(self, name: str, t_s: float) -> None:
        """A broker that has just started knows no topics yet: only what is missing several times is gone."""
        if (change := self._change(("there", name), False, t_s, sightings=SIGHTINGS)) is not None:
            partitions = range(len(self._topics.pop(name)))
            for key in [(kind, name, number) for kind in ("leader", "isr", "elr", "log") for number in partitions]:
                self._settled.pop(key, None)
            self._journal.event("topic", t_s=change, topic=name, partitions=0, replicas={})

    def _change(
        self, key: Hashable, value: object, t_s: float, *, sightings: int = 1, before: object = None
    ) -> float | None:
        """When `value` was first seen, if that is news, certain enough, and there is room to say so; else None.

        `before` is what is taken to be so without having been seen.
        """
        settled = self._settled.get(key)
        if settled is None and before is None:
            if not self._room():
                return None
            self._settled[key] = _Settled(value)
            return t_s
        if settled is None:
            settled = self._settled[key] = _Settled(before)
        old = t_s < self._stale_until_s and value == settled.previous
        return settled.see(value, t_s, max(sightings, SIGHTINGS if old else 1), self._room)

    def _value(self, key: Hashable) -> object:
        settled = self._settled.get(key)
        return None if settled is None else settled.value


class _Settled:
    """A value, the one before it, and a new one that is not believed yet."""

    def __init__(self, value: object) -> None:
        self.value, self.previous = value, value
        self._new, self._new_s, self._seen = value, 0.0, 0

    def see(self, value: object, t_s: float, sightings: int, room: Callable[[], bool]) -> float | None:
        if value == self.value:
            self._seen = 0
            return None
        if not self._seen or value != self._new:
            self._new, self._new_s, self._seen = value, t_s, 0
        self._seen += 1
        if self._seen < sightings or not room():
            return None
        self.previous, self.value, self._seen = self.value, value, 0
        return self._new_s


def _news(detail: str) -> dict[str, str]:
    """What happened to an object of Kubernetes; its watcher has cut and escaped the words."""
    try:
        found = json.loads(detail)
    except ValueError:
        found = None
    found = found if isinstance(found, dict) else {"reason": detail}
    return {name: str(found.get(name, "")) for name in ("object", "reason", "message")}


def _is_elr(key: tuple[object, ...], seen: _Settled) -> bool:
    return key[0] == "elr" and bool(seen.value)
