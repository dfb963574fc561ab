"""The cluster map: a live picture that moves while a cell runs, with buttons that break and mend a broker.

It reads the cluster's Recording and draws what stands there. Only its buttons reach the cluster, each on a thread of
its own: the message of a click comes in on a subshell of the kernel (JupyterLab 4.4, ipykernel 7.3.0) while the main
one is busy with a cell, and has to be answered at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from labsupport.core import notebook
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError, NotRunning
from labsupport.core.escape import printable
from labsupport.core.journal import Journal
from labsupport.views import kernel, map_svg
from labsupport.views.live import Ticker
from labsupport.views.source import MapSource
from labsupport.views.state import MapState, NodeView, PartitionView, note

log = logging.getLogger(__name__)

TICK_S = 0.1
SETTLE_S = 2.0
CLOSED = "The cluster is closed. This is its last state; the buttons are off."
REPLACED = "This map has stopped: the cluster is drawn again elsewhere. The buttons are off."
# What a button does: the method of Broker, the event that is written, the fault it belongs to, the words for it.
DEEDS: dict[str, tuple[str, str, str]] = {
    "kill": ("fault began", "killed", "killed"),
    "start": ("fault healed", "killed", "started"),
    "pause": ("fault began", "paused", "paused"),
    "resume": ("fault healed", "paused", "resumed"),
}


class MappedCluster(Protocol):
    """What the map needs of a `labsupport.cluster.Cluster`."""

    @property
    def brokers(self) -> tuple[Any, ...]: ...

    @property
    def recording(self) -> Any: ...

    def broker(self, node_id: int, /) -> Any: ...

    def metadata(self) -> Any: ...


class ClusterMap:
    """A cluster, drawn. In a notebook it moves until the cluster closes or is drawn again; elsewhere it is still.

    `cluster` is a running `Cluster`. The map never raises because of the cluster: what a button could not do is said
    in the map, in one sentence.
    """

    def __init__(self, cluster: MappedCluster) -> None:
        self._cluster = cluster
        self._source = MapSource(cluster.recording)
        self._widget: Any = None
        self._ticker: Ticker | None = None
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        self._state = MapState()
        self._moves = 0  # how often a leader moved in this picture
        self._undrawn: dict[int, list[PartitionView]] = {}  # by that number: what no page has said to have drawn

    # What the reader sees

    def __repr__(self) -> str:
        return self._settled().text()

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        state = self._settled()
        bundle: dict[str, Any] = {"text/plain": state.text(), "text/html": str(map_svg.map_html(state))}
        if notebook.in_kernel():
            bundle |= kernel.view_of(self._live(state))
        return bundle

    def svg(self) -> str:
        """The state so far as a still SVG."""
        return str(map_svg.map_svg(self._settled()))

    def _settled(self) -> MapState:
        """The recorded state, once it has caught up with the cluster (at most `SETTLE_S` seconds), since the text is
        compared: it must not depend on which of two threads was faster."""
        deadline = now_s() + SETTLE_S
        while True:
            state = self._source.poll()
            if self._source.closed or now_s() > deadline or self._current(state):
                return state
            time.sleep(0.02)

    def _current(self, state: MapState) -> bool:
        real = {broker.node_id: broker.state for broker in self._cluster.brokers}
        if any(node.state != real.get(node.node_id) and not _on_its_way(node, real) for node in state.brokers):
            return False
        if state.controller is None:  # it is not compared, but the legend of the picture speaks of it
            return False
        try:
            topics = self._cluster.metadata().topics
        except LabError:  # nobody answers, so the watcher has learnt no more than we have
            return True
        seen = {
            (name, number): (info.leader, sorted(info.isr))
            for name, parts in topics.items()
            for number, info in parts.items()
        }
        named = {name for name in topics if not name.startswith("__")}
        return named == state.topics and all(
            seen.get((p.topic, p.partition)) == (p.leader, sorted(p.isr)) for p in state.partitions
        )

    # The live view

    def _live(self, state: MapState) -> Any:
        with self._lock:
            if self._widget is None:
                self._state = state
                self._widget = kernel.map_widget()(plan=state.plan(), now=state.now())
                self._widget.on_msg(self._on_message)
                self._ticker = Ticker(
                    (id(self._cluster), "map"),
                    self._widget,
                    tick=self.tick,
                    closed=lambda: self._source.closed,
                    every_s=TICK_S,
                    replaced=REPLACED,
                    ended=CLOSED,
                )
        return self._widget

    def stop(self, reason: str = REPLACED) -> None:
        """Leave the picture as it is, switch the buttons off and say why. May be called twice."""
        if self._ticker is not None:
            self._ticker.stop(reason)

    def tick(self) -> None:
        """Draw what the Recording holds by now; nothing is sent when nothing changed."""
        state = self._source.poll()
        before, self._state = self._state, state
        if state == before:
            return
        said = note(before, state)
        moved = _moved(before, state)
        if moved:
            self._moves += 1
            self._undrawn[self._moves] = moved
        with self._widget.hold_sync():  # one message, not four
            self._widget.plan = state.plan()
            self._widget.now = {**state.now(), "d": self._moves} if self._moves else state.now()
            if said:
                self._widget.note = said
        self._tell(moved, "sent")

    def _tell(self, moved: Sequence[PartitionView], seen: str) -> None:
        """Write down when the picture changed: a tick was sent, or a page has drawn it."""
        for part in moved:
            journal: Journal = self._cluster.recording
            journal.event("picture", topic=part.topic, partition=part.partition, node=part.leader, seen=seen)

    # The buttons

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        """Runs on the kernel's subshell while a cell may be running: answers at once, the work is a thread's."""
        if not isinstance(content, Mapping):
            return
        what = content.get("do")
        if what == "hello":
            self._widget.send({"what": "hello"})
        elif what == "drawn":
            number = content.get("number")
            for older in [n for n in list(self._undrawn) if isinstance(number, int) and n <= number]:
                self._tell(self._undrawn.pop(older, []), "drawn")
        elif isinstance(what, str) and what in DEEDS:
            self._click(what, content.get("node"), content.get("click"))

    def _click(self, what: str, node_id: object, click: object) -> None:
        error = self._refusal(what, node_id)
        self._widget.send({"what": "got", "click": click, "node": node_id, "error": error})  # before "done", always
        if not error:
            threading.Thread(target=self._act, args=(what, node_id), name=f"kafka-lab {what}", daemon=True).start()

    def _refusal(self, what: str, node_id: object) -> str:
        if self._ticker is None or self._ticker.stopped or self._source.closed:
            return f"The cluster is closed, so broker {printable(node_id, limit=20)} cannot be {DEEDS[what][2]}."
        known = {broker.node_id for broker in self._cluster.brokers}
        if not isinstance(node_id, int) or node_id not in known:
            return f"There is no broker {printable(node_id, limit=20)} in this cluster."
        with self._lock:
            if node_id in self._busy:
                return f"Broker {node_id} is still busy with the last click."
            self._busy.add(node_id)
        return ""

    def _act(self, what: str, node_id: int) -> None:
        event, fault, done = DEEDS[what]
        began_s = now_s()
        error = ""
        try:
            getattr(self._cluster.broker(node_id), what)()
            journal: Journal = self._cluster.recording
            at_s = began_s if event == "fault began" else now_s()
            journal.event(event, t_s=at_s, fault=fault, nodes=[f"broker-{node_id}"], by="reader")
        except LabError as failure:
            error = str(failure) if isinstance(failure, NotRunning) else f"Broker {node_id} was not {done}: {failure}"
        except Exception as failure:  # the end of a thread: nobody else would hear of it
            log.exception("a button of the map failed", extra={"deed": what, "node": node_id})
            error = f"Broker {node_id} was not {done}: {failure}"
        finally:
            with self._lock:
                self._busy.discard(node_id)
        self._widget.send({"what": "done", "node": node_id, "error": printable(error, limit=400)})


def _moved(before: MapState, after: MapState) -> list[PartitionView]:
    """The partitions of the picture that are led by another broker than before."""
    led = {part.label: part.leader for part in before.partitions}
    return [p for p in after.partitions if p.leader is not None and led.get(p.label, p.leader) != p.leader]


def _on_its_way(node: NodeView, real: Mapping[int, str]) -> bool:
    """Brokers have no word for "waiting"."""
    return node.state == "waiting" and real.get(node.node_id) in {"starting", "stopped"}
