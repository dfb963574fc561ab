"""The containers of a new cluster: ports, facts, and how each of them is created and started."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from labsupport.cluster.docker.engine import ANSWER_WITHIN_S, told_plainly
from labsupport.cluster.docker.images import KafkaImage
from labsupport.cluster.docker.names import CLUSTER_LABEL, CONFIG, DATA, NODE_LABEL
from labsupport.cluster.docker.node import DockerFacts, DockerNode, port_is_taken
from labsupport.cluster.docker.plan import Plan, Planner
from labsupport.cluster.spec import ClusterSpec
from labsupport.cluster.supervised import Supervised
from labsupport.core.errors import StartError

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.network import Network

PORT_TRIES = 5
LOG_BYTES = "50m"


class Builder:
    """Makes the network, and one container a node. `cluster`: what the labels call it."""

    def __init__(
        self, spec: ClusterSpec, image: KafkaImage, supervised: Supervised, cluster: str, labels: dict[str, str]
    ) -> None:
        self.spec, self.supervised, self.cluster = spec, supervised, cluster
        self.image = image
        self.labels = {CLUSTER_LABEL: cluster, **labels}
        self.planner = Planner(spec, image)
        self._network: Network | None = None

    def build(self) -> list[DockerNode]:
        """Reserve the ports and define every node; no container is there yet."""
        spec = self.spec
        with_zookeeper = spec.coordination == "zookeeper"
        kafka_ids = [*spec.broker_ids, *([] if with_zookeeper else spec.coordinator_ids)]
        zookeepers = [self._zookeeper(myid) for myid in spec.coordinator_ids] if with_zookeeper else []
        rest = [self._kafka(node_id) for node_id in kafka_ids]
        return zookeepers + rest

    def make_network(self) -> None:
        """Raises `StartError` when the engine has no room for one more."""
        from testcontainers.core.network import Network

        with told_plainly("The cluster's network could not be made"):
            self._network = Network({"timeout": ANSWER_WITHIN_S}, {"labels": self.labels, "driver": "bridge"})
            self._network.name = self.cluster
            self._network.create()

    def launch_all(self, nodes: Sequence[DockerNode]) -> None:
        """Create and start the containers of several nodes at once."""
        with ThreadPoolExecutor(max_workers=max(1, len(nodes)), thread_name_prefix="kafka-lab start") as pool:
            for done in [pool.submit(self.launch, node) for node in nodes]:
                done.result()
        for node in nodes:
            node.wait_until_seen()

    def launch(self, node: DockerNode) -> None:
        """Create and start a node's container, on another port when its own was taken in the last moment."""
        from docker.errors import APIError

        for left in reversed(range(PORT_TRIES)):
            try:
                with (
                    told_plainly(f"The container of {node.name} could not be started"),
                    tempfile.TemporaryDirectory(prefix="config-", dir=self.supervised.folder) as folder,
                ):
                    container = self._container(node, Path(folder))
                    self.supervised.ask("let_go", name=node.name)
                    container.start()
                return
            except StartError as error:
                cause = error.__cause__
                if not left or not isinstance(cause, APIError) or not port_is_taken(cause):
                    raise
                with told_plainly(f"The container of {node.name} could not be removed"):
                    container.stop()
                self._move(node)

    def _move(self, node: DockerNode) -> None:
        """Give a node another port; it is not known to anybody yet."""
        (port,) = self.supervised.reserve_ports(1)
        self.supervised.ask("let_go", name=node.name, ports=[port])
        address = f"127.0.0.1:{port}"
        node.facts = replace(node.facts, address=address, direct=address)

    def _container(self, node: DockerNode, folder: Path) -> DockerContainer:
        """The container of a node, not created yet; its files are laid out in `folder`, to be copied in at one go."""
        from testcontainers.core.container import DockerContainer

        plan = self._plan(node)
        container = DockerContainer(self.image.name, docker_client_kw={"timeout": ANSWER_WITHIN_S})
        container.with_command(plan.command).with_name(node.facts.container).with_envs(**plan.variables)
        inside, outside = plan.published
        container.ports[f"{inside}/tcp"] = ("127.0.0.1", outside)  # type: ignore[assignment]
        assert self._network is not None
        container.with_network(self._network).with_network_aliases(node.name)
        container.with_copy_into_container(_laid_out(plan, folder), str(PurePosixPath(CONFIG).parent))
        return container.with_kwargs(
            hostname=node.name,
            labels={**self.labels, NODE_LABEL: node.name},
            log_config={"Type": "json-file", "Config": {"max-size": LOG_BYTES}},
        )

    def _plan(self, node: DockerNode) -> Plan:
        port = int(node.address.rpartition(":")[2])
        make = self.planner.zookeeper if "zookeeper" in node.roles else self.planner.kafka
        return make(node.node_id, port)

    def _zookeeper(self, myid: int) -> DockerNode:
        return self._define(f"zookeeper-{myid}", myid, {"zookeeper"}, [f"{DATA}/data"])

    def _kafka(self, node_id: int) -> DockerNode:
        roles = {"broker"} if node_id in self.spec.broker_ids else {"controller"}
        if self.spec.combined:
            roles.add("controller")
        return self._define(self.planner.name(node_id), node_id, roles, self.planner.log_dirs(node_id))

    def _define(self, name: str, node_id: int, roles: set[str], log_dirs: list[str]) -> DockerNode:
        (port,) = self.supervised.reserve_ports(1)
        self.supervised.ask("define", name=name, node_id=node_id, elsewhere=True, ports=[port])
        facts = DockerFacts(
            name=name,
            node_id=node_id,
            roles=frozenset(roles),
            address=f"127.0.0.1:{port}",
            direct=f"127.0.0.1:{port}",
            log_dirs=tuple(log_dirs),
            container=f"{self.cluster}-{name}",
            network=self.cluster,
        )
        return DockerNode(facts, self.supervised)


def _laid_out(plan: Plan, folder: Path) -> Path:
    """The folder that a plan's files make up, to be read by the container's user, whoever that is."""
    config = folder / PurePosixPath(CONFIG).name
    config.mkdir()
    config.chmod(0o755)
    for name, content in plan.files.items():
        file = config / name
        file.write_bytes(content)
        file.chmod(0o644)
    return config
