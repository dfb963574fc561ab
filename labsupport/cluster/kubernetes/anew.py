"""Begin anew in the namespace of a running cluster: all that is in it goes, volumes too, and it is filled as at first.

The cluster keeps its name, its ports and its id. Whatever was done to it with kubectl does not matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from labsupport.cluster.kubernetes.api import Api, ApiError, Object
from labsupport.cluster.kubernetes.names import APPLIED
from labsupport.cluster.kubernetes.node import KubernetesNode
from labsupport.cluster.kubernetes.pods import is_ready
from labsupport.core.wait import wait_until

_FORWARDED = re.compile(r"127\.0\.0\.1:\d+")
GONE_WITHIN_S, BACK_WITHIN_S = 120, 240
POLL_S = 0.3
# What makes pods first, so that none of them is made again; claims go when no pod uses them any more.
TAKEN_AWAY: tuple[str, ...] = ("StatefulSet", "PodDisruptionBudget", "NetworkPolicy", "ResourceQuota", "LimitRange")
TAKEN_AWAY += ("Service", "ConfigMap", "Pod", "PersistentVolumeClaim")
KEPT = ("kube-root-ca.crt",)  # Kubernetes puts it into every namespace
FURNITURE = ("Namespace", "ResourceQuota", "LimitRange", "ConfigMap", "Service", "PodDisruptionBudget", "StatefulSet")


def begin_anew(nodes: Sequence[KubernetesNode]) -> None:
    """Return when all nodes of a cluster serve again, with empty volumes. Raises `LabError` when they do not."""
    api, namespace = nodes[0].api, nodes[0].facts.namespace
    _take_away(api, namespace)
    for node in nodes:
        node.wait_for_state("stopped", timeout_s=BACK_WITHIN_S)
    items = json.loads((nodes[0].supervised.folder / APPLIED).read_text())
    for item in sorted(items, key=lambda item: FURNITURE.index(item["kind"])):
        if item["kind"] != "Namespace":
            _apply(api, item)
    for node in nodes:
        node.wait_until_it_runs(timeout_s=BACK_WITHIN_S)
    brokers = sum("broker" in node.roles for node in nodes)
    for node in nodes:
        node.wait_until_ready(timeout_s=BACK_WITHIN_S, known=brokers if "broker" in node.roles else 1)
    waited = "Kubernetes to take all pods for ready"  # it asks them every few seconds
    wait_until(lambda: all(is_ready(node.pod()) for node in nodes), BACK_WITHIN_S, because=waited, poll_s=POLL_S)


def declared_in(api: Api, namespace: str) -> Object:
    """What is declared in a namespace, by kind and name, without what differs from one cluster to the next."""
    return {
        f"{kind} {item['metadata']['name']}": _own(item)
        for kind in TAKEN_AWAY
        for item in api.list(kind, namespace)
        if item["metadata"]["name"] not in KEPT and kind != "Pod"
    }


def _own(item: Object) -> Object:
    """Ports of port-forwards, the cluster's id, and volumes are each cluster's own."""
    if "data" in item:
        return {
            name: _FORWARDED.sub("127.0.0.1:*", text) for name, text in item["data"].items() if name != "cluster-id"
        }
    return {name: value for name, value in item["spec"].items() if name != "volumeName"}


def _take_away(api: Api, namespace: str) -> None:
    for kind in TAKEN_AWAY:
        for item in api.list(kind, namespace):
            if item["metadata"]["name"] not in KEPT:
                _delete(api, kind, namespace, item["metadata"]["name"])

    def gone() -> bool:
        return not any(api.list(kind, namespace) for kind in ("Pod", "PersistentVolumeClaim"))

    wait_until(gone, GONE_WITHIN_S, because=f"the pods and claims in {namespace} to be gone", poll_s=POLL_S)


def _delete(api: Api, kind: str, namespace: str, name: str) -> None:
    """The data go, too, so no pod needs time for a shutdown in good order."""
    options: Object = {"gracePeriodSeconds": 1} if kind == "Pod" else {"propagationPolicy": "Background"}
    api.delete(kind, name, namespace, **options)


def _apply(api: Api, item: Object) -> None:
    """A quota that was deleted a moment ago may still be counted; nothing else is refused for long."""

    def applied() -> bool:
        try:
            api.apply(item)
        except ApiError as error:
            if error.status not in (403, 409):
                raise
            return False
        return True

    wait_until(applied, GONE_WITHIN_S, because=f"{item['kind']} {item['metadata']['name']} to be taken", poll_s=POLL_S)
