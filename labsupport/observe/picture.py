"""What a cluster looks like at a moment of its Recording: a pure fold of entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from labsupport.observe.format import ClusterFacts, Entry

if TYPE_CHECKING:
    from labsupport.observe.recording import Recording


@dataclass(frozen=True)
class Node:
    """A process of the cluster. `state`: "running", "paused", "stopped", "starting" or "waiting"."""

    name: str
    node_id: int
    roles: frozenset[str]
    state: str = "starting"


@dataclass(frozen=True)
class Partition:
    """Who has a partition. `leader` is None while nobody leads."""

    replicas: tuple[int, ...] = ()
    leader: int | None = None
    isr: tuple[int, ...] = ()


@dataclass(frozen=True)
class ClusterPicture:
    """The state to draw. `t_s` is that of the last entry, in seconds since the Recording began.

    `nodes` is keyed by name, since ZooKeeper 1 and broker 1 share an id; `controller` is a node id. `faults` are
    those not healed yet: what, and on which nodes. Compare, keep and hand it around freely: it never changes.
    """

    cluster: ClusterFacts
    nodes: dict[str, Node] = field(default_factory=dict)
    topics: dict[str, dict[int, Partition]] = field(default_factory=dict)
    controller: int | None = None
    records_per_s: dict[str, float] = field(default_factory=dict)
    faults: tuple[tuple[str, tuple[str, ...]], ...] = ()
    t_s: float = 0.0

    @classmethod
    def first(cls, cluster: ClusterFacts) -> ClusterPicture:
        """The picture before anything has happened: every node known, none of them ready."""
        combined = cluster.coordination == "kraft" and not cluster.coordinators
        roles = frozenset({"broker", "controller"} if combined else {"broker"})
        brokers = [Node(f"broker-{node_id}", node_id, roles) for node_id in cluster.brokers]
        others = [_node(name, _id_in(name)) for name in cluster.coordinators]
        return cls(cluster, {node.name: node for node in (*brokers, *others)})

    def after(self, entries: Iterable[Entry]) -> ClusterPicture:
        """The picture once `entries` have happened; entries it knows nothing of change nothing but the time."""
        draft = _Draft(self)
        for entry in entries:
            draft.take(entry)
        return draft.picture()

    def leads(self, node_id: int) -> list[tuple[str, int]]:
        """The topics and partitions that `node_id` leads."""
        return [
            (topic, p) for topic, parts in self.topics.items() for p, part in parts.items() if part.leader == node_id
        ]


def state_of(recording: Recording) -> ClusterPicture:
    """The picture at the Recording's end so far. Raises `LabError` when its file is damaged."""
    entries = recording.entries(kinds={"event", "sample"})
    return ClusterPicture.first(recording.header.cluster).after(entries)


class _Draft:
    """A picture being changed. Each part is copied when first touched, so that a tick costs what it changes."""

    def __init__(self, start: ClusterPicture) -> None:
        self._start = start
        self.nodes, self.topics = dict(start.nodes), {name: dict(parts) for name, parts in start.topics.items()}
        self.rates, self.faults = dict(start.records_per_s), list(start.faults)
        self.controller, self.t_s = start.controller, start.t_s

    def picture(self) -> ClusterPicture:
        return replace(
            self._start,
            nodes=self.nodes,
            topics=self.topics,
            controller=self.controller,
            records_per_s=self.rates,
            faults=tuple(self.faults),
            t_s=self.t_s,
        )

    def take(self, entry: Entry) -> None:
        self.t_s = max(self.t_s, float(entry["t"]))
        if entry["k"] == "sample" and entry.get("name") == "records_per_s" and entry.get("topic") is not None:
            self.rates[entry["topic"]] = float(entry.get("value") or 0.0)
        elif entry["k"] == "event":
            act = _ACTS.get(str(entry.get("what")))
            if act is not None:
                act(self, entry)

    def process(self, entry: Entry) -> None:
        name, state = str(entry.get("node")), str(entry.get("state"))
        if state == "gone":  # the supervisor, and with it every process
            self.nodes = {name: replace(node, state="stopped") for name, node in self.nodes.items()}
            return
        node = self.nodes.get(name) or _node(name, int(entry.get("node_id") or _id_in(name)))
        self.nodes[name] = replace(node, state=state)

    def topic(self, entry: Entry) -> None:
        name, count = str(entry.get("topic")), int(entry.get("partitions") or 0)
        if not count:
            self.topics.pop(name, None)
            self.rates.pop(name, None)
            return
        known = self.topics.get(name, {})
        replicas = entry.get("replicas") or {}
        self.topics[name] = {
            p: replace(known.get(p, Partition()), replicas=tuple(replicas.get(str(p), ()))) for p in range(count)
        }

    def leader(self, entry: Entry) -> None:
        node_id = entry.get("node")
        self._change(entry, leader=None if node_id is None else int(node_id))

    def isr(self, entry: Entry) -> None:
        self._change(entry, isr=tuple(entry.get("isr") or ()))

    def set_controller(self, entry: Entry) -> None:
        node_id = entry.get("node")
        self.controller = None if node_id is None else int(node_id)

    def fault_began(self, entry: Entry) -> None:
        self.faults.append(_fault(entry))

    def fault_healed(self, entry: Entry) -> None:
        if (fault := _fault(entry)) in self.faults:
            self.faults.remove(fault)

    def _change(self, entry: Entry, **changes: object) -> None:
        parts = self.topics.setdefault(str(entry.get("topic")), {})
        number = int(entry.get("partition") or 0)
        parts[number] = replace(parts.get(number, Partition()), **changes)  # type: ignore[arg-type]


_ACTS = {
    "process": _Draft.process,
    "topic": _Draft.topic,
    "leader": _Draft.leader,
    "isr": _Draft.isr,
    "controller": _Draft.set_controller,
    "fault began": _Draft.fault_began,
    "fault healed": _Draft.fault_healed,
}


def _node(name: str, node_id: int) -> Node:
    role = name.partition("-")[0]
    return Node(name, node_id, frozenset({role}))


def _id_in(name: str) -> int:
    number = name.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def _fault(entry: Entry) -> tuple[str, tuple[str, ...]]:
    return str(entry.get("fault")), tuple(str(node) for node in entry.get("nodes") or ())
