"""Where a cluster runs: one folder a backend, all of them with this interface. `spec.BACKENDS` names them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

from labsupport.cluster.broker import Capability
from labsupport.cluster.links import Links
from labsupport.cluster.node import Node
from labsupport.cluster.spec import ClusterSpec, build_spec
from labsupport.cluster.supervised import ProcessEvent, Supervised
from labsupport.core.errors import BadInput


class Backend(ABC):
    """The nodes of one cluster. Whatever runs them, the cluster's supervisor knows of their lives and tidies up."""

    name: ClassVar[str]
    node_class: ClassVar[type[Node]]

    def __init__(self, spec: ClusterSpec, supervised: Supervised, nodes: Sequence[Node]) -> None:
        self.spec, self.supervised, self.nodes = spec, supervised, tuple(nodes)

    @classmethod
    @abstractmethod
    def prepare(cls, spec: ClusterSpec) -> Self:
        """Start the supervisor and lay everything out; no node runs yet. Raises `LabError` for any lack."""

    @classmethod
    def attach(cls, record: dict[str, Any]) -> Self:
        """Take hold of a cluster that another process started."""
        spec = build_spec(**record["spec"])
        supervised = Supervised(record["name"], Path(record["folder"]))
        facts = [_facts_class(cls.node_class).from_data(node) for node in record["nodes"]]
        zookeeper = tuple(f.direct for f in facts if "zookeeper" in f.roles)
        links = Links(spec.name) if spec.links else None
        return cls(spec, supervised, [cls.node_class(f, supervised, zookeeper, links) for f in facts])

    @property
    def brokers(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if "broker" in node.roles)

    @property
    def coordinators(self) -> tuple[Node, ...]:
        """ZooKeeper servers or separate KRaft controllers."""
        return tuple(node for node in self.nodes if "broker" not in node.roles)

    def start(self, *, timeout_s: float) -> None:
        """Start all nodes; return when every broker lists all the others."""
        zookeepers = [node for node in self.nodes if "zookeeper" in node.roles]
        rest = [node for node in self.nodes if node not in zookeepers]
        self.begin_all(zookeepers)
        for node in zookeepers:  # a broker that comes before ZooKeeper sleeps a second before it tries again
            node.wait_until_ready(timeout_s=timeout_s)
        self.begin_all(rest)
        for node in rest:
            node.wait_until_ready(timeout_s=timeout_s, known=self.spec.brokers)

    def begin_all(self, nodes: Sequence[Node]) -> None:
        """Have several new nodes start, without waiting for them."""
        for node in nodes:
            node.begin()

    @property
    def exports(self) -> dict[str, str]:
        """Variables that a shell needs besides $BOOTSTRAP to work on this cluster with ordinary tools."""
        return {}

    def describe(self, **facts: object) -> None:
        """Complete the cluster's record, by which other processes find it."""
        nodes = [node.facts.as_data() for node in self.nodes]
        mine = {"spec": self.spec.facts(), "nodes": nodes, "exports": self.exports}
        self.supervised.ask("describe", facts={**mine, **facts})

    def process_events(self, after: int, timeout_s: float) -> list[ProcessEvent]:
        """What happened to the nodes after event number `after`; waits up to `timeout_s` for news."""
        return self.supervised.events(after, timeout_s)

    def disown(self) -> None:
        """Let the cluster outlive this process."""
        self.supervised.disown()

    def shutdown(self) -> None:
        """End everything and remove it; no error when that is done already."""
        self.supervised.shutdown()


def _facts_class(node_class: type[Node]) -> Any:
    """The class of the facts that a backend's nodes are made of, which their own annotation names."""
    from typing import get_type_hints

    return get_type_hints(node_class)["facts"]


def backend_class(name: str) -> type[Backend]:
    """A backend by its name. Its client library is imported only now."""
    found: type[Backend] = import_module(f"labsupport.cluster.{name}.backend").BACKEND
    return found


def refuse_what_cannot_be(spec: ClusterSpec, can: frozenset[Capability]) -> None:
    """Raise `BadInput` when a cluster is wanted that this backend cannot make."""
    wishes = (
        (Capability.LINKS, spec.links, "links=True"),
        (Capability.DISK, spec.log_dir_mb, "log_dir_mb"),
        (Capability.JMX, spec.jmx, "jmx=True"),
        (Capability.SEVERAL_LOG_DIRS, spec.log_dirs > 1, "log_dirs above 1"),
    )
    for capability, wished, argument in wishes:
        if wished and capability not in can:
            raise BadInput(
                f"The {spec.backend} backend has no {argument}: it cannot offer that {capability.value}.",
                fix="Leave it out, or use backend='local' (KAFKA_LAB_BACKEND=local).",
            )
