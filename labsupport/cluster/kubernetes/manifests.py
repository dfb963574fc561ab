"""The manifests of `deploy/manifests/`, changed into what a spec asks for. Pure functions but for `load`."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labsupport.cluster.kubernetes.api import Object
from labsupport.cluster.kubernetes.layout import Layout
from labsupport.cluster.kubernetes.names import COMPONENT, CONTROLLER_PORT, MANAGED_BY, MANAGER
from labsupport.core.errors import LabError

FOLDER = Path(__file__).parents[3] / "deploy" / "manifests"
THROUGHPUT = {  # of a broker: as the local backend gives it
    "KAFKA_HEAP_OPTS": "-Xms1g -Xmx1g",
    "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -Djava.awt.headless=true",
}
THROUGHPUT_MB = {"requests": 1400, "limits": 2048}
# What the quota leaves beside the nodes: the pods of a lesson, and a node's next pod before its last one is gone.
ROOM = {"pods": 10, "cpu_m": 1000, "memory_mb": 2048, "claims": 6, "storage_mb": 6 * 1024}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a backend fills in. `flags`: more JVM flags by component, for the image's start-up caches."""

    layout: Layout
    image: str
    cluster_id: str
    annotations: dict[str, str] = field(default_factory=dict)
    flags: dict[str, str] = field(default_factory=dict)


def load(mode: str, folder: Path = FOLDER) -> list[Object]:
    """The objects of one mode, `kraft` or `zookeeper`, in the order of its kustomization. Raises `LabError`."""
    import yaml  # type: ignore[import-untyped]

    path = folder / mode
    if path.is_file():
        return [item for item in yaml.safe_load_all(path.read_text()) if item]
    try:
        resources = yaml.safe_load((path / "kustomization.yaml").read_text())["resources"]
    except FileNotFoundError as error:
        raise LabError(
            f"The manifests are missing: there is no {path}.", fix="Run the lab from its checkout, which has them."
        ) from error
    return [item for resource in resources for item in load(resource, path)]


def fill_in(items: list[Object], wanted: Wanted) -> list[Object]:
    """The same objects for a spec: who is not in it is left out, and nothing is added."""
    components = {place.component for place in wanted.layout.places}
    filled = []
    for original in items:
        item = deepcopy(original)
        component = item["metadata"].get("labels", {}).get(COMPONENT) or item["metadata"]["name"]
        if item["kind"] in ("Service", "StatefulSet", "PodDisruptionBudget") and component not in components:
            continue
        _into_namespace(item, wanted)
        _FILL.get(item["kind"], _leave)(item, wanted)
        filled.append(item)
    _quota(filled)
    return filled


def _into_namespace(item: Object, wanted: Wanted) -> None:
    meta = item["metadata"]
    meta.setdefault("labels", {})[MANAGED_BY] = MANAGER
    if item["kind"] == "Namespace":
        meta["name"] = wanted.layout.namespace
        meta["annotations"] = {**meta.get("annotations", {}), **wanted.annotations}
    else:
        meta["namespace"] = wanted.layout.namespace


def _leave(_item: Object, _wanted: Wanted) -> None:
    """As it is."""


def _config(item: Object, wanted: Wanted) -> None:
    if item["metadata"]["name"] == "config":
        has_id = "cluster-id" in item["data"]
        item["data"] = ({"cluster-id": wanted.cluster_id} if has_id else {}) | wanted.layout.config()


def _service(item: Object, wanted: Wanted) -> None:
    if item["metadata"]["name"] == "brokers" and wanted.layout.spec.combined:
        item["spec"]["ports"].append({"name": "controller", "port": CONTROLLER_PORT})


def _stateful_set(item: Object, wanted: Wanted) -> None:
    spec, component = wanted.layout.spec, item["metadata"]["name"]
    mine = [place for place in wanted.layout.places if place.component == component]
    item["spec"]["replicas"] = len(mine)
    item["spec"]["ordinals"] = {"start": mine[0].node_id}
    template = item["spec"]["template"]["spec"]
    item["spec"]["template"]["metadata"]["labels"][MANAGED_BY] = MANAGER
    for container in containers(item):
        container["image"] = wanted.image
    (kafka,) = template["containers"]
    if component == "broker" and spec.combined:
        kafka["ports"].append({"name": "controller", "containerPort": CONTROLLER_PORT})
    if component == "broker" and spec.profile == "throughput":
        for name, value in THROUGHPUT.items():
            _set_variable(kafka, name, value)
        for kind, size_mb in THROUGHPUT_MB.items():
            kafka["resources"][kind]["memory"] = f"{size_mb}Mi"
    elif component in wanted.flags:
        name = "KAFKA_JVM_PERFORMANCE_OPTS"
        _set_variable(kafka, name, f"{_variable(kafka, name)} {wanted.flags[component]}")


def containers(item: Object) -> Iterator[dict[str, Any]]:
    """The containers of a StatefulSet, the first ones first."""
    template = item["spec"]["template"]["spec"]
    yield from template.get("initContainers", [])
    yield from template["containers"]


def _variable(container: Object, name: str) -> str:
    return str(next(row["value"] for row in container["env"] if row["name"] == name))


def _set_variable(container: Object, name: str, value: str) -> None:
    for row in container["env"]:
        if row["name"] == name:
            row["value"] = value


def _quota(items: list[Object]) -> None:
    """What the nodes ask for, and some room."""
    need = needs(items)
    for item in items:
        if item["kind"] == "ResourceQuota":
            item["spec"]["hard"] = {
                "pods": str(need["pods"] + ROOM["pods"]),
                "requests.cpu": f"{need['cpu_m'] + ROOM['cpu_m']}m",
                "requests.memory": f"{need['memory_mb'] + ROOM['memory_mb']}Mi",
                "limits.memory": f"{need['most_memory_mb'] + 2 * ROOM['memory_mb']}Mi",
                "persistentvolumeclaims": str(need["pods"] + ROOM["claims"]),
                "requests.storage": f"{need['storage_mb'] + ROOM['storage_mb']}Mi",
            }


def needs(items: list[Object]) -> dict[str, int]:
    """What all nodes of these objects ask for together."""
    total = dict.fromkeys(("pods", "cpu_m", "memory_mb", "most_memory_mb", "storage_mb"), 0)
    for item in (item for item in items if item["kind"] == "StatefulSet"):
        (kafka,) = item["spec"]["template"]["spec"]["containers"]
        (claim,) = item["spec"]["volumeClaimTemplates"]
        one = {
            "pods": 1,
            "cpu_m": milli_cpu(kafka["resources"]["requests"]["cpu"]),
            "memory_mb": megabytes(kafka["resources"]["requests"]["memory"]),
            "most_memory_mb": megabytes(kafka["resources"]["limits"]["memory"]),
            "storage_mb": megabytes(claim["spec"]["resources"]["requests"]["storage"]),
        }
        total = {name: total[name] + item["spec"]["replicas"] * one[name] for name in total}
    return total


def milli_cpu(quantity: object) -> int:
    """Kubernetes' words for processor time, in thousandths of a core."""
    words = str(quantity)
    return int(words[:-1]) if words.endswith("m") else round(1000 * float(words))


def megabytes(quantity: object) -> int:
    """Kubernetes' words for memory and storage, in MB of 2**20 bytes."""
    words = str(quantity)
    binary = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    decimal = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "m": 0.001}
    for unit, size in (*binary.items(), *decimal.items()):
        if words.endswith(unit):
            return int(float(words[: -len(unit)]) * size / 2**20)
    return int(float(words) / 2**20)


_FILL = {"ConfigMap": _config, "Service": _service, "StatefulSet": _stateful_set}
