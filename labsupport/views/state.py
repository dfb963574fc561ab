"""What the map draws, as plain values: folded from a Recording, drawn by `map_svg` and by `static/cluster_map.js`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from labsupport.core.escape import printable

if TYPE_CHECKING:
    from labsupport.observe.picture import ClusterPicture

NodeState = Literal["running", "paused", "stopped", "starting", "waiting"]
NodeKind = Literal["broker", "controller", "zookeeper"]

STATE_WORDS: dict[str, str] = {
    "running": "running",
    "paused": "paused",
    "stopped": "stopped",
    "starting": "starting",
    "waiting": "waiting for its old session to expire",
}
STATE_LETTERS: dict[str, str] = {"running": "r", "paused": "p", "stopped": "s", "starting": "g", "waiting": "w"}
ROWS = 12  # partitions that are drawn; the rest are counted
NAME_LIMIT = 60


@dataclass(frozen=True, kw_only=True)
class NodeView:
    """One process of the cluster. `votes`: it is a member of the quorum that keeps the cluster's metadata."""

    node_id: int
    name: str
    kind: NodeKind
    state: NodeState = "running"
    votes: bool = False


@dataclass(frozen=True, kw_only=True)
class PartitionView:
    """A partition, who holds it, who leads it (None: nobody) and who is in sync."""

    topic: str
    partition: int
    leader: int | None
    replicas: tuple[int, ...]
    isr: tuple[int, ...]

    @property
    def label(self) -> str:
        return f"{self.topic}-{self.partition}"

    def role(self, node_id: int) -> str:
        """What `node_id` is to this partition: "leader", "in sync", "not in sync", or "" (it has no replica)."""
        if node_id == self.leader:
            return "leader"
        if node_id in self.isr:
            return "in sync"
        return "not in sync" if node_id in self.replicas else ""


@dataclass(frozen=True, kw_only=True)
class MapState:
    """A cluster at one moment, as far as it was written down."""

    name: str = ""
    coordination: str = ""
    version: str = ""
    nodes: tuple[NodeView, ...] = ()
    topics: frozenset[str] = frozenset()
    partitions: tuple[PartitionView, ...] = ()
    hidden: int = 0
    controller: int | None = None
    records_per_s: float | None = None

    @property
    def brokers(self) -> tuple[NodeView, ...]:
        return tuple(node for node in self.nodes if node.kind == "broker")

    @property
    def coordinators(self) -> tuple[NodeView, ...]:
        return tuple(node for node in self.nodes if node.kind != "broker")

    def broker_name(self, node_id: int | None) -> str:
        """The name of the node that leads or controls; "nobody" for None."""
        if node_id is None:
            return "nobody"
        wanted = (node.name for node in (*self.brokers, *self.coordinators) if node.node_id == node_id)
        return printable(next(wanted, f"broker-{node_id}"), limit=NAME_LIMIT)

    def summary(self) -> str:
        """One sentence with nothing in it that differs between machines: no port, pid, date or rate."""
        counts = _count(node.state for node in self.brokers)
        many = "1 broker" if len(self.brokers) == 1 else f"{len(self.brokers)} brokers"
        how = f" ({self.coordination})" if self.coordination else ""
        return f"cluster of {many}{how}: {counts}" if counts else f"cluster of {many}{how}"

    def text(self) -> str:
        """The summary and a line a partition: what may be compared. KRaft chooses its controller freely: left out."""
        lines = [
            f"  {printable(p.label, limit=NAME_LIMIT)}: led by {self.broker_name(p.leader)}, in sync {ids(p.isr)}"
            for p in self.partitions
        ]
        others = [f"  {printable(node.name, limit=NAME_LIMIT)}: {node.state}" for node in self.coordinators]
        more = [f"  and {self.hidden} more partitions"] if self.hidden else []
        return "\n".join([self.summary(), *others, *lines, *more])

    def plan(self) -> dict[str, Any]:
        """What seldom changes: sent when a node, a topic or a replica comes or goes."""
        return {
            "title": title(self),
            "nodes": [
                {"i": n.node_id, "n": printable(n.name, limit=NAME_LIMIT), "k": n.kind, "v": n.votes}
                for n in self.nodes
            ],
            "parts": [
                {"t": printable(p.topic, limit=NAME_LIMIT), "p": p.partition, "r": list(p.replicas)}
                for p in self.partitions
            ],
            "hidden": self.hidden,
        }

    def now(self) -> dict[str, Any]:
        """What moves, in the order of `plan`: a tick. `s`: a letter a node. `p`: leader and ISR of each partition."""
        return {
            "s": "".join(STATE_LETTERS[n.state] for n in self.nodes),
            "c": self.controller,
            "p": [[p.leader, list(p.isr)] for p in self.partitions],
            "r": None if self.records_per_s is None else round(self.records_per_s),
        }


def title(state: MapState) -> str:
    """The heading of a map: name, and what runs."""
    what = {"kraft": "KRaft", "zookeeper": "ZooKeeper"}.get(state.coordination, state.coordination)
    kafka = f"Kafka {state.version}" if state.version else "Kafka"
    parts = [printable(state.name, limit=NAME_LIMIT), kafka + (f" with {what}" if what else "")]
    return printable(" · ".join(part for part in parts if part))


def ids(nodes: Iterable[int]) -> str:
    """Node ids in order, or "nobody"."""
    return ", ".join(str(node_id) for node_id in sorted(nodes)) or "nobody"


def _count(states: Iterable[str]) -> str:
    seen = list(states)
    return ", ".join(f"{seen.count(word)} {word}" for word in STATE_WORDS if word in seen)


def note(before: MapState, after: MapState) -> str:
    """What happened between two states, in one sentence for the line under the map and for screen readers; or ""."""
    was = {node.name: node.state for node in before.nodes}
    changes = [
        f"{node.name} is {STATE_WORDS[node.state]}"
        for node in after.nodes
        if was.get(node.name) not in {None, node.state}
    ]
    if after.controller != before.controller and before.controller is not None and after.controller is not None:
        changes.append(f"{after.broker_name(after.controller)} is now the controller")
    led = {p.label: p for p in before.partitions}
    for part in after.partitions:
        old = led.get(part.label)
        if old is None:
            continue
        if old.leader != part.leader:
            who = "nobody leads" if part.leader is None else f"{after.broker_name(part.leader)} now leads"
            changes.append(f"{who} {part.label}")
        elif set(old.isr) != set(part.isr):
            changes.append(f"in sync for {part.label}: {ids(part.isr)}")
    shown = "; ".join(printable(change, limit=120) for change in changes[:3])
    more = f"; and {len(changes) - 3} more changes" if len(changes) > 3 else ""
    return f"{shown}{more}." if shown else ""


def kind_of(roles: Iterable[str]) -> NodeKind:
    """A combined KRaft node is a broker that votes."""
    if "broker" in roles:
        return "broker"
    return "zookeeper" if "zookeeper" in roles else "controller"


def of(picture: ClusterPicture) -> MapState:
    """What of `picture` the map draws. Its records a second are the sum over topics."""
    nodes = [
        NodeView(
            node_id=node.node_id,
            name=node.name,
            kind=kind_of(node.roles),
            state=cast(NodeState, node.state if node.state in STATE_WORDS else "stopped"),
            votes=bool({"controller", "zookeeper"} & node.roles),
        )
        for node in picture.nodes.values()
    ]
    nodes.sort(key=lambda node: (node.kind != "broker", node.node_id))
    partitions = [
        PartitionView(topic=topic, partition=number, leader=part.leader, replicas=part.replicas, isr=part.isr)
        for topic, numbers in sorted(picture.topics.items())
        if not topic.startswith("__")
        for number, part in sorted(numbers.items())
    ]
    return MapState(
        name=picture.cluster.name,
        coordination=picture.cluster.coordination,
        version=picture.cluster.version,
        nodes=tuple(nodes),
        topics=frozenset(name for name in picture.topics if not name.startswith("__")),
        partitions=tuple(partitions[:ROWS]),
        hidden=max(0, len(partitions) - ROWS),
        controller=picture.controller,
        records_per_s=sum(picture.records_per_s.values()) if picture.records_per_s else None,
    )
