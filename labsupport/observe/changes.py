"""From what was seen again and again to what changed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from labsupport.core.journal import Journal

if TYPE_CHECKING:
    from labsupport.clients.metadata import ClusterMetadata, PartitionInfo
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


class Changes:
    """Writes an event for each change, stamped with the time when it was first seen. For one thread at a time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._settled: dict[Hashable, _Settled] = {}
        self._topics: dict[str, dict[str, tuple[int, ...]]] = {}
        self._stale_until_s = float("-inf")

    def process(self, event: ProcessEvent) -> None:
        """A process began, ended, froze."""
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
        for name, partitions in topics.items():
            self._topic(name, partitions, t_s)
            for number, info in partitions.items():
                self._partition(name, number, info, t_s)
        for name in self._topics.keys() - topics.keys():
            self._maybe_deleted(name, t_s)

    def controller(self, node_id: int | None, *, t_s: float) -> None:
        """Who is the active controller; None only counts when it is seen twice, since a busy one may not answer."""
        if (change := self._change("controller", node_id, t_s, sightings=2 if node_id is None else 1)) is not None:
            self._journal.event("controller", t_s=change, node=node_id)

    def _topic(self, name: str, partitions: dict[int, PartitionInfo], t_s: float) -> None:
        replicas = {str(number): info.replicas for number, info in sorted(partitions.items())}
        self._change(("there", name), True, t_s)
        if partitions and self._topics.get(name) != replicas:
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
            for key in [(kind, name, number) for kind in ("leader", "isr") for number in partitions]:
                self._settled.pop(key, None)
            self._journal.event("topic", t_s=change, topic=name, partitions=0, replicas={})

    def _change(self, key: Hashable, value: object, t_s: float, *, sightings: int = 1) -> float | None:
        """When `value` was first seen, if that is news and certain enough; else None."""
        settled = self._settled.get(key)
        if settled is None:
            self._settled[key] = _Settled(value)
            return t_s
        old = t_s < self._stale_until_s and value == settled.previous
        return settled.see(value, t_s, max(sightings, SIGHTINGS if old else 1))

    def _value(self, key: Hashable) -> object:
        settled = self._settled.get(key)
        return None if settled is None else settled.value


class _Settled:
    """A value, the one before it, and a new one that is not believed yet."""

    def __init__(self, value: object) -> None:
        self.value, self.previous = value, value
        self._new, self._new_s, self._seen = value, 0.0, 0

    def see(self, value: object, t_s: float, sightings: int) -> float | None:
        if value == self.value:
            self._seen = 0
            return None
        if not self._seen or value != self._new:
            self._new, self._new_s, self._seen = value, t_s, 0
        self._seen += 1
        if self._seen < sightings:
            return None
        self.previous, self.value, self._seen = self.value, value, 0
        return self._new_s
