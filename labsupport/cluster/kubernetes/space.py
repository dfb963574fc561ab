"""A namespace of the reader's own, and what Kubernetes has in it: pods, services, names, claims.

`Space.create()` makes one without Kafka, for a page or a lab; `cluster.kubernetes` is that of a cluster. It says what
Kubernetes says, and changes what one would change with kubectl: `apply`, `scale`, `restart_rollout`, `delete_pod`.
It is for lessons about Kubernetes; a lesson about Kafka needs none of it.
"""

from __future__ import annotations

import re
import secrets
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from labsupport.cluster import owners
from labsupport.cluster.kubernetes.access import Access, find_access
from labsupport.cluster.kubernetes.api import APPLY, STRATEGIC, Api, ApiError, Object, path_of
from labsupport.cluster.kubernetes.images import PUBLIC, choose
from labsupport.cluster.kubernetes.manifests import FOLDER
from labsupport.cluster.kubernetes.names import CREATED, MANAGED_BY, MANAGER, OWNER, PART_OF, PREFIX
from labsupport.cluster.kubernetes.node import KubernetesNode
from labsupport.cluster.kubernetes.pods import is_chosen
from labsupport.cluster.kubernetes.preflight import check
from labsupport.cluster.kubernetes.space_facts import (
    Claim,
    Event,
    Node,
    Pod,
    StorageClass,
    by_number,
    claim_of,
    event_of,
    event_time,
    node_of,
    pod_of,
    storage_class_of,
)
from labsupport.cluster.kubernetes.space_watch import Follower, Watching
from labsupport.cluster.kubernetes.sweep import sweep
from labsupport.cluster.spec import DEFAULT_VERSION, NAME
from labsupport.cluster.supervised import MARKER, Supervised
from labsupport.core.errors import BadInput, LabError, WaitTimeout
from labsupport.core.escape import printable
from labsupport.core.wait import wait_until

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster

BY_HAND = FOLDER / "by-hand"
APPLIED = ("ConfigMap", "Service", "PersistentVolumeClaim", "StatefulSet", "Deployment", "PodDisruptionBudget", "Pod")
SCALED = ("StatefulSet", "Deployment")
CONFIG = "config"  # the ConfigMap of `deploy/manifests/*/config.yaml`
RESTARTED = "kubectl.kubernetes.io/restartedAt"  # as `kubectl rollout restart` does it
ROOM: Mapping[str, str] = {
    "pods": "16",
    "requests.cpu": "1",
    "requests.memory": "512Mi",
    "limits.memory": "2Gi",
    "persistentvolumeclaims": "8",
    "requests.storage": "1Gi",
}
NEEDED = {"memory_mb": 256, "cpu_m": 100}  # what the small pods of a lesson ask for
MOST_REPLICAS = 9
POLL_S, ASKED_S = 0.2, 30.0
TOLD_WITHIN_S, FEW = 15.0, 10  # seconds, connections
T = TypeVar("T")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_ADDRESS = re.compile(r"^Name:.*\n\s*Address(?: \d+)?:\s*([0-9a-fA-F.:]+)", re.MULTILINE)


class Space(AbstractContextManager["Space"]):
    """One namespace. What it returns are facts of that moment; every text in them comes from the API."""

    def __init__(self, api: Api, namespace: str, name: str, *, image: str = "") -> None:
        self.api, self.namespace, self.name, self.image = api, namespace, name, image
        self._undo = ExitStack()
        self._all_zones: dict[str, str] = {}
        self._follower = Follower(api, namespace, self._zones)
        self._undo.callback(self._follower.end)

    # -- beginning and end

    @classmethod
    def create(cls, name: str = "by-hand", *, room: Mapping[str, str] = ROOM) -> Space:
        """A new and empty namespace with a quota, which goes with this process, however that ends.

        `room`: the `hard` of its ResourceQuota. Raises `BadInput`, and `LabError` without a Kubernetes to reach.
        """
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise BadInput(f"{name!r} is no name for a space.", fix="Use small letters, digits and hyphens, up to 30.")
        api = Api(find_access())
        sweep(api)
        check(api, NEEDED)
        unique = f"{name[:20]}-{secrets.token_hex(3)}"
        space = cls(api, f"{PREFIX}{unique}", name, image=choose(DEFAULT_VERSION["kraft"], api).name)
        supervised = Supervised.launch(unique, Path(tempfile.gettempdir()).resolve() / f"kafka-lab-{unique}")
        space._undo.callback(supervised.shutdown)
        try:
            whose = owners.owner(int(supervised.ask("status")["pid"]))
            supervised.ask("at_end", argv=_reaper(space.namespace, whose), env=_environment(api.access, unique))
            for item in _furniture(space.namespace, whose, room):
                api.create(item)
        except BaseException:
            space.close()
            raise
        return space

    def close(self) -> None:
        """Delete the namespace with all that is in it, if it was created here. Doing it twice does no harm."""
        self._undo.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Space {self.name}>"

    # -- what is there

    def pods(self, owner: str = "") -> tuple[Pod, ...]:
        """All pods, or those of one StatefulSet or Deployment, in the order of their names."""
        zones = self._zones()
        found = [pod_of(raw, zones) for raw in self.api.list("Pod", self.namespace)]
        return tuple(sorted((p for p in found if owner in ("", p.owner[1])), key=lambda p: by_number(p.name)))

    def pod(self, name: str) -> Pod:
        """The pod of that name. Raises `BadInput` when there is none."""
        raw = self.api.find("Pod", _checked(name), self.namespace)
        if raw is None:
            there = ", ".join(printable(pod.name) for pod in self.pods()) or "none"
            raise BadInput(f"There is no pod {name!r} here.", fix=f"There are: {there}.")
        return pod_of(raw, self._zones())

    def nodes(self) -> tuple[Node, ...]:
        """The nodes of the whole cluster; none when we are not allowed to see them."""
        try:
            found = [node_of(raw) for raw in self.api.list("Node")]
        except ApiError as error:
            if error.status == 403:
                return ()
            raise
        return tuple(sorted(found, key=lambda node: by_number(node.name)))

    def claims(self) -> tuple[Claim, ...]:
        """The claims of volumes, each with the nodes that its volume is pinned to, as far as we may see it."""
        found = sorted(self.api.list("PersistentVolumeClaim", self.namespace), key=lambda raw: by_number(_name(raw)))
        return tuple(claim_of(raw, self._volume(str(raw["spec"].get("volumeName") or ""))) for raw in found)

    def claim(self, name: str) -> Claim:
        """The claim of that name. Raises `BadInput` when there is none."""
        _checked(name)
        found = self.claims()
        for claim in found:
            if claim.name == name:
                return claim
        there = ", ".join(printable(claim.name) for claim in found) or "none"
        raise BadInput(f"There is no claim {name!r} here.", fix=f"There are: {there}.")

    def storage_classes(self) -> tuple[StorageClass, ...]:
        """Who makes volumes in this Kubernetes, by name."""
        found = [storage_class_of(raw) for raw in self.api.list("StorageClass")]
        return tuple(sorted(found, key=lambda each: by_number(each.name)))

    def _volume(self, name: str) -> Object | None:
        try:
            return self.api.find("PersistentVolume", name) if name else None
        except ApiError as error:
            if error.status == 403:  # volumes belong to the whole cluster
                return None
            raise

    def events(self, about: str = "", *, most: int = 50) -> tuple[Event, ...]:
        """What Kubernetes wrote down, about everything here or about one name; the youngest last."""
        found = sorted(self.api.list("Event", self.namespace), key=event_time)
        told = [event_of(raw) for raw in found]
        return tuple(event for event in told if about in ("", event.name))[-most:]

    def service_ip(self, name: str) -> str | None:
        """The virtual address of a Service; None for a headless one, which has none. Raises `BadInput`."""
        found = self.api.find("Service", _checked(name), self.namespace)
        if found is None:
            raise BadInput(f"There is no Service {name!r} here.", fix="`kubectl get services` shows those there are.")
        address = str(found["spec"].get("clusterIP") or "None")
        return None if address == "None" else address

    def resolve(self, name: str) -> list[str]:
        """The addresses with which DNS answers a pod here that asks for `name`, sorted; none for an unknown name.

        `name` as pods use it: that of a Service, or `pod.service`. Raises `LabError` when there is no pod to ask from.
        """
        script = 'set -- $(grep ^search /etc/resolv.conf); nslookup -type=a "$0.$2"'
        _, told = self._ask(("sh", "-c", script, _checked(name)))
        return sorted(set(_ADDRESS.findall(told)))

    def who_answers(self, service: str, port: int, times: int) -> Counter[str]:
        """Connect from a pod so many times, and count what is answered. For pods that answer with their names.

        Nodes learn of a pod a moment after it became ready, and write their rules at most once a second (kube-proxy's
        `minSyncPeriod`): the count begins when each ready pod behind the Service has been met, or after 15 s.
        """
        behind = self._behind(_checked(service))
        met: set[str] = set()

        def all_are_met() -> bool:
            if not behind <= met:
                met.update(self._connect(service, port, FEW))
            return behind <= met

        with suppress(WaitTimeout):  # whoever never answers is missing from the count, too
            wait_until(all_are_met, TOLD_WITHIN_S, because=f"all pods behind {service} to answer")
        return self._connect(service, port, times)

    def _behind(self, service: str) -> set[str]:
        """The names of the pods that a Service should lead to."""
        found = self.api.find("Service", service, self.namespace)
        selector = (found or {"spec": {}})["spec"].get("selector")
        if not selector:  # then it is not Kubernetes that says who is behind it
            return set()
        chosen = [pod_of(raw, {}) for raw in self.api.list("Pod", self.namespace) if is_chosen(raw, selector)]
        return {pod.name for pod in chosen if pod.ready and not pod.ending}

    def _connect(self, service: str, port: int, times: int) -> Counter[str]:
        script = 'n=0; while [ $n -lt "$2" ]; do n=$((n+1)); nc -w 2 "$0" "$1" </dev/null 2>/dev/null || :; done'
        argv = ("sh", "-c", script, service, str(int(port)), str(int(times)))
        _, told = self._ask(argv, timeout_s=ASKED_S + 2 * times)
        return Counter(printable(line) for line in told.split())

    def run(self, pod: str, *argv: str, timeout_s: float = 60) -> str:
        """Run a program in a pod, and return what it writes to its standard output. Raises `LabError` if it fails."""
        code, output = self.api.run(_checked(pod), self.namespace, self._container(pod), argv, timeout_s=timeout_s)
        if code != 0:
            words = printable(shlex.join(argv), limit=80)
            raise LabError(f"{words} ended with {code} in {pod}: {printable(output[-200:])}.")
        return output.decode(errors="replace")

    def _container(self, pod: str) -> str:
        raw = self.api.find("Pod", pod, self.namespace)
        if raw is None:
            self.pod(pod)  # says which there are
        assert raw is not None
        return str(raw["spec"]["containers"][0]["name"])

    def _ask(self, argv: Sequence[str], *, timeout_s: float = ASKED_S) -> tuple[int, str]:
        """Run something in whichever pod is ready."""
        ready = [pod for pod in self.pods() if pod.ready and not pod.ending]
        if not ready:
            raise LabError("No pod is ready here, so none can be asked.", fix="Wait for one (`wait_until_ready`).")
        name = ready[0].name
        code, output = self.api.run(name, self.namespace, self._container(name), argv, timeout_s=timeout_s)
        return code, output.decode(errors="replace")

    def _zones(self) -> Mapping[str, str]:
        if not self._all_zones:
            self._all_zones = {node.name: node.zone for node in self.nodes()}
        return self._all_zones

    # -- what is wanted

    def apply(self, source: str | Path) -> list[str]:
        """Declare what a manifest says, a file (by its name: one of `deploy/manifests/by-hand/`) or its YAML text.

        Returns "Kind name" of each object. Images that our manifests name are those of the lab's clusters. Only kinds
        that belong into a namespace are taken. Raises `BadInput`, and `ApiError` for what Kubernetes refuses.
        """
        items = _read(source)
        for item in items:
            meta = item["metadata"] = {**item["metadata"], "namespace": self.namespace}
            meta["labels"] = {**(meta.get("labels") or {}), MANAGED_BY: MANAGER}
            _set_image(item, self.image)
        for item in items:
            path = _path(item["kind"], self.namespace, item["metadata"]["name"])
            query = {"fieldManager": MANAGER, "force": "true"}
            self.api.request("PATCH", path, query=query, body=item, content_type=APPLY)
        return [f"{item['kind']} {item['metadata']['name']}" for item in items]

    def scale(self, kind: str, name: str, replicas: int) -> None:
        """Declare another number of pods for a StatefulSet or a Deployment."""
        if not isinstance(replicas, int) or isinstance(replicas, bool) or not 0 <= replicas <= MOST_REPLICAS:
            raise BadInput(f"replicas is {replicas!r}.", fix=f"Use a whole number from 0 to {MOST_REPLICAS}.")
        self._patch(kind, name, {"spec": {"replicas": replicas}})

    def restart_rollout(self, name: str, kind: str = "StatefulSet") -> None:
        """Declare a template that differs in nothing but a time, as `kubectl rollout restart` does."""
        told = {RESTARTED: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        self._patch(kind, name, {"spec": {"template": {"metadata": {"annotations": told}}}})

    def delete_pod(self, name: str, *, force: bool = False) -> None:
        """Have a pod ended; `force` strikes it off without waiting for its node to have ended it."""
        self.pod(name)
        options = {"gracePeriodSeconds": 0} if force else {}
        self.api.delete("Pod", name, self.namespace, **options)

    # -- the settings of a node of Kafka, in the ConfigMap `config` of its cluster

    def setting(self, node: str, name: str) -> str:
        """A setting of Kafka in the file of a node ("broker-2"), by its dotted name; "" when that has none.

        Raises `BadInput` where there is no such file.
        """
        found = [value for key, value in self._settings(node) if key == name]
        return found[-1] if found else ""

    def configure(self, node: str, name: str, value: str) -> None:
        """Write a setting into the file of a node; its next pod reads it, the one that runs does not.

        Raises `BadInput` for a value of several lines, and where there is no such file.
        """
        if not isinstance(value, str) or not value.isprintable():
            raise BadInput(f"{name} is {printable(repr(value))}.", fix="Use one line of text.")
        kept = [(key, old) for key, old in self._settings(node) if key != name]
        text = "".join(f"{key}={each}\n" for key, each in [*kept, (str(name), value)])
        self.api.patch("ConfigMap", CONFIG, self.namespace, {"data": {f"{node}.properties": text}})

    def _settings(self, node: str) -> list[tuple[str, str]]:
        data = (self.api.find("ConfigMap", CONFIG, self.namespace) or {}).get("data") or {}
        file = f"{_checked(node)}.properties"
        if file not in data:
            raise BadInput(f"There is no {file} here.", fix=f"There are: {', '.join(sorted(data)) or 'none'}.")
        pairs = [line.partition("=") for line in data[file].splitlines() if "=" in line]
        return [(name.strip(), value) for name, _, value in pairs]

    def _patch(self, kind: str, name: str, body: Object) -> None:
        self._declared(kind, name)
        self.api.request("PATCH", _path(kind, self.namespace, name), body=body, content_type=STRATEGIC)

    def _declared(self, kind: str, name: str) -> Object:
        if kind not in SCALED:
            raise BadInput(f"{kind!r} has no replicas.", fix=f"Use {' or '.join(map(repr, SCALED))}.")
        try:
            return self.api.request("GET", _path(kind, self.namespace, _checked(name)))
        except ApiError as error:
            if error.status != 404:
                raise
            raise BadInput(
                f"There is no {kind} {name!r} here.", fix="`kubectl get all` shows what there is."
            ) from error

    # -- waiting for conditions

    def watching(self) -> Watching:
        """`with space.watching() as seen: …`; then `seen.steps` is what became of the pods, step by step."""
        return Watching(self._follower)

    def wait_until_ready(self, owner: str, count: int, *, timeout_s: float = 480) -> tuple[Pod, ...]:
        """Wait until a StatefulSet or Deployment has exactly so many pods, and all are ready; returns them."""

        def there() -> tuple[Pod, ...] | None:
            found = self.pods(owner)
            return found if len(found) == count and all(pod.ready and not pod.ending for pod in found) else None

        if count == 0:
            wait_until(
                lambda: not self.pods(owner), timeout_s, because=f"the pods of {owner} to be gone", poll_s=POLL_S
            )
            return ()
        return self._wait(there, timeout_s, f"{count} pods of {owner} to be ready", owner)

    def wait_for_another(self, gone: Pod, *, timeout_s: float = 240) -> Pod:
        """Wait until another pod has the name of one that went, and is ready; returns it."""

        def there() -> Pod | None:
            found = [pod for pod in self.pods() if pod.name == gone.name and pod.uid != gone.uid]
            return found[0] if found and found[0].ready else None

        return self._wait(there, timeout_s, f"another pod to be ready as {gone.name}", gone.owner[1])

    def wait_for_newcomer(self, owner: str, *known: Pod, timeout_s: float = 600) -> Pod:
        """Wait until a pod of a StatefulSet or Deployment is ready that is none of these; returns it."""
        uids = {pod.uid for pod in known}
        return self._wait(
            lambda: next((pod for pod in self.pods(owner) if pod.uid not in uids and pod.state == "ready"), None),
            timeout_s,
            f"another pod of {owner} to be ready",
            owner,
        )

    def wait_for_event(self, about: str, reason: str, *, timeout_s: float = 60) -> Event:
        """Wait until Kubernetes has written down something of that reason about a name; returns the youngest."""
        _checked(about)
        return self._wait(
            lambda: next((event for event in reversed(self.events(about)) if event.reason == reason), None),
            timeout_s,
            f"Kubernetes to say {printable(reason, limit=60)} of {about}",
            "",
        )

    def wait_until_stuck(self, name: str, *, timeout_s: float = 60) -> Pod:
        """Wait until there is a pod of that name for which the scheduler finds no node; returns it."""
        return self._wait_for_pod(name, lambda pod: pod.stuck and not pod.ending, timeout_s, "to find no node")

    def wait_until_ending(self, name: str, *, timeout_s: float = 600) -> Pod:
        """Wait until somebody has asked a pod to end, be it you or Kubernetes; returns it."""
        return self._wait_for_pod(name, lambda pod: pod.ending, timeout_s, "to be asked to end")

    def _wait_for_pod(self, name: str, good: Callable[[Pod], bool], timeout_s: float, what: str) -> Pod:
        _checked(name)
        return self._wait(
            lambda: next((pod for pod in self.pods() if pod.name == name and good(pod)), None),
            timeout_s,
            f"{name} {what}",
            "",
        )

    def wait_for_node(self, name: str, *, ready: bool, timeout_s: float = 120) -> Node:
        """Wait until Kubernetes takes a node for ready, or no longer does; returns it. Raises `BadInput`."""
        if name not in {node.name for node in self.nodes()}:
            raise BadInput(f"There is no node {printable(name)!r}.", fix="`kubectl get nodes` shows those there are.")
        return self._wait(
            lambda: next((node for node in self.nodes() if node.name == name and node.ready == ready), None),
            timeout_s,
            f"{name} to be {'ready' if ready else 'taken for lost'}",
            "",
        )

    def wait_for_rollout(self, name: str, kind: str = "StatefulSet", *, timeout_s: float = 480) -> None:
        """Wait until every pod is of the template declared last, and ready."""
        self._wait(
            lambda: rolled_out(self._declared(kind, name)) and not any(pod.ending for pod in self.pods(name)),
            timeout_s,
            f"{name} to be rolled out",
            name,
        )

    def wait_until_resolved(self, name: str, *pods: Pod, timeout_s: float = 60) -> list[str]:
        """Wait until DNS answers with the addresses of just these pods: it may remember others for a while."""
        wanted = sorted(pod.ip for pod in pods)
        wait_until(lambda: self.resolve(name) == wanted, timeout_s, because=f"DNS to know {name} anew", poll_s=POLL_S)
        return wanted

    def _wait(self, condition: Callable[[], T | None], timeout_s: float, because: str, owner: str) -> T:
        found = wait_until(
            condition, timeout_s, because=because, poll_s=POLL_S, evidence=lambda: self._last_words(owner)
        )
        assert found is not None
        return found

    def _last_words(self, owner: str) -> str:
        """What is the matter with the pods of an owner, and the youngest events."""
        states = [f"{printable(pod.name)}: {pod.state} {printable(pod.reason)}".rstrip() for pod in self.pods(owner)]
        told = [f"{printable(e.name)}: {printable(e.reason)}: {printable(e.message)}" for e in self.events()[-5:]]
        return "\n".join([*states, *told])


def space_of(cluster: Cluster) -> Space:
    """The namespace of a cluster whose backend is kubernetes. Closing it only lets go of it."""
    node = cluster.brokers[0]
    assert isinstance(node, KubernetesNode)
    (kafka,) = (node.pod() or {"spec": {"containers": [{}]}})["spec"]["containers"]
    return Space(node.api, node.facts.namespace, cluster.name, image=str(kafka.get("image", "")))


def rolled_out(declared: Object) -> bool:
    """Whether the status of a StatefulSet or Deployment says that all its pods are of the last template, and ready."""
    wanted, status = int(declared["spec"].get("replicas", 1)), declared.get("status") or {}
    seen = int(status.get("observedGeneration") or 0) >= int(declared["metadata"]["generation"])
    revisions = status.get("currentRevision") == status.get("updateRevision")
    counts = (status.get(name) or 0 for name in ("replicas", "updatedReplicas", "readyReplicas"))
    return seen and revisions and all(int(count) == wanted for count in counts)


def _name(raw: Object) -> str:
    return str(raw["metadata"]["name"])


def _path(kind: str, namespace: str, name: str) -> str:
    """As `api.path_of`, and for Deployments."""
    if kind == "Deployment":
        return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    return path_of(kind, namespace, name)


def _checked(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadInput(f"{printable(name)!r} is no name in Kubernetes.", fix="Use small letters, digits, '-' and '.'.")
    return name


def _read(source: str | Path) -> list[Object]:
    """The objects of a manifest. Raises `BadInput` for what is none, or has a kind that we do not apply."""
    from yaml import YAMLError, safe_load_all  # type: ignore[import-untyped]

    text = str(source)
    if "\n" not in text:
        file = Path(text) if Path(text).is_absolute() else BY_HAND / text
        if not file.is_file():
            there = ", ".join(sorted(path.name for path in BY_HAND.glob("*.yaml")))
            raise BadInput(f"There is no manifest {printable(text)!r}.", fix=f"Name one of {there}, or give YAML.")
        text = file.read_text(encoding="utf-8")
    try:
        items = [item for item in safe_load_all(text) if item is not None]
    except YAMLError as error:
        raise BadInput(
            f"This is no YAML: {printable(error)}.", fix="`kubectl apply --dry-run=client` says more."
        ) from error
    for item in items:
        kind = item.get("kind") if isinstance(item, dict) else None
        if kind not in APPLIED:
            raise BadInput(f"A manifest of kind {kind!r} is not applied here.", fix=f"Kinds: {', '.join(APPLIED)}.")
        _checked((item.get("metadata") or {}).get("name"))
    return items


def _set_image(item: Object, image: str) -> None:
    """The lab's image in place of the public one that our manifests name."""
    spec = item.get("spec") or {}
    template = spec.get("template", {}).get("spec", {}) if item["kind"] != "Pod" else spec
    for container in [*template.get("initContainers", []), *template.get("containers", [])]:
        if image and str(container.get("image", "")).startswith(f"{PUBLIC}:"):
            container["image"] = image


def _furniture(namespace: str, owner: str, room: Mapping[str, str]) -> list[Object]:
    """The namespace, its quota, and what a pod asks for that does not say."""
    labels = {PART_OF: MANAGER, MANAGED_BY: MANAGER}
    within = {"namespace": namespace, "labels": labels}
    default = {"defaultRequest": {"cpu": "10m", "memory": "16Mi"}, "default": {"cpu": "500m", "memory": "64Mi"}}
    notes = {OWNER: owner, CREATED: str(int(time.time()))}
    secure = {"pod-security.kubernetes.io/enforce": "baseline"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {**labels, **secure}, "annotations": notes},
        },
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "quota", **within},
            "spec": {"hard": dict(room)},
        },
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "defaults", **within},
            "spec": {"limits": [{"type": "Container", **default}]},
        },
    ]


def _reaper(namespace: str, owner: str) -> list[str]:
    """What the supervisor runs at its end."""
    return [sys.executable, "-s", "-P", "-m", "labsupport.cluster.kubernetes.reaper", namespace, owner]


def _environment(access: Access, name: str) -> dict[str, str]:
    return {**access.environment(), MARKER: name, "PYTHONPATH": str(Path(__file__).parents[3])}
