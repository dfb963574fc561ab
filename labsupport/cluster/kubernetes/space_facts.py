"""What Kubernetes says of pods, as plain facts, and what became of them step by step. Pure functions of API objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ZONE_LABEL = "topology.kubernetes.io/zone"
HOST_LABELS = ("kubernetes.io/hostname", "topology.kubernetes.io/hostname")  # in the node affinity of local volumes
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_NUMBER = re.compile(r"\d+")

What = Literal["created", "ready", "not ready", "ending", "gone"]


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod at one moment. Every text comes from the API: escape it before it is shown.

    `uid`: who it is; a pod that takes another's place has another. `owner`: kind and name of what declares it, such as
    ("StatefulSet", "gate"), or ("Deployment", "desk") when its ReplicaSet belongs to one; ("", "") for a pod alone.
    `claims`: the names of its PersistentVolumeClaims. `restarts`: of all its containers, in this very pod. `ending`:
    it was asked to end. `reason`: why a container waits or why it cannot be scheduled, "" else.
    """

    name: str
    uid: str
    ip: str = ""
    node: str = ""
    zone: str = ""
    phase: str = ""
    ready: bool = False
    ending: bool = False
    restarts: int = 0
    claims: tuple[str, ...] = ()
    owner: tuple[str, str] = ("", "")
    reason: str = ""

    def __repr__(self) -> str:
        return f"<{self.name}: {self.state}>"

    @property
    def stuck(self) -> bool:
        """Whether the scheduler has looked at it, and found no node that would do."""
        return self.reason == "Unschedulable"

    @property
    def state(self) -> str:
        """In one word or two: ready, not ready, ending."""
        return "ending" if self.ending else "ready" if self.ready else "not ready"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node of the Kubernetes cluster. `schedulable`: it takes new pods (it is not cordoned)."""

    name: str
    zone: str = ""
    ready: bool = True
    schedulable: bool = True


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A PersistentVolumeClaim. `phase`: Pending or Bound; `pinned_to`: the nodes on which its volume can be used, none
    when that may be anywhere or is not known yet; `storage_class`: who makes its volume."""

    name: str
    phase: str = ""
    size: str = ""
    storage_class: str = ""
    volume: str = ""
    pinned_to: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{self.name}: {self.phase}>"


@dataclass(frozen=True, kw_only=True)
class StorageClass:
    """Who makes volumes for claims that name it, or for those that name none when it is the default.

    `waits`: it makes none before a pod wants it (`volumeBindingMode: WaitForFirstConsumer`).
    """

    name: str
    provisioner: str = ""
    waits: bool = False
    default: bool = False


@dataclass(frozen=True, kw_only=True)
class Event:
    """What Kubernetes wrote down about an object: `kind` and `name` of that, a reason in one word, and a sentence.

    `source`: the part of Kubernetes that says so, such as "default-scheduler" or "kubelet".
    """

    kind: str
    name: str
    reason: str
    message: str
    count: int = 1
    source: str = ""

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}: {self.reason}>"


@dataclass(frozen=True)
class Step:
    """Something that happened to a pod."""

    pod: Pod
    what: What

    def __str__(self) -> str:
        return f"{self.pod.name} {self.what}"


@dataclass(frozen=True)
class Steps:
    """What happened to pods, in the order in which the API told it. `began` is what was there before."""

    began: tuple[Pod, ...]
    steps: tuple[Step, ...] = field(default=())

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines())

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        return "\n".join(self.lines()) or "nothing happened"

    def lines(self) -> list[str]:
        """Each step as "gate-0 created"; whether a pod that ends is still ready is left out."""
        return [str(step) for step in self.steps if step.what != "not ready"]

    def order(self, what: What) -> list[str]:
        """The names of the pods to which this happened, in that order."""
        return [step.pod.name for step in self.steps if step.what == what]

    def of(self, owner: str) -> Steps:
        """Only what happened to the pods of one StatefulSet or Deployment."""
        mine = tuple(step for step in self.steps if step.pod.owner[1] == owner)
        return Steps(tuple(pod for pod in self.began if pod.owner[1] == owner), mine)

    @property
    def most_at_once(self) -> int:
        """How many pods there were at most, those that ended included, until they were gone."""
        return max(len(there) for there, _ in self._counted())

    @property
    def most_away(self) -> int:
        """How many names were without a pod at most, from when one was asked to end until another was ready."""
        away: set[str] = set()
        most = 0
        for step in self.steps:
            if step.what == "ending":
                away.add(step.pod.name)
            elif step.what == "ready":
                away.discard(step.pod.name)
            most = max(most, len(away))
        return most

    @property
    def fewest_ready(self) -> int:
        """How many were ready at least; one that is ending does not count."""
        return min(len(ready) for _, ready in self._counted())

    def _counted(self) -> Iterator[tuple[set[str], set[str]]]:
        there = {pod.uid for pod in self.began}
        ready = {pod.uid for pod in self.began if pod.ready and not pod.ending}
        yield set(there), set(ready)
        for step in self.steps:
            (there.discard if step.what == "gone" else there.add)(step.pod.uid)
            (ready.add if step.what == "ready" else ready.discard)(step.pod.uid)
            yield set(there), set(ready)


def pod_of(raw: Mapping[str, Any], zones: Mapping[str, str]) -> Pod:
    """The facts of a pod, from the API's JSON; `zones` by the name of the node."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    containers = status.get("containerStatuses") or []
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    node = spec.get("nodeName") or ""
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        ip=status.get("podIP") or "",
        node=node,
        zone=zones.get(node, ""),
        phase=status.get("phase") or "",
        ready=conditions.get("Ready", {}).get("status") == "True",
        ending=bool(meta.get("deletionTimestamp")),
        restarts=sum(int(each.get("restartCount") or 0) for each in containers),
        claims=tuple(
            volume["persistentVolumeClaim"]["claimName"]
            for volume in spec.get("volumes") or []
            if volume.get("persistentVolumeClaim")
        ),
        owner=_owner(meta),
        reason=_reason(containers, conditions),
    )


def _owner(meta: Mapping[str, Any]) -> tuple[str, str]:
    for owner in meta.get("ownerReferences") or []:
        kind, name = str(owner["kind"]), str(owner["name"])
        mark = str((meta.get("labels") or {}).get("pod-template-hash", ""))
        if kind == "ReplicaSet" and mark and name.endswith(f"-{mark}"):
            return "Deployment", name.removesuffix(f"-{mark}")
        return kind, name
    return "", ""


def _reason(containers: list[Mapping[str, Any]], conditions: Mapping[str, Mapping[str, Any]]) -> str:
    for container in containers:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return str(waiting["reason"])
    scheduled = conditions.get("PodScheduled", {})
    return str(scheduled.get("reason") or "") if scheduled.get("status") == "False" else ""


def node_of(raw: Mapping[str, Any]) -> Node:
    """The facts of a node, from the API's JSON."""
    conditions = {each["type"]: each["status"] for each in (raw.get("status") or {}).get("conditions") or []}
    return Node(
        name=raw["metadata"]["name"],
        zone=(raw["metadata"].get("labels") or {}).get(ZONE_LABEL, ""),
        ready=conditions.get("Ready") == "True",
        schedulable=not (raw.get("spec") or {}).get("unschedulable"),
    )


def claim_of(raw: Mapping[str, Any], volume: Mapping[str, Any] | None) -> Claim:
    """The facts of a claim, from the API's JSON and that of its volume, if there is one and we may see it."""
    spec, status = raw.get("spec") or {}, raw.get("status") or {}
    affinity = (((volume or {}).get("spec") or {}).get("nodeAffinity") or {}).get("required") or {}
    nodes = [
        str(value)
        for term in affinity.get("nodeSelectorTerms") or []
        for rule in term.get("matchExpressions") or []
        if rule.get("key") in HOST_LABELS and rule.get("operator") == "In"
        for value in rule.get("values") or []
    ]
    return Claim(
        name=raw["metadata"]["name"],
        phase=status.get("phase") or "",
        size=str((status.get("capacity") or {}).get("storage") or ""),
        storage_class=spec.get("storageClassName") or "",
        volume=spec.get("volumeName") or "",
        pinned_to=tuple(nodes),
    )


def storage_class_of(raw: Mapping[str, Any]) -> StorageClass:
    """The facts of a storage class, from the API's JSON."""
    notes = raw["metadata"].get("annotations") or {}
    return StorageClass(
        name=raw["metadata"]["name"],
        provisioner=raw.get("provisioner") or "",
        waits=raw.get("volumeBindingMode") == "WaitForFirstConsumer",
        default=notes.get(DEFAULT_CLASS) == "true",
    )


def event_of(raw: Mapping[str, Any]) -> Event:
    """The facts of an event, from the API's JSON (core/v1)."""
    about = raw.get("involvedObject") or {}
    return Event(
        kind=about.get("kind") or "",
        name=about.get("name") or "",
        reason=raw.get("reason") or "",
        message=raw.get("message") or "",
        count=int(raw.get("count") or 1),
        source=(raw.get("source") or {}).get("component") or raw.get("reportingComponent") or "",
    )


def event_time(raw: Mapping[str, Any]) -> datetime:
    """When an event was seen last."""
    told = raw.get("lastTimestamp") or raw.get("eventTime") or raw["metadata"]["creationTimestamp"]
    return datetime.fromisoformat(str(told).replace("Z", "+00:00"))


def by_number(name: str) -> tuple[object, ...]:
    """A key that sorts gate-10 behind gate-9."""
    return (_NUMBER.sub("", name), [int(digits) for digits in _NUMBER.findall(name)])


def steps_to(known: dict[str, Pod], told: str, pod: Pod) -> list[Step]:
    """What an event of a watch says that was not known; `told` is ADDED, MODIFIED or DELETED. `known` is brought along.

    By uid: a pod that takes another's place is another pod.
    """
    before = known.get(pod.uid)
    if told == "DELETED":
        known.pop(pod.uid, None)
        return [Step(pod, "gone")] if before is not None else []
    known[pod.uid] = pod
    steps: list[Step] = [] if before is not None else [Step(pod, "created")]
    if pod.ending and not (before is not None and before.ending):
        steps.append(Step(pod, "ending"))
    was_ready = before is not None and before.ready
    if pod.ready and not was_ready and not pod.ending:
        steps.append(Step(pod, "ready"))
    if was_ready and not pod.ready and not pod.ending:
        steps.append(Step(pod, "not ready"))
    return steps
