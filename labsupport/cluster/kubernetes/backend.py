"""The Kubernetes backend itself: what is checked first, what is made, in which order, and who removes it."""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from labsupport.cluster.backend import Backend, refuse_what_cannot_be
from labsupport.cluster.kubernetes.access import CONFIG_VARIABLE, find_access, kubectl
from labsupport.cluster.kubernetes.api import Api, ApiError, Object
from labsupport.cluster.kubernetes.images import PodImage, choose
from labsupport.cluster.kubernetes.layout import Layout, Place, places
from labsupport.cluster.kubernetes.manifests import Wanted, fill_in, load, needs
from labsupport.cluster.kubernetes.names import (
    APPLIED,
    CREATED,
    KUBECONFIG,
    NEWS,
    OWNER,
    PREFIX,
    WATCHER,
    forward_of,
)
from labsupport.cluster.kubernetes.node import KubernetesFacts, KubernetesNode
from labsupport.cluster.kubernetes.preflight import check
from labsupport.cluster.kubernetes.sweep import sweep
from labsupport.cluster.node import Node
from labsupport.cluster.owners import is_dead, owner
from labsupport.cluster.render import kafka_uuid
from labsupport.cluster.spec import ClusterSpec
from labsupport.cluster.supervised import MARKER, Supervised
from labsupport.core.errors import BadInput
from labsupport.core.private import write_private
from labsupport.core.wait import wait_until

OLD_ONE_GONE_S = 90


class KubernetesBackend(Backend):
    """The pods of one cluster, in its own namespace."""

    name = "kubernetes"
    node_class = KubernetesNode
    sets: tuple[Object, ...] = ()  # the StatefulSets that are not applied yet, while a cluster starts
    start_within_s = 120.0

    @classmethod
    def prepare(cls, spec: ClusterSpec) -> Self:
        """Make the namespace and all in it but the pods. Raises `LabError` for any lack."""
        refuse_what_cannot_be(spec, KubernetesNode.can)
        access, program = find_access(), kubectl()
        api = Api(access)
        manifests = load(spec.coordination)
        no_ports = {place.name: 0 for place in places(spec)}
        check(api, needs(fill_in(manifests, Wanted(layout=Layout(spec, "", no_ports), image="", cluster_id=""))))
        sweep(api)
        image = choose(spec.version, api)
        folder = Path(tempfile.gettempdir()).resolve() / f"kafka-lab-{spec.name}-{secrets.token_hex(4)}"
        supervised = Supervised.launch(spec.name, folder)
        try:
            builder = Builder(spec, supervised, api, image, program)
            backend = cls(spec, supervised, builder.build(manifests))
            backend.sets = tuple(builder.sets)
        except BaseException:
            supervised.shutdown()
            raise
        return backend

    @property
    def exports(self) -> dict[str, str]:
        """kubectl works in the cluster's namespace, with the user's own credentials."""
        files = [str(self.supervised.folder / KUBECONFIG), _first(self.nodes).facts.kubeconfig]
        return {CONFIG_VARIABLE: os.pathsep.join(files)}

    def start(self, *, timeout_s: float) -> None:
        """All at once: a broker's pod waits for ZooKeeper itself (`start.sh`)."""
        self.start_within_s = timeout_s
        self.begin_all(self.nodes)
        for node in self.nodes:
            known = self.spec.brokers if "broker" in node.roles else 1
            node.wait_until_ready(timeout_s=timeout_s, known=known)

    def begin_all(self, nodes: Sequence[Node]) -> None:
        wanted = {node.name.partition("-")[0] for node in nodes}
        for item in self.sets:
            if item["metadata"]["name"] in wanted:
                _first(self.nodes).api.apply(item)
        for node in nodes:
            assert isinstance(node, KubernetesNode)
            node.wait_until_it_runs(timeout_s=self.start_within_s)


BACKEND = KubernetesBackend


def _first(nodes: Sequence[Node]) -> KubernetesNode:
    node = nodes[0]
    assert isinstance(node, KubernetesNode)
    return node


class Builder:
    """Makes the namespace of a cluster and tells the supervisor of its nodes, port-forwards, watcher and reaper."""

    def __init__(self, spec: ClusterSpec, supervised: Supervised, api: Api, image: PodImage, program: str) -> None:
        self.spec, self.supervised, self.api, self.image, self.kubectl = spec, supervised, api, image, program
        self.namespace = f"{PREFIX}{spec.name}"
        self.sets: list[Object] = []
        self.owner = owner(supervised.ask("status")["pid"])
        self.environment = {
            **api.access.environment(),
            MARKER: spec.name,
            "PYTHONPATH": str(Path(__file__).parents[3]),
        }

    def build(self, manifests: list[Object]) -> list[KubernetesNode]:
        reached = [place for place in places(self.spec) if place.component != "controller"]
        ports = dict(zip((p.name for p in reached), self.supervised.reserve_ports(len(reached)), strict=True))
        layout = Layout(self.spec, self.namespace, ports)
        self._promise_to_tidy_up()
        self.api.access.write_namespace(self.namespace, self.supervised.folder / KUBECONFIG)
        self._apply(fill_in(manifests, self._wanted(layout)))
        for place in layout.places:
            self._define(place, ports.get(place.name))
        self.supervised.ask("define", name=NEWS, node_id=0, elsewhere=True)
        self._define_watcher(layout)
        zookeeper = tuple(f"127.0.0.1:{ports[p.name]}" for p in reached if p.component == "zookeeper")
        return [KubernetesNode(self._facts(layout, place), self.supervised, zookeeper) for place in layout.places]

    def _wanted(self, layout: Layout) -> Wanted:
        return Wanted(
            layout=layout,
            image=self.image.name,
            cluster_id=kafka_uuid(),
            annotations={OWNER: self.owner, CREATED: str(int(time.time()))},
            flags=dict(self.image.flags) if self.spec.profile == "quick" else {},
        )

    def _promise_to_tidy_up(self) -> None:
        """Before there is anything to remove."""
        argv = [*_python("labsupport.cluster.kubernetes.reaper"), self.namespace, self.owner]
        self.supervised.ask("at_end", argv=argv, env=self.environment)

    def _apply(self, items: list[Object]) -> None:
        """All but the StatefulSets, which begin to run at once. What they are is kept, to be applied again (`anew`)."""
        write_private(self.supervised.folder / APPLIED, json.dumps(items))
        for item in items:
            if item["kind"] == "Namespace":
                self._make(item)
            elif item["kind"] == "StatefulSet":
                self.sets.append(item)
            else:
                self.api.apply(item)

    def _make(self, namespace: Object) -> None:
        """Make the namespace; wait for the end of one with this name that is on its way out."""
        wait_until(
            lambda: self._made(namespace), OLD_ONE_GONE_S, because=f"the last namespace {self.namespace} to be gone"
        )

    def _made(self, namespace: Object) -> bool:
        try:
            self.api.create(namespace)
        except ApiError as error:
            if error.status != 409:
                raise
            found = self.api.find("Namespace", self.namespace)
            if found is not None and "deletionTimestamp" not in found["metadata"]:
                whose = found["metadata"].get("annotations", {}).get(OWNER, "")
                if not is_dead(whose):
                    raise BadInput(
                        f"{self.api.access.context} has a namespace {self.namespace} already.",
                        fix="Choose another name, or remove it with `kafka-lab kubernetes sweep`.",
                    ) from None
            return False
        return True

    def _facts(self, layout: Layout, place: Place) -> KubernetesFacts:
        port = layout.forwarded.get(place.name)
        address = f"127.0.0.1:{port}" if port else f"{layout.host(place)}:{place.port}"
        roles = {place.component} | ({"controller"} if self.spec.combined else set())
        return KubernetesFacts(
            name=place.name,
            node_id=place.node_id,
            roles=frozenset(roles),
            address=address,
            direct=address,
            log_dirs=layout.log_dirs(place),
            namespace=self.namespace,
            kubeconfig=self.api.access.kubeconfig,
            context=self.api.access.context,
        )

    def _define(self, place: Place, port: int | None) -> None:
        """A node, which runs elsewhere, and the way to it."""
        self.supervised.ask("define", name=place.name, node_id=place.node_id, elsewhere=True)
        if port is None:
            return
        forward = forward_of(place.name)
        argv = [self.kubectl, "--context", self.api.access.context, "--namespace", self.namespace, "port-forward"]
        argv += ["--address", "127.0.0.1", f"pod/{place.name}", f"{port}:{place.port}"]
        self.supervised.ask(
            "define",
            name=forward,
            node_id=0,
            argv=argv,
            env=self.environment,
            log=str(self.supervised.folder / f"{forward}.log"),
            ports=[port],
            told=False,
            kept=True,
        )

    def _define_watcher(self, layout: Layout) -> None:
        argv = _python("labsupport.cluster.kubernetes.watcher")
        argv += ["--name", self.spec.name, "--folder", str(self.supervised.folder), "--namespace", self.namespace]
        argv += ["--nodes", *(place.name for place in layout.places)]
        self.supervised.ask(
            "define",
            name=WATCHER,
            node_id=0,
            argv=argv,
            env=self.environment,
            log=str(self.supervised.folder / f"{WATCHER}.log"),
            told=False,
            kept=True,
        )
        self.supervised.ask("start", name=WATCHER)


def _python(module: str) -> list[str]:
    """-s and -P: neither a user's packages nor the folder one is in can shadow ours."""
    return [sys.executable, "-s", "-P", "-m", module]
