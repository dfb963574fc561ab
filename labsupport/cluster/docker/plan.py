"""What goes into the container of each node: its files, its command, its variables and its ports. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labsupport.cluster.docker.images import KafkaImage
from labsupport.cluster.docker.names import (
    BIN,
    CLIENT_PORT,
    CONFIG,
    CONTROLLER_PORT,
    DATA,
    INTERNAL_PORT,
    ZOOKEEPER_PORTS,
)
from labsupport.cluster.render import (
    ZooKeeperPorts,
    as_properties,
    broker_properties,
    kafka_uuid,
    meta_properties,
    zookeeper_properties,
)
from labsupport.cluster.spec import ClusterSpec, Listener
from labsupport.provision import kraft_bootstrap
from labsupport.provision.image.scripts import log_settings
from labsupport.provision.java import QUICK

HEAP = {"quick": [f for f in QUICK if f.startswith("-Xm")], "throughput": ["-Xms1g", "-Xmx1g"]}
FLAGS = {
    "quick": [f for f in QUICK if not f.startswith("-Xm")],
    "throughput": ["-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true"],
}
ANYWHERE = "0.0.0.0"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One container. `files`: by name, for its folder CONFIG. `published`: its port and that of the host."""

    command: list[str]
    variables: dict[str, str]
    files: dict[str, bytes]
    published: tuple[int, int]


class Planner:
    """Plans the nodes of one cluster. A node is its network alias: `broker-1`, `controller-101`, `zookeeper-1`."""

    def __init__(self, spec: ClusterSpec, image: KafkaImage) -> None:
        self.spec, self.image = spec, image
        self.cluster_id = kafka_uuid()

    def name(self, node_id: int) -> str:
        """Of a Kafka process."""
        return f"{'broker' if node_id in self.spec.broker_ids else 'controller'}-{node_id}"

    def zookeeper(self, myid: int, host_port: int) -> Plan:
        """A ZooKeeper server whose client port is `host_port` on this machine."""
        ports = {
            i: ZooKeeperPorts(
                client=ZOOKEEPER_PORTS[0], quorum=ZOOKEEPER_PORTS[1], election=ZOOKEEPER_PORTS[2], host=f"zookeeper-{i}"
            )
            for i in self.spec.coordinator_ids
        }
        data = Path(DATA) / "data"
        settings = zookeeper_properties(ports, myid, data, bind_host=ANYWHERE)
        script = [_copied_once("myid", str(data)), f"exec {BIN}/zookeeper-server-start.sh {CONFIG}/zoo.cfg"]
        return self._plan(
            "zookeeper",
            script,
            {"zoo.cfg": as_properties(settings), "myid": f"{myid}\n"},
            (ZOOKEEPER_PORTS[0], host_port),
        )

    def kafka(self, node_id: int, host_port: int) -> Plan:
        """A broker whose CLIENT listener, or a separate controller whose own, is `host_port` on this machine."""
        is_broker = node_id in self.spec.broker_ids
        log_dirs = self.log_dirs(node_id)
        settings = broker_properties(
            self.spec,
            node_id,
            listeners=self._listeners(node_id, host_port),
            voters=self._voters(),
            zookeeper_connect=",".join(f"zookeeper-{i}:{ZOOKEEPER_PORTS[0]}" for i in self.spec.coordinator_ids)
            if self.spec.coordination == "zookeeper"
            else "",
            log_dirs=[Path(folder) for folder in log_dirs],
        )
        files: dict[str, str | bytes] = {"server.properties": as_properties(settings)}
        script = [f"mkdir -p {' '.join(log_dirs)}"]
        if self.spec.coordination == "kraft":
            files["bootstrap.checkpoint"] = kraft_bootstrap(self.spec.version)
            script.append(_copied_once("bootstrap.checkpoint", log_dirs[0]))
            for folder in log_dirs:
                meta = meta_properties(cluster_id=self.cluster_id, node_id=node_id, directory_id=kafka_uuid())
                name = f"{Path(folder).name}.meta.properties"
                files[name] = as_properties(meta)
                script.append(_copied_once(name, folder, "meta.properties"))
        script.append(f"exec {BIN}/kafka-server-start.sh {CONFIG}/server.properties")
        published = CLIENT_PORT if is_broker else CONTROLLER_PORT
        return self._plan(f"broker-{self.spec.coordination}", script, files, (published, host_port))

    def log_dirs(self, node_id: int) -> list[str]:
        """As the node sees them."""
        count = self.spec.log_dirs if node_id in self.spec.broker_ids else 1
        return [f"{DATA}/data-{i}" for i in range(count)]

    def _listeners(self, node_id: int, host_port: int) -> list[Listener]:
        name, found = self.name(node_id), []
        if node_id in self.spec.broker_ids:
            found = [
                Listener(name="CLIENT", bind_port=CLIENT_PORT, bind_host=ANYWHERE, advertised_port=host_port),
                _inside("INTERNAL", name, INTERNAL_PORT),
            ]
        if self.spec.combined or not found:
            found.append(_inside("CONTROLLER", name, CONTROLLER_PORT))
        return found

    def _voters(self) -> dict[int, str]:
        if self.spec.coordination == "zookeeper":
            return {}
        ids = self.spec.broker_ids if self.spec.combined else self.spec.coordinator_ids
        return {node_id: f"{self.name(node_id)}:{CONTROLLER_PORT}" for node_id in ids}

    def _plan(
        self, program: str, script: Sequence[str], files: Mapping[str, str | bytes], published: tuple[int, int]
    ) -> Plan:
        option, log_file, log_text = log_settings(self.spec.version)
        flags = [*FLAGS[self.spec.profile]]
        if self.spec.profile == "quick":
            flags += self.image.cache_flags(program)
        return Plan(
            command=["sh", "-ec", "\n".join(script)],
            variables={
                "KAFKA_HEAP_OPTS": " ".join(HEAP[self.spec.profile]),
                "KAFKA_JVM_PERFORMANCE_OPTS": " ".join(flags),
                "KAFKA_LOG4J_OPTS": f"{option}=file:{CONFIG}/{log_file}",
            },
            files={
                name: content if isinstance(content, bytes) else content.encode()
                for name, content in {**files, log_file: log_text}.items()
            },
            published=published,
        )


def _inside(name: str, host: str, port: int) -> Listener:
    """A listener for the cluster's own network."""
    return Listener(
        name=name,  # type: ignore[arg-type]
        bind_port=port,
        bind_host=ANYWHERE,
        advertised_host=host,
        advertised_port=port,
    )


def _copied_once(name: str, folder: str, target: str = "") -> str:
    """A line of shell: when the container starts again, its folders are left as they are."""
    path = f"{folder}/{target or name}"
    return f"[ -e {path} ] || {{ mkdir -p {folder}; cp {CONFIG}/{name} {path}; }}"
