"""Watching a cluster: what it is, what it does and what it uses, written down when it changes, or as samples."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, Self

from labsupport.core.clock import now_s
from labsupport.core.errors import LabError, NotRunning
from labsupport.observe.changes import Changes
from labsupport.observe.looks import (
    AsksController,
    AsksGroups,
    ControllerLook,
    GroupLook,
    HoldsLogs,
    LogDirLook,
    LogLook,
)
from labsupport.observe.samplers import GroupSampler, Measures, NodeSampler, TopicSampler
from labsupport.observe.usage import usage_of

if TYPE_CHECKING:
    from labsupport.clients.connection import Connection
    from labsupport.clients.metadata import ClusterMetadata
    from labsupport.cluster.spec import ClusterSpec
    from labsupport.cluster.supervised import ProcessEvent
    from labsupport.observe.recording import Recording

METADATA_EVERY_S = 0.1
CONTROLLER_EVERY_S = 1.0
GROUPS_EVERY_S = 1.0
LOG_DIRS_EVERY_S = 1.0
LOGS_EVERY_S = 0.5
SAMPLES_EVERY_S = 0.5
STOP_WITHIN_S = 1.0
ANSWER_WITHIN_S = 0.8  # less than STOP_WITHIN_S: a broker that does not answer must not hold up the end
FIRST_WITH_ELR = (4, 0)  # KIP-966

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

    def broker(self, node_id: int) -> HoldsLogs: ...


class AsksMetadata(Protocol):
    """A `clients.metadata.MetadataReader`, or a test's."""

    def read(self) -> ClusterMetadata: ...


def watch(cluster: Watched, recording: Recording) -> Watcher:
    """Begin to write what happens to `cluster` into `recording`, until `stop()` or until its supervisor is gone."""
    from labsupport.clients.groups import GroupReader
    from labsupport.clients.metadata import ControllerReader, MetadataReader

    connection = cluster.connection
    return Watcher(
        cluster,
        recording,
        metadata=MetadataReader(connection, timeout_s=ANSWER_WITHIN_S),
        controller=ControllerReader(connection, coordination="kraft", timeout_s=ANSWER_WITHIN_S)
        if cluster.spec.coordination == "kraft"
        else None,  # the metadata says it
        groups=GroupReader(connection, timeout_s=ANSWER_WITHIN_S / 2),
        measure=usage_of,
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
        groups: AsksGroups | None = None,
        measure: Measures | None = None,
    ) -> None:
        self._cluster, self._recording, self._metadata = cluster, recording, metadata
        self._changes = Changes(recording, room=recording.has_room)
        self._lock = threading.Lock()  # around what `refresh` and the threads share
        self._last_event = 0
        self._pids: dict[str, int] = {}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._controller = (
            ControllerLook(controller, self._changes, elr=_version(cluster) >= FIRST_WITH_ELR) if controller else None
        )
        self._logs = LogLook(groups, cluster.broker, self._changes) if groups else None
        self._log_dirs = LogDirLook(cluster.connection, self._changes, timeout_s=ANSWER_WITHIN_S / 2)
        self._topics = TopicSampler(recording, recording.take_acknowledged, t_s=now_s())
        self._nodes = NodeSampler(recording, measure) if measure else None
        recording.looked_at_by(self)
        self._begin("processes", self._watch_processes)
        self._begin("metadata", lambda: self._every(METADATA_EVERY_S, self._look_at_metadata))
        self._begin("samples", self._watch_samples)
        if self._controller is not None:
            self._begin("controller", self._repeated(CONTROLLER_EVERY_S, self._controller, self._controller.close))
        if groups is not None:
            look = GroupLook(groups, self._changes, GroupSampler(recording))
            self._begin("groups", self._repeated(GROUPS_EVERY_S, look, look.close))
        if cluster.spec.log_dirs > 1:  # with a single one lost, the broker ends
            self._begin("log dirs", self._repeated(LOG_DIRS_EVERY_S, self._log_dirs, self._log_dirs.close))

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
            if self._logs is not None and self._logs.places:
                self._logs()
        self._recording.flush()

    def watch_log(self, topic: str, partition: int) -> None:
        """Look at the log of a partition, too (`Recording.watch_log`)."""
        if self._logs is None or self.stopped:
            return
        first = not self._logs.places
        self._logs.places |= {(topic, partition)}
        if first:
            self._begin("logs", self._repeated(LOGS_EVERY_S, self._logs))

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

    def _begin(self, what: str, loop: Callable[[], None]) -> None:
        thread = threading.Thread(
            target=self._quietly, args=(loop,), name=f"kafka-lab watch {self._cluster.name}: {what}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _quietly(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Exception:  # noqa: BLE001 - a thread's traceback would land in whatever cell is running
            _log.debug("a watcher ended early", exc_info=True)

    def _repeated(
        self, period_s: float, look: Callable[[], None], close: Callable[[], None] | None = None
    ) -> Callable[[], None]:
        def loop() -> None:
            try:
                self._every(period_s, look)
            finally:  # a client of kafka-python goes on trying to connect until it is closed
                if close is not None:
                    close()

        return loop

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
                self._stopping.wait(SAMPLES_EVERY_S)

    def _take_events(self, timeout_s: float) -> None:
        events = list(self._cluster.process_events(self._last_event, timeout_s))
        with self._lock:
            for event in events:
                if event.number > self._last_event:
                    self._last_event = event.number
                    self._changes.process(event)
                    if event.what == "exited":
                        self._pids.pop(event.node, None)
                    elif event.pid:
                        self._pids[event.node] = event.pid

    def _look_at_metadata(self) -> None:
        try:
            seen = self._metadata.read()
        except LabError as error:  # nobody answers: they are down or frozen, which their processes tell
            _log.debug("no metadata: %s", error)
            return
        t_s = now_s()
        self._changes.metadata(seen, t_s=t_s)
        if self._controller is None:
            self._changes.controller(seen.controller_id, t_s=t_s)
        for look in (self._controller, self._logs, self._log_dirs):
            if look is not None:
                look.metadata = seen

    def _watch_samples(self) -> None:
        while not self._stopping.wait(SAMPLES_EVERY_S):
            self._topics.tick(now_s())
            if self._nodes is not None:
                with self._lock:
                    pids = dict(self._pids)
                self._nodes.tick(pids, now_s())
        self._topics.tick(now_s(), last=True)


def _version(cluster: Watched) -> tuple[int, ...]:
    """Of Kafka, as numbers."""
    return tuple(int(part) for part in str(cluster.spec.version).split(".") if part.isdecimal())
