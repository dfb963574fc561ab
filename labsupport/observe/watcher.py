"""Watching a cluster: processes, leaders, in-sync replicas, the controller and rates, written down when they change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, Self

from labsupport.core.clock import now_s
from labsupport.core.errors import LabError, NotRunning
from labsupport.observe.changes import Changes

if TYPE_CHECKING:
    from labsupport.clients.connection import Connection
    from labsupport.clients.metadata import ClusterMetadata
    from labsupport.cluster.spec import ClusterSpec
    from labsupport.cluster.supervised import ProcessEvent
    from labsupport.observe.recording import Recording

METADATA_EVERY_S = 0.1
CONTROLLER_EVERY_S = 1.0
RATES_EVERY_S = 0.5
STOP_WITHIN_S = 1.0
ANSWER_WITHIN_S = 0.8  # less than STOP_WITHIN_S: a broker that does not answer must not hold up the end

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """What a cluster must have to be watched."""

    @property
    def name(self) -> str: ...

    @property
    def spec(self) -> ClusterSpec: ...

    @property
    def connection(self) -> Connection: ...

    def process_events(self, after: int, timeout_s: float) -> Iterable[ProcessEvent]: ...


class AsksMetadata(Protocol):
    """A `clients.metadata.MetadataReader`, or a test's."""

    def read(self) -> ClusterMetadata: ...

    def close(self) -> None: ...


class AsksController(Protocol):
    """A `clients.metadata.ControllerReader`, or a test's."""

    def read(self) -> int | None: ...

    def close(self) -> None: ...


def watch(cluster: Watched, recording: Recording) -> Watcher:
    """Begin to write what happens to `cluster` into `recording`, until `stop()` or until its supervisor is gone."""
    from labsupport.clients.metadata import ControllerReader, MetadataReader

    coordination = cluster.spec.coordination
    return Watcher(
        cluster,
        recording,
        metadata=MetadataReader(cluster.connection, timeout_s=ANSWER_WITHIN_S),
        controller=ControllerReader(cluster.connection, coordination="kraft", timeout_s=ANSWER_WITHIN_S)
        if coordination == "kraft"
        else None,  # the metadata says it
    )


class Watcher:
    """Daemon threads that look at a cluster and write down what changed. Brokers may die or freeze meanwhile."""

    def __init__(
        self,
        cluster: Watched,
        recording: Recording,
        *,
        metadata: AsksMetadata,
        controller: AsksController | None,
    ) -> None:
        self._cluster, self._recording = cluster, recording
        self._metadata, self._controller = metadata, controller
        self._changes = Changes(recording)
        self._lock = threading.Lock()  # around what `refresh` and the threads share: the changes, the last event
        self._last_event = 0
        self._stopping = threading.Event()
        loops: dict[str, Callable[[], None]] = {
            "processes": self._watch_processes,
            "metadata": lambda: self._every(METADATA_EVERY_S, self._look_at_metadata),
            "rates": self._watch_rates,
        }
        if controller is not None:
            loops["controller"] = lambda: self._every(CONTROLLER_EVERY_S, self._look_at_controller)
        self._threads = [
            threading.Thread(
                target=self._quietly, args=(loop,), name=f"kafka-lab watch {cluster.name}: {what}", daemon=True
            )
            for what, loop in loops.items()
        ]
        recording.looked_at_by(self.refresh)
        for thread in self._threads:
            thread.start()

    @property
    def stopped(self) -> bool:
        """Whether it looks no more."""
        return self._stopping.is_set()

    def refresh(self) -> None:
        """Look now, and return once what was seen is in the file (`Recording.catch_up`)."""
        if not self.stopped:
            try:
                self._take_events(0)
            except LabError as error:
                _log.debug("no events: %s", error)
            self._look_at_metadata()
        self._recording.flush()

    def stop(self) -> None:
        """End the threads, within a second. Calling it again does nothing."""
        self._stopping.set()
        self._recording.looked_at_by(None)
        deadline_s = now_s() + STOP_WITHIN_S
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline_s - now_s()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _quietly(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Exception:  # noqa: BLE001 - a thread's traceback would land in whatever cell is running
            _log.debug("a watcher ended early", exc_info=True)

    def _every(self, period_s: float, look: Callable[[], None]) -> None:
        while not self._stopping.wait(period_s):
            look()

    def _watch_processes(self) -> None:
        while not self._stopping.is_set():
            try:
                self._take_events(ANSWER_WITHIN_S)
            except NotRunning:
                if not self._stopping.is_set():
                    self._recording.event("process", node="supervisor", node_id=None, state="gone", detail="")
                    self._stopping.set()
            except LabError as error:
                _log.debug("no events: %s", error)
                self._stopping.wait(RATES_EVERY_S)

    def _take_events(self, timeout_s: float) -> None:
        events = list(self._cluster.process_events(self._last_event, timeout_s))
        with self._lock:
            for event in events:
                if event.number > self._last_event:
                    self._last_event = event.number
                    self._changes.process(event)

    def _look_at_metadata(self) -> None:
        try:
            seen = self._metadata.read()
        except LabError as error:  # nobody answers: they are down or frozen, which their processes tell
            _log.debug("no metadata: %s", error)
            return
        t_s = now_s()
        with self._lock:
            self._changes.metadata(seen, t_s=t_s)
            if self._controller is None:
                self._changes.controller(seen.controller_id, t_s=t_s)

    def _look_at_controller(self) -> None:
        assert self._controller is not None
        node_id = self._controller.read()
        with self._lock:
            self._changes.controller(node_id, t_s=now_s())

    def _watch_rates(self) -> None:
        before, before_s = self._recording.acked_by_topic(), now_s()
        moving: set[str] = set()
        while not self._stopping.wait(RATES_EVERY_S):
            acked, at_s = self._recording.acked_by_topic(), now_s()
            for topic, count in acked.items():
                new = count - before.get(topic, 0)
                if new or topic in moving:
                    self._recording.sample("records_per_s", round(new / (at_s - before_s), 1), t_s=at_s, topic=topic)
                (moving.add if new else moving.discard)(topic)
            before, before_s = acked, at_s
        for topic in moving:
            self._recording.sample("records_per_s", 0, topic=topic)
