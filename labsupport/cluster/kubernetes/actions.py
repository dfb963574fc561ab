"""What faults do to the pod of a node, to the machine it is on, and to the namespace; and how each is undone.

Every deed returns when it has taken effect, and every undoing when Kubernetes says that all is as before; whether
Kafka is well again is not asked here. Raises `LabError` when something does not happen in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from labsupport.cluster.kubernetes.api import Api, ApiError, ExecError, Object
from labsupport.cluster.kubernetes.names import CONTAINER, CONTROLLER_PORT, INTERNAL_PORT, MOUNT, claim_of
from labsupport.cluster.kubernetes.node import KubernetesNode
from labsupport.cluster.kubernetes.pods import is_chosen, is_ready, trouble
from labsupport.core.clock import now_s
from labsupport.core.errors import BadInput, LabError, WaitTimeout
from labsupport.core.escape import printable
from labsupport.core.wait import wait_until

DONE_WITHIN_S = 90
BACK_WITHIN_S = 240
ENFORCED_WITHIN_S = 20
NO_IMAGE = "kafka-lab.invalid/no-such-image:1"  # .invalid is never a host (RFC 2606)
POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
NUDGED = "kafka-lab/nudged"
KIND_LABEL = "io.x-k8s.kind.cluster"
POLL_S = 0.2


def _pod(node: KubernetesNode) -> Object:
    found = node.pod()
    if found is None:
        raise LabError(f"{node.name} has no pod at the moment.", fix="Wait until it runs.")
    return found


def _wait(condition: Callable[[], Any], timeout_s: float, because: str, node: KubernetesNode) -> None:
    wait_until(condition, timeout_s, because=because, poll_s=POLL_S, evidence=lambda: trouble(node.pod()))


# -- its pod


def delete_pod(node: KubernetesNode, *, force: bool) -> None:
    """Delete its pod; with `force` Kubernetes forgets it at once, whatever still runs. Returns when it is gone."""
    uid = _pod(node)["metadata"]["uid"]
    options = {"gracePeriodSeconds": 0} if force else {}
    node.api.delete("Pod", node.name, node.facts.namespace, **options)
    _wait(lambda: _uid(node) != uid, DONE_WITHIN_S, f"the pod of {node.name} to be gone", node)


def _uid(node: KubernetesNode) -> str:
    found = node.pod()
    return "" if found is None else str(found["metadata"]["uid"])


def wait_until_back(node: KubernetesNode) -> None:
    """Return when its pod is ready, and none that is on its way out."""

    def back() -> bool:
        pod = node.pod()
        return pod is not None and "deletionTimestamp" not in pod["metadata"] and is_ready(pod)

    _wait(back, BACK_WITHIN_S, f"the pod of {node.name} to be ready again", node)


def spoil_image(node: KubernetesNode) -> None:
    """Have its pod want an image that nobody has. Returns when Kubernetes has tried to pull it."""
    _set_image(node, NO_IMAGE)
    _wait(lambda: "mage" in trouble(node.pod()), DONE_WITHIN_S, f"the image of {node.name} to be refused", node)


def mend_image(node: KubernetesNode) -> None:
    """Have its pod want again what its StatefulSet says."""
    component = node.name.partition("-")[0]
    template = node.api.get("StatefulSet", component, node.facts.namespace)["spec"]["template"]["spec"]
    _set_image(node, template["containers"][0]["image"])


def _set_image(node: KubernetesNode, image: str) -> None:
    body = {"spec": {"containers": [{"name": CONTAINER, "image": image}]}}
    node.api.patch("Pod", node.name, node.facts.namespace, body)


def lose_volume(node: KubernetesNode) -> None:
    """Delete its volume with all that is on it, and its pod. Returns when there is another claim of the name."""
    claim, namespace = claim_of(node.name), node.facts.namespace
    old = node.api.get("PersistentVolumeClaim", claim, namespace)["metadata"]["uid"]
    node.api.delete("PersistentVolumeClaim", claim, namespace)  # it goes when no pod uses it any more
    deleted_s = 0.0

    def replaced() -> bool:
        nonlocal deleted_s
        found = node.api.find("PersistentVolumeClaim", claim, namespace)
        if found is not None and found["metadata"]["uid"] != old:
            return True
        if now_s() - deleted_s > 5:  # a pod that came before its claim was gone would wait for it for ever
            deleted_s = now_s()
            node.api.delete("Pod", node.name, namespace, gracePeriodSeconds=1)
        return False

    _wait(replaced, DONE_WITHIN_S, f"the claim {claim} to be replaced", node)


# -- its machine


def machine_of(node: KubernetesNode) -> str:
    """The Kubernetes node on which its pod is. Raises `LabError` when it is on none."""
    name = _pod(node)["spec"].get("nodeName", "")
    if not name:
        raise LabError(f"The pod of {node.name} is on no node at the moment.", fix="Wait until it runs.")
    return str(name)


def is_cordoned(node: KubernetesNode, machine: str) -> bool:
    """Whether the machine takes no new pods."""
    return bool(node.api.get("Node", machine)["spec"].get("unschedulable"))


def cordon(node: KubernetesNode, machine: str, *, cordoned: bool) -> None:
    """Have the machine take no new pods, or take them again."""
    node.api.patch("Node", machine, "", {"spec": {"unschedulable": cordoned}})


def drain(node: KubernetesNode, machine: str, *, timeout_s: float) -> list[str]:
    """Evict the cluster's pods from a machine, as `kubectl drain` does; returns their names when they are gone.

    Raises `LabError` that names the disruption budget when that allows no eviction for `timeout_s` seconds.
    """
    namespace = node.facts.namespace
    pods = node.api.list("Pod", namespace, fieldSelector=f"spec.nodeName={machine}")
    uids = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods}
    for name in uids:
        _evict(node, machine, name, timeout_s=timeout_s)

    def gone() -> bool:
        found = {pod["metadata"]["uid"] for pod in node.api.list("Pod", namespace)}
        return not found & set(uids.values())

    _wait(gone, DONE_WITHIN_S, f"the pods on {machine} to be gone", node)
    return sorted(uids)


def _evict(node: KubernetesNode, machine: str, name: str, *, timeout_s: float) -> None:
    said = [""]
    try:
        wait_until(
            lambda: _evicted(node, name, said), timeout_s, because=f"{name} to be evicted from {machine}", poll_s=1
        )
    except WaitTimeout as error:
        raise LabError(
            f"{name} was not evicted from {machine} in {timeout_s:g} s: {said[-1] or 'Kubernetes did not say why.'}",
            fix="A budget allows it again when enough of the others are healthy, or when it is another budget.",
        ) from error


def _evicted(node: KubernetesNode, name: str, said: list[str]) -> bool:
    try:
        node.api.evict(name, node.facts.namespace)
    except ApiError as error:
        if error.status == 404:
            return True
        if error.status != 429:
            raise
        said.append(f"{error.message} {_budgets(node, name)}")
        return False
    return True


def _budgets(node: KubernetesNode, pod: str) -> str:
    """The disruption budgets that count a pod, and how they stand."""
    counted = node.api.find("Pod", pod, node.facts.namespace) or {"metadata": {}}
    found = []
    for budget in node.api.list("PodDisruptionBudget", node.facts.namespace):
        if is_chosen(counted, budget["spec"].get("selector", {}).get("matchLabels", {})):
            status = budget.get("status", {})
            stands = f"{status.get('currentHealthy')} healthy of {status.get('expectedPods')}"
            found.append(f"{budget['metadata']['name']} ({stands}, {status.get('disruptionsAllowed')} may be missing)")
    return printable(f"Its budget: {', '.join(found)}" if found else "", limit=300)


def check_machine_is_ours(node: KubernetesNode) -> None:
    """Raise `BadInput` unless its machine is a container of kind's on this very machine, and no control plane."""
    access = node.api.access
    if not access.is_kind:
        raise BadInput(
            f"The nodes of {access.context} are not ours to stop.",
            fix="Use a cluster of kind: `kafka-lab kubernetes create`.",
        )
    machine = machine_of(node)
    labels = node.api.get("Node", machine)["metadata"].get("labels", {})
    if "node-role.kubernetes.io/control-plane" in labels:
        raise BadInput(
            f"{node.name} is on {machine}, the control plane, and nobody could mend anything without that.",
            fix="Use a cluster with workers: `kafka-lab kubernetes create`.",
        )
    if _container(machine).labels.get(KIND_LABEL) != access.kind_name:
        raise BadInput(f"{machine} is no node of kind's cluster {access.kind_name} on this machine.")


def _container(machine: str) -> Any:
    """The container that is a node of kind's. Raises `BadInput` when the engine here does not have it."""
    from docker.errors import NotFound

    from labsupport.cluster.docker.engine import engine

    try:
        return engine().containers.get(machine)
    except NotFound:
        raise BadInput(
            f"The engine of this machine has no container {machine}.", fix="Is kind's cluster here?"
        ) from None


def freeze_machine(machine: str) -> None:
    """As if its power were held: connections stay, nobody answers."""
    _container(machine).pause()


def thaw_machine(machine: str) -> None:
    container = _container(machine)
    if container.status == "paused":
        container.unpause()


def stop_machine(machine: str) -> None:
    """Cut its power: in the second before it is shut down, a broker may hand its partitions over."""
    container = _container(machine)
    if container.status == "running":
        container.kill()


def start_machine(machine: str) -> None:
    container = _container(machine)
    if container.status != "running":
        container.start()


def wait_for_machine(node: KubernetesNode, machine: str, *, ready: bool, timeout_s: float = BACK_WITHIN_S) -> None:
    """Return when Kubernetes takes the machine for ready, or for lost."""

    def as_wanted() -> bool:
        conditions = node.api.get("Node", machine)["status"].get("conditions", [])
        is_so = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        return is_so is ready

    _wait(as_wanted, timeout_s, f"{machine} to be {'ready' if ready else 'lost'}", node)


# -- its network


def isolate(node: KubernetesNode) -> None:
    """Forbid it all connections with other pods, and prove from one of them that this is enforced.

    Raises `BadInput` when it is not: then the cluster's network plugin ignores policies. The policy is still there.
    """
    peer = _peer(node)
    address = str(_pod(node)["status"]["podIP"])
    if not _reaches(node, peer, address):
        raise LabError(f"{peer} does not reach {node.name} as it is, so nothing could be proved.", fix="Is it running?")
    node.api.apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": _policy(node), "namespace": node.facts.namespace},
            "spec": {
                "podSelector": {"matchLabels": {POD_NAME_LABEL: node.name}},
                "policyTypes": ["Ingress", "Egress"],
            },
        }
    )
    until_s = now_s() + ENFORCED_WITHIN_S
    while _reaches(node, peer, address):
        if now_s() > until_s:
            raise BadInput(
                f"{node.api.access.context} does not enforce NetworkPolicies: {peer} still reaches {node.name}.",
                fix="Its network plugin would have to; kind's does from v0.24 on.",
            )
    if node.api.access.is_kind:
        _forget_connections(node, address)


def _forget_connections(node: KubernetesNode, address: str) -> None:
    """Have kind's nodes take open connections for new ones: plugins judge only these, and know them from the kernel."""
    with suppress(BadInput):  # kind's nodes may be on another machine
        for machine in node.api.list("Node"):
            container = _container(machine["metadata"]["name"])
            for side in ("--orig-src", "--orig-dst"):
                container.exec_run(["conntrack", "--delete", side, address])  # it exits with 1 when there were none


def join(node: KubernetesNode) -> None:
    """Lift the policy; returns when another pod reaches it again, or it has no address."""
    node.api.delete("NetworkPolicy", _policy(node), node.facts.namespace)
    peer = _peer(node)
    address = (node.pod() or {}).get("status", {}).get("podIP")
    if address and node.state == "running":
        _wait(lambda: _reaches(node, peer, address), DONE_WITHIN_S, f"{peer} to reach {node.name} again", node)


def _policy(node: KubernetesNode) -> str:
    return f"isolated-{node.name}"


def _peer(node: KubernetesNode) -> str:
    """Another pod of the cluster, which can be asked to dial."""
    pods = node.api.list("Pod", node.facts.namespace, labelSelector="app.kubernetes.io/name=kafka")
    for pod in pods:
        if pod["metadata"]["name"] != node.name and is_ready(pod):
            return str(pod["metadata"]["name"])
    raise BadInput(f"{node.name} is alone: no other pod could tell that it is isolated.", fix="Start more brokers.")


def _reaches(node: KubernetesNode, peer: str, address: str) -> bool:
    port = INTERNAL_PORT if "broker" in node.roles else CONTROLLER_PORT
    argv = ["sh", f"{MOUNT}/answers.sh", str(port), address]
    try:
        return node.api.run(peer, node.facts.namespace, CONTAINER, argv)[0] == 0
    except ExecError:
        return False


# -- its namespace


def exhaust_quota(node: KubernetesNode) -> str:
    """Lower the quota of pods so that its pod cannot be made again, and delete that. Returns what the quota was."""
    quota = node.api.get("ResourceQuota", "quota", node.facts.namespace)
    before, used = str(quota["spec"]["hard"]["pods"]), int(quota["status"]["used"]["pods"])
    set_quota(node.api, node.facts.namespace, {"pods": str(used - 1)})
    delete_pod(node, force=False)
    _wait(lambda: node.pod() is None, DONE_WITHIN_S, f"{node.name} to have no pod", node)
    return before


def quota_of(node: KubernetesNode) -> str:
    """How many pods the namespace may have."""
    return str(node.api.get("ResourceQuota", "quota", node.facts.namespace)["spec"]["hard"]["pods"])


def set_quota(api: Api, namespace: str, hard: Mapping[str, str], *, timeout_s: float = DONE_WITHIN_S) -> None:
    """Change what a cluster's namespace may have at most; returns when Kubernetes counts by it."""
    api.patch("ResourceQuota", "quota", namespace, {"spec": {"hard": dict(hard)}})

    def counts() -> bool:
        status = api.get("ResourceQuota", "quota", namespace).get("status", {})
        return bool(hard.items() <= status.get("hard", {}).items())

    wait_until(counts, timeout_s, because=f"the quota of {namespace} to count", poll_s=POLL_S)


def nudge(node: KubernetesNode) -> None:
    """Have the StatefulSet look again now: refused often enough, it would wait for minutes."""
    component, namespace = node.name.partition("-")[0], node.facts.namespace
    node.api.patch("StatefulSet", component, namespace, {"metadata": {"annotations": {NUDGED: str(now_s())}}})
