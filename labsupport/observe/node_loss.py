"""A node of Kubernetes that fell silent: what Kafka did about it, what Kubernetes did, and when. Read from a Recording.

Both are told by watchers of their own, on one clock: neither waits for the other before it is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.observe.format import Entry

if TYPE_CHECKING:
    from labsupport.observe.recording import Recording

FAULTS = frozenset({"node frozen", "node gone"})
MARKED, CANCELLED = "TaintManagerEviction", "Cancelling"  # the word of the taint-eviction controller, and its undoing


@dataclass(frozen=True, kw_only=True)
class NodeLoss:
    """Seconds from the moment when the node fell silent; None for what was not seen.

    `leader_s`: another broker led. `lost_s`: Kubernetes took the node for lost. `marked_s`: it marked the broker's pod
    for deletion. `replaced_s`: a new pod of the Deployment ran. `back_s`: the node was ready again. `again_s`: another
    pod ran under the broker's name. `in_sync_s`: the broker was in sync again.
    """

    broker: str
    deployment: str
    leader_s: float | None
    lost_s: float | None
    marked_s: float | None
    replaced_s: float | None
    back_s: float | None
    again_s: float | None
    in_sync_s: float | None

    def __repr__(self) -> str:
        """What can be judged: the order."""
        return "\n".join(f"{who}: {what}" for who, what, _ in self.marks)

    @property
    def marks(self) -> list[tuple[str, str, float]]:
        """Who did what, and when, in the order of time; as `show.clock` draws them."""
        told = (
            ("Kafka", "another leader", self.leader_s),
            ("Kubernetes", "the node is not ready", self.lost_s),
            ("Kubernetes", "its pods are marked for deletion", self.marked_s),
            ("Deployment", "a pod on another node", self.replaced_s),
            ("Kubernetes", "the node is ready again", self.back_s),
            ("StatefulSet", f"another {self.broker}", self.again_s),
            ("Kafka", f"{self.broker} is in sync again", self.in_sync_s),
        )
        seen = [(who, what, at_s) for who, what, at_s in told if at_s is not None]
        return sorted(seen, key=lambda mark: mark[2])


def node_loss(recording: Recording, topic: object, partition: int, *, deployment: str) -> NodeLoss:
    """What followed when the node under a partition's leader was frozen or switched off last, until the next time.

    `deployment`: one that had a pod on that node, too. Raises `LabError` when no node was.
    """
    events = sorted(recording.entries(kinds={"event"}), key=lambda entry: float(entry["t"]))
    begins = [event for event in events if event["what"] == "fault began" and event.get("fault") in FAULTS]
    if not begins:
        raise LabError(
            "The recording shows no node that fell silent.",
            fix="Freeze one first: `with faults.node_frozen(cluster.broker(2)): …`.",
        )
    began_s = float(begins[-1]["t"])
    return _read(_Story([e for e in events if e["t"] >= began_s], began_s), str(topic), partition, deployment)


class _Story:
    """The events from the beginning of a fault on."""

    def __init__(self, events: Sequence[Entry], began_s: float) -> None:
        self._events, self._began_s = events, began_s

    @property
    def hit(self) -> str:
        """The broker whose node it was."""
        return str(next(iter(self._events[0].get("nodes") or ()), ""))

    def first(self, good: Callable[[Entry], bool], after_s: float | None = 0.0) -> float | None:
        """When the first such thing happened, of those after a moment; None when that moment never came."""
        return next(self._times(good, after_s), None) if after_s is not None else None

    def _times(self, good: Callable[[Entry], bool], after_s: float) -> Iterator[float]:
        for event in self._events:
            at_s = round(float(event["t"]) - self._began_s, 6)
            if at_s >= after_s and good(event):
                yield at_s


def _read(story: _Story, topic: str, partition: int, deployment: str) -> NodeLoss:
    broker = story.hit
    number = int(broker.rpartition("-")[2] or 0)

    def told(event: Entry, what: str, reason: str) -> bool:
        named = str(event.get("object", "")).startswith(what)
        return bool(event["what"] == "kubernetes" and named and event.get("reason") == reason)

    def of_partition(event: Entry, what: str) -> bool:
        return bool(event["what"] == what and (event.get("topic"), event.get("partition")) == (topic, partition))

    def marked(event: Entry) -> bool:
        return told(event, f"pod/{broker}", MARKED) and not str(event.get("message", "")).startswith(CANCELLED)

    lost_s = story.first(lambda e: told(e, "node/", "NotReady"))
    back_s = story.first(lambda e: told(e, "node/", "Ready"), lost_s)
    again_s = story.first(lambda e: told(e, f"pod/{broker}", "Started"), lost_s)
    return NodeLoss(
        broker=printable(broker, limit=60),
        deployment=printable(deployment, limit=60),
        leader_s=story.first(lambda e: of_partition(e, "leader") and e.get("node") not in (None, number)),
        lost_s=lost_s,
        marked_s=story.first(marked),
        replaced_s=story.first(lambda e: told(e, f"pod/{deployment}-", "Started"), lost_s),
        back_s=back_s,
        again_s=again_s,
        in_sync_s=story.first(lambda e: of_partition(e, "isr") and number in e.get("isr", ()), back_s),
    )
