"""Who is who in a cluster of pods, and the text of every node's `server.properties` or `zoo.cfg`. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labsupport.cluster.kubernetes.names import (
    CLIENT_PORT,
    CONTROLLER_PORT,
    DATA,
    INTERNAL_PORT,
    PLURAL,
    ZOOKEEPER_PORTS,
)
from labsupport.cluster.render import ZooKeeperPorts, as_properties, broker_properties, zookeeper_properties
from labsupport.cluster.spec import ClusterSpec, Listener

ANYWHERE = "0.0.0.0"


@dataclass(frozen=True, kw_only=True)
class Place:
    """One node: a pod of the StatefulSet that is named after its component."""

    component: str  # "broker", "controller", "zookeeper"
    node_id: int

    @property
    def name(self) -> str:
        return f"{self.component}-{self.node_id}"

    @property
    def port(self) -> int:
        """Where its clients reach it, inside the pod."""
        return {"broker": CLIENT_PORT, "controller": CONTROLLER_PORT, "zookeeper": ZOOKEEPER_PORTS[0]}[self.component]


@dataclass(frozen=True)
class Layout:
    """A spec in a namespace. `forwarded`: the port on 127.0.0.1 by the name of a node, for brokers and ZooKeeper."""

    spec: ClusterSpec
    namespace: str
    forwarded: Mapping[str, int]

    @property
    def places(self) -> list[Place]:
        """In the order in which they are started; controllers may wait for nobody, brokers for the others."""
        return places(self.spec)

    def host(self, place: Place) -> str:
        """The pod's name in DNS: for every namespace, and without the cluster's domain, which one cannot know."""
        return f"{place.name}.{PLURAL[place.component]}.{self.namespace}.svc"

    def log_dirs(self, place: Place) -> tuple[str, ...]:
        """As the node sees them."""
        count = self.spec.log_dirs if place.component == "broker" else 1
        return tuple(f"{DATA}/data-{i}" for i in range(count))

    def config(self) -> dict[str, str]:
        """The text of each node's settings, by the name of its file."""
        return {f"{place.name}.properties": as_properties(self.settings(place)) for place in self.places}

    def settings(self, place: Place) -> dict[str, str]:
        """Of one node."""
        if place.component == "zookeeper":
            return zookeeper_properties(
                {p.node_id: self._zookeeper_ports(p) for p in self._of("zookeeper")},
                place.node_id,
                Path(self.log_dirs(place)[0]),
                bind_host=ANYWHERE,
            )
        return broker_properties(
            self.spec,
            place.node_id,
            listeners=self._listeners(place),
            voters=self._voters(),
            zookeeper_connect=",".join(f"{self.host(p)}:{ZOOKEEPER_PORTS[0]}" for p in self._of("zookeeper")),
            log_dirs=[Path(folder) for folder in self.log_dirs(place)],
        )

    def _of(self, component: str) -> list[Place]:
        return [place for place in self.places if place.component == component]

    def _zookeeper_ports(self, place: Place) -> ZooKeeperPorts:
        client, quorum, election = ZOOKEEPER_PORTS
        return ZooKeeperPorts(client=client, quorum=quorum, election=election, host=self.host(place))

    def _voters(self) -> dict[int, str]:
        if self.spec.coordination == "zookeeper":
            return {}
        voters = self._of("broker" if self.spec.combined else "controller")
        return {place.node_id: f"{self.host(place)}:{CONTROLLER_PORT}" for place in voters}

    def _listeners(self, place: Place) -> list[Listener]:
        found: list[Listener] = []
        if place.component == "broker":
            port = self.forwarded[place.name]
            found.append(Listener(name="CLIENT", bind_port=CLIENT_PORT, bind_host=ANYWHERE, advertised_port=port))
            found.append(self._inside("INTERNAL", place, INTERNAL_PORT))
        if place.component == "controller" or self.spec.combined:
            found.append(self._inside("CONTROLLER", place, CONTROLLER_PORT))
        return found

    def _inside(self, name: str, place: Place, port: int) -> Listener:
        return Listener(
            name=name,  # type: ignore[arg-type]
            bind_port=port,
            bind_host=ANYWHERE,
            advertised_host=self.host(place),
            advertised_port=port,
        )


def places(spec: ClusterSpec) -> list[Place]:
    """The nodes of a spec, coordinators first."""
    component = "zookeeper" if spec.coordination == "zookeeper" else "controller"
    ids = [] if spec.combined else spec.coordinator_ids
    return [Place(component=component, node_id=i) for i in ids] + [
        Place(component="broker", node_id=i) for i in spec.broker_ids
    ]
