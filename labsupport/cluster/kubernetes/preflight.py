"""Refuse in one sentence, before anything is made, where no cluster of ours can be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labsupport.cluster.kubernetes.api import Api, ApiError, Object
from labsupport.cluster.kubernetes.manifests import megabytes, milli_cpu
from labsupport.core.errors import LabError

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
OVER = ("Succeeded", "Failed")


def check(api: Api, need: dict[str, int]) -> None:
    """Raises `LabError` when nobody answers, or we may not, or a volume or memory is not to be had."""
    _check_rights(api)
    _check_storage(api)
    _check_room(api, need)


def _check_rights(api: Api) -> None:
    wish = {"verb": "create", "resource": "namespaces"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": {"resourceAttributes": wish},
    }
    if not api.create(review).get("status", {}).get("allowed"):
        raise LabError(
            f"You may not create namespaces in {api.access.context}, and each cluster of the lab has one of its own.",
            fix="Choose another context (KAFKA_LAB_CONTEXT), or make a cluster here: `kafka-lab kubernetes create`.",
        )


def _check_storage(api: Api) -> None:
    try:
        classes = api.list("StorageClass")
    except ApiError as error:
        if error.status == 403:  # we may not know; the volume claims will tell
            return
        raise
    if not any(item["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true" for item in classes):
        raise LabError(
            f"{api.access.context} has no default StorageClass, so no broker would get a volume.",
            fix=f"Mark one with the annotation {DEFAULT_CLASS}: 'true'.",
        )


def _check_room(api: Api, need: dict[str, int]) -> None:
    try:
        nodes, pods = api.list("Node"), api.list("Pod")
    except ApiError as error:
        if error.status == 403:
            return
        raise
    memory_mb, cpu_m = room(nodes, pods)
    if memory_mb < need["memory_mb"]:
        raise LabError(
            f"This cluster asks for {need['memory_mb']} MB of memory, and the nodes of {api.access.context} have "
            f"{max(memory_mb, 0)} MB to give.",
            fix="End other clusters (`kafka-lab status`), or start fewer brokers.",
        )
    if cpu_m < need["cpu_m"]:
        raise LabError(
            f"This cluster asks for {need['cpu_m'] / 1000:g} cores, and the nodes of {api.access.context} have "
            f"{max(cpu_m, 0) / 1000:g} to give.",
            fix="End other clusters (`kafka-lab status`), or start fewer brokers.",
        )


def room(nodes: Iterable[Object], pods: Iterable[Object]) -> tuple[int, int]:
    """Memory in MB and thousandths of a core that pods may still ask for, on nodes that take any."""
    takers = {node["metadata"]["name"]: node for node in nodes if _takes_pods(node)}
    memory_mb = sum(megabytes(node["status"]["allocatable"]["memory"]) for node in takers.values())
    cpu_m = sum(milli_cpu(node["status"]["allocatable"]["cpu"]) for node in takers.values())
    for pod in pods:
        if pod["spec"].get("nodeName") in takers and pod.get("status", {}).get("phase") not in OVER:
            for container in pod["spec"]["containers"]:
                asked: dict[str, Any] = container.get("resources", {}).get("requests", {})
                memory_mb -= megabytes(asked.get("memory", 0))
                cpu_m -= milli_cpu(asked.get("cpu", 0))
    return memory_mb, cpu_m


def _takes_pods(node: Object) -> bool:
    taints = node["spec"].get("taints", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions", []))
    return ready and not any(taint["effect"] in ("NoSchedule", "NoExecute") for taint in taints)
