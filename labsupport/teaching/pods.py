"""What checks and scenarios of labs about Kubernetes ask it, and what is seen from inside one of its pods.

Objects are dicts, as in manifests; every text in them comes from the API. A cluster that has ended raises `NotRunning`:
what is missing then is nobody's doing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labsupport.core.errors import LabError

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster
    from labsupport.cluster.kubernetes.space import Space

Object = dict[str, Any]
QUOTA_COUNTS_WITHIN_S = 60
_one_at_a_time = threading.Lock()  # each is a JVM, and the broker beside it needs the memory of its pod, too
# Kafka's tools beside a broker: small, and without what its server's JVM is told.
_TOOLS = (
    "export PATH=/opt/kafka/bin:$PATH KAFKA_HEAP_OPTS=-Xmx96m"
    " KAFKA_JVM_PERFORMANCE_OPTS='-XX:+UseSerialGC -XX:TieredStopAtLevel=1'; "
)


def space_of(cluster: Cluster) -> Space:
    """The namespace of a cluster that runs. Raises `NotRunning`, and `BadInput` when it runs elsewhere."""
    assert cluster.brokers[0].state  # the supervisor answers
    return cluster.kubernetes


def found(cluster: Cluster, kind: str, name: str) -> Object | None:
    """An object in the cluster's namespace as it is now, or None."""
    space = space_of(cluster)
    return space.api.find(kind, name, space.namespace)


def all_of(cluster: Cluster, kind: str) -> list[Object]:
    """All objects of a kind in the cluster's namespace, by name."""
    space = space_of(cluster)
    return sorted(space.api.list(kind, space.namespace), key=lambda item: str(item["metadata"]["name"]))


def change(cluster: Cluster, kind: str, name: str, body: Object) -> None:
    """Change what a merge patch says of an object in the cluster's namespace, and nothing else."""
    from labsupport.cluster.kubernetes.api import MERGE

    space = space_of(cluster)
    space.api.patch(kind, name, space.namespace, body, how=MERGE)


def set_quota(cluster: Cluster, hard: Mapping[str, str]) -> None:
    """Change what the namespace may have at most; returns when Kubernetes counts by it."""
    from labsupport.cluster.kubernetes import actions

    space = space_of(cluster)
    actions.set_quota(space.api, space.namespace, hard, timeout_s=QUOTA_COUNTS_WITHIN_S)


def inside(cluster: Cluster, script: str, *words: str, timeout_s: float = 60) -> str:
    """What a shell in the pod of a broker prints; `words` are its $1, $2, … and Kafka's tools are on its PATH.

    Raises `LabError` when no broker's pod is ready, or the script fails.
    """
    space = space_of(cluster)
    with _one_at_a_time:
        return space.run(_ready(space), "sh", "-c", _TOOLS + script, "sh", *words, timeout_s=timeout_s)


def _ready(space: Space) -> str:
    ready = [pod.name for pod in space.pods("broker") if pod.ready and not pod.ending]
    if not ready:
        raise LabError("No broker's pod is ready, so none can be asked.", fix="`kubectl get pods` shows how they are.")
    return ready[0]


def refusal(cluster: Cluster, pod: str) -> str:
    """Why a pod may not be evicted at the moment, in the words of Kubernetes; "" when it may. Nothing is evicted."""
    from labsupport.cluster.kubernetes.api import ApiError

    space = space_of(cluster)
    try:
        space.api.evict(pod, space.namespace, dry_run=True)
    except ApiError as error:
        if error.status != 429 and "PodDisruptionBudget" not in error.message:  # two budgets for a pod refuse it, too
            raise
        return error.message
    return ""


def uncordon(cluster: Cluster) -> None:
    """Have the nodes on which the cluster's volumes are take pods again; no error when the cluster is gone."""
    space = cluster.kubernetes
    homes = {node for claim in space.claims() for node in claim.pinned_to}
    for node in space.nodes():
        if node.name in homes and not node.schedulable:
            space.api.patch("Node", node.name, "", {"spec": {"unschedulable": False}})
