"""What a pod's status means for the node that it is. Pure functions on the API's objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labsupport.cluster.kubernetes.names import CONTAINER, PAUSED
from labsupport.core.escape import printable

ENDED_ITSELF = (129, 130, 143)  # a JVM's own codes after HUP, INT and TERM, which it handles
HOPELESS = ("ErrImageNeverPull", "InvalidImageName", "ImagePullBackOff", "CreateContainerConfigError")
BACK_OFF = "CrashLoopBackOff"
Pod = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the supervisor is told (`Supervisor.do_seen`). `life`: the id of the container."""

    state: str
    life: str = ""
    detail: str = ""


GONE = Seen(state="stopped", detail="its pod is gone")


def seen(pod: Pod | None) -> Seen:
    """How the node is. A container that is held back has started for nobody: its startup probe fails."""
    if pod is None:
        return GONE
    container = status_of(pod)
    life = container.get("containerID", "")
    if "running" in container.get("state", {}) and container.get("started"):
        return Seen(state="paused" if is_frozen(pod, life) else "running", life=life)
    return Seen(state="stopped", life=life, detail=ending(container))


def is_frozen(pod: Pod | None, life: str) -> bool:
    """Whether we froze this very container."""
    return pod is not None and pod["metadata"].get("annotations", {}).get(PAUSED) == life


def has_ended(pod: Pod | None, life: str) -> bool:
    """Whether a container is over: it is told to have terminated, or another one is in its place."""
    status = status_of(pod or {})
    ended = [status.get(which, {}).get("terminated", {}) for which in ("state", "lastState")]
    return status.get("containerID") != life or bool(ended[0]) or ended[1].get("containerID") == life


def is_chosen(pod: Pod, selector: Mapping[str, str]) -> bool:
    """Whether a pod has all labels that a selector asks for; an empty one asks for none."""
    return selector.items() <= (pod["metadata"].get("labels") or {}).items()


def status_of(pod: Pod) -> Mapping[str, Any]:
    """The status of the container that matters; empty before there is one."""
    for status in pod.get("status", {}).get("containerStatuses", []):
        if status["name"] == CONTAINER:
            return status  # type: ignore[no-any-return]
    return {}


def container_runs(pod: Pod | None) -> bool:
    """Whether programs can be run in its container, which may be held back."""
    return pod is not None and "running" in status_of(pod).get("state", {})


def is_over(pod: Pod | None) -> bool:
    """Whether its container has ended, and no other has been made yet."""
    return pod is not None and "terminated" in status_of(pod).get("state", {})


def restarts(pod: Pod | None) -> dict[str, int]:
    """How often each of its containers has ended and been started again, those that come first included."""
    return {container["name"]: int(container.get("restartCount", 0)) for container in _statuses(pod or {})}


def _statuses(pod: Pod) -> Iterator[Mapping[str, Any]]:
    """Of all its containers, in the order in which they run."""
    for kind in ("initContainerStatuses", "containerStatuses"):
        yield from pod.get("status", {}).get(kind, [])


def backs_off(pod: Pod | None) -> bool:
    """Whether Kubernetes waits, ever longer, before it starts the container again."""
    return pod is not None and status_of(pod).get("state", {}).get("waiting", {}).get("reason") == BACK_OFF


def is_ready(pod: Pod | None) -> bool:
    """Whether its readiness probe succeeds."""
    conditions = (pod or {}).get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def ending(container: Mapping[str, Any]) -> str:
    """How the last life of a container ended, in the words of the local backend."""
    ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated") or {}
    if not ended:
        return ""
    if ended.get("reason") == "OOMKilled":
        return "out of memory"
    code = int(ended.get("exitCode", 0))
    return f"signal {code - 128}" if code > 128 and code not in ENDED_ITSELF else f"exit code {code}"


def trouble(pod: Pod | None) -> str:
    """Why a pod does not run, in Kubernetes' words; "" when it says nothing."""
    if pod is None:
        return "there is no pod"
    for container in _statuses(pod):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") and waiting["reason"] not in ("PodInitializing", "ContainerCreating"):
            return printable(f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": "), limit=300)
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return printable(f"{condition.get('reason')}: {condition.get('message', '')}", limit=300)
    return ""


def is_hopeless(pod: Pod | None) -> bool:
    """Whether waiting longer is in vain, as far as one can tell."""
    return trouble(pod).partition(":")[0] in HOPELESS
