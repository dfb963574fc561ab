"""The docker backend itself: engine, image, supervisor with two helpers, and that the engine is large enough."""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from labsupport.cluster.backend import Backend, refuse_what_cannot_be
from labsupport.cluster.docker.builder import Builder
from labsupport.cluster.docker.engine import engine, environment_for_helpers, told_plainly
from labsupport.cluster.docker.images import choose
from labsupport.cluster.docker.names import OWNER_LABEL
from labsupport.cluster.docker.node import DockerNode
from labsupport.cluster.docker.sweep import sweep
from labsupport.cluster.node import Node
from labsupport.cluster.owners import owner
from labsupport.cluster.spec import ClusterSpec
from labsupport.cluster.supervised import MARKER, Supervised
from labsupport.core.errors import LabError

MEMORY_MB = {"quick": {"broker": 350, "coordinator": 150}, "throughput": {"broker": 1400, "coordinator": 700}}
WATCHER = "watcher"


class DockerBackend(Backend):
    """Creates and holds the containers of one cluster."""

    name = "docker"
    node_class: ClassVar[type[Node]] = DockerNode
    builder: Builder | None = None

    @classmethod
    def prepare(cls, spec: ClusterSpec) -> Self:
        """Start the supervisor and its helpers, make the network; no container is there yet.

        Raises `LabError` without an engine, a way to use it, room in it, or an image.
        """
        refuse_what_cannot_be(spec, DockerNode.can)
        _refuse_when_too_small(spec)
        sweep()
        image = choose(spec.version)
        cluster = f"kafka-lab-{spec.name}-{secrets.token_hex(4)}"
        supervised = Supervised.launch(spec.name, Path(tempfile.gettempdir()).resolve() / cluster)
        try:
            _register_helpers(supervised, cluster)
            whose = owner(int(supervised.ask("status")["pid"]))
            builder = Builder(spec, image, supervised, cluster, {OWNER_LABEL: whose})
            backend = cls(spec, supervised, builder.build())
            builder.make_network()
        except BaseException:
            supervised.shutdown()
            raise
        backend.builder = builder
        return backend

    def begin_all(self, nodes: Sequence[Node]) -> None:
        """For the first time their containers are created, and may find their ports."""
        if self.builder is None:
            super().begin_all(nodes)
            return
        self.builder.launch_all([node for node in nodes if isinstance(node, DockerNode)])
        zookeepers = tuple(node.facts.direct for node in self.nodes if "zookeeper" in node.roles)
        for node in self.brokers:
            node.zookeeper = zookeepers


BACKEND = DockerBackend


def _register_helpers(supervised: Supervised, cluster: str) -> None:
    """The reaper first, before there is anything to remove; then the watcher, which needs a second to come up."""
    variables = environment_for_helpers()
    package = f"{__package__}"
    program = [sys.executable, "-s", "-P", "-m"]
    supervised.ask("at_end", argv=[*program, f"{package}.reaper", cluster], env=variables)
    arguments = ["--name", supervised.name, "--folder", str(supervised.folder), "--cluster", cluster]
    supervised.ask(
        "define",
        name=WATCHER,
        node_id=0,
        argv=[*program, f"{package}.watcher", *arguments],
        env={**variables, MARKER: supervised.name},
        log=str(supervised.folder / f"{WATCHER}.log"),
        told=False,
        kept=True,
    )
    supervised.ask("start", name=WATCHER)


def _refuse_when_too_small(spec: ClusterSpec) -> None:
    """Refuse with need against have, before anything is started."""
    need = MEMORY_MB[spec.profile]
    coordinators = 0 if spec.combined else spec.controllers
    need_mb = spec.brokers * need["broker"] + coordinators * need["coordinator"]
    with told_plainly("The engine does not tell what it has"):
        have_mb = int(engine().info()["MemTotal"]) // 2**20
    if have_mb < need_mb:
        raise LabError(
            f"This cluster needs about {need_mb} MB of memory, and Docker's engine has {have_mb} MB.",
            fix="Give it more (Docker Desktop: Settings, Resources), or start fewer brokers.",
        )
