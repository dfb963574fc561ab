"""What Kubernetes does with a cluster's objects, as words for its Recording. Pure functions, and a memory of the last.

A piece of news is {"object": "pod/broker-1", "reason": …, "message": …}; text from Kubernetes is escaped and cut here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labsupport.cluster.kubernetes.names import CONTAINER
from labsupport.cluster.kubernetes.pods import status_of
from labsupport.core.escape import printable

MESSAGE_LIMIT = 200
News = dict[str, str]
# Said of probes again and again, and no news: a node that is held back or frozen fails them on purpose.
BORING = frozenset(
    {"Unhealthy", "NoPods", "SuccessfulCreate", "ExternalProvisioning", "Provisioning", "WaitForFirstConsumer"}
)


def news(what: str, reason: object, message: object = "") -> News:
    """One piece."""
    return {
        "object": printable(what, limit=100),
        "reason": printable(reason, limit=60),
        "message": printable(message, limit=MESSAGE_LIMIT),
    }


def of_event(event: Mapping[str, Any]) -> News | None:
    """An Event object: scheduled, pulled, killed, back-off, evicted; None for what is no news."""
    about = event.get("involvedObject", {})
    if event.get("reason") in BORING or not about.get("name"):
        return None
    return news(
        f"{str(about.get('kind', '')).lower()}/{about['name']}", event.get("reason"), event.get("message") or ""
    )


class Memory:
    """Tells what changed since the last look at an object."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], object] = {}

    def claim(self, claim: Mapping[str, Any] | None, name: str) -> Iterator[News]:
        """A PersistentVolumeClaim: Pending, Bound, Lost, or gone."""
        phase = "Gone" if claim is None else claim.get("status", {}).get("phase", "Pending")
        if self._is_new("claim", name, phase):
            volume = "" if claim is None else claim["spec"].get("volumeName", "")
            yield news(f"persistentvolumeclaim/{name}", phase, volume and f"volume {volume}")

    def restarts(self, pod: Mapping[str, Any]) -> Iterator[News]:
        """The count of a pod's restarts, which begins anew with another pod."""
        name, count = pod["metadata"]["name"], int(status_of(pod).get("restartCount", 0))
        if self._is_new("restarts", f"{name} {pod['metadata']['uid']}", count) and count:
            yield news(f"pod/{name}", "Restarted", f"container {CONTAINER}, restart {count}")

    def node(self, node: Mapping[str, Any] | None, name: str) -> Iterator[News]:
        """A node's readiness, whether it takes pods, and its taints."""
        if node is None:
            if self._is_new("node ready", name, "Gone"):
                yield news(f"node/{name}", "Gone")
            return
        conditions: list[dict[str, str]] = node["status"].get("conditions", [])
        ready: dict[str, str] = next((c for c in conditions if c["type"] == "Ready"), {})
        if self._is_new("node ready", name, ready.get("status"), quiet="True"):
            yield news(
                f"node/{name}", "Ready" if ready.get("status") == "True" else "NotReady", ready.get("message", "")
            )
        cordoned = bool(node["spec"].get("unschedulable"))
        if self._is_new("cordoned", name, cordoned, quiet=False):
            yield news(f"node/{name}", "Cordoned" if cordoned else "Uncordoned")
        taints = sorted(f"{t['key']}:{t['effect']}" for t in node["spec"].get("taints", []))
        if self._is_new("taints", name, taints):
            yield news(f"node/{name}", "Taints", ", ".join(taints) or "none")

    def _is_new(self, what: str, name: str, value: object, *, quiet: object = None) -> bool:
        """Whether it changed. What was never seen before is no news when it is `quiet`, or, of taints, at all."""
        key = (what, name)
        first = key not in self._known
        changed = self._known.get(key) != value
        self._known[key] = value
        return changed and not (first and (what == "taints" or value == quiet))
