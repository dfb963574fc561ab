"""Follows the pods of a namespace: every step in the order in which the API tells of it, none of them missed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from labsupport.cluster.kubernetes.api import Api, ApiError, path_of
from labsupport.cluster.kubernetes.space_facts import Pod, Step, Steps, pod_of, steps_to
from labsupport.core.errors import LabError
from labsupport.core.wait import wait_until

log = logging.getLogger(__name__)

WATCH_S = 300
CAUGHT_UP_S, CAUGHT_UP_POLL_S = 30.0, 0.1
GONE = 410  # the API does not remember as far back as our last look


class Follower:
    """A thread that follows the pods of one namespace until that is gone; begun by the first who asks."""

    def __init__(self, api: Api, namespace: str, zones: Callable[[], Mapping[str, str]]) -> None:
        self._api, self._namespace, self._zones = api, namespace, zones
        self._known: dict[str, Pod] = {}
        self._steps: list[Step] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def begin(self) -> None:
        """Follow from now on; nothing happens when that is done already."""
        if self._thread is None:
            since = self._look()
            self._thread = threading.Thread(target=self._follow, args=(since,), daemon=True, name="space-follower")
            self._thread.start()

    def end(self) -> None:
        """Let go; the thread ends with the next word of the API."""
        self._over.set()

    def moment(self) -> tuple[int, tuple[Pod, ...]]:
        """How many steps are known, and which pods are there, once all that has happened by now is known.

        Raises `WaitTimeout` when the watch tells less than the API shows.
        """
        self.begin()
        wait_until(
            self._is_up_to_date,
            CAUGHT_UP_S,
            because="the API to tell what happened to the pods",
            poll_s=CAUGHT_UP_POLL_S,
        )
        with self._lock:
            return len(self._steps), tuple(self._known.values())

    def steps(self, after: int) -> tuple[Step, ...]:
        """Those behind number `after`."""
        with self._lock:
            return tuple(self._steps[after:])

    def _is_up_to_date(self) -> bool:
        """Whether what is known is what the API shows."""
        there = {raw["metadata"]["uid"]: _marks(pod_of(raw, {})) for raw in self._api.list("Pod", self._namespace)}
        with self._lock:
            return there == {uid: _marks(pod) for uid, pod in self._known.items()}

    def _look(self) -> str:
        """Take the pods as they are; returns the moment of the look, in the API's own count."""
        zones = self._zones()
        answer = self._api.request("GET", path_of("Pod", self._namespace))
        pods = {raw["metadata"]["uid"]: raw for raw in answer["items"]}
        with self._lock:
            for uid in set(self._known) - set(pods):
                self._steps += steps_to(self._known, "DELETED", self._known[uid])
            for raw in pods.values():
                told = steps_to(self._known, "MODIFIED", pod_of(raw, zones))
                self._steps += told if self._thread is not None else []  # what was there before is no step
        return str(answer["metadata"]["resourceVersion"])

    def _follow(self, since: str) -> None:
        while not self._over.is_set():
            try:
                for told, raw in self._api.watch("Pod", self._namespace, since, timeout_s=WATCH_S):
                    since = raw["metadata"]["resourceVersion"]
                    self._take(told, raw)
                    if self._over.is_set():
                        return
            except ApiError as error:
                log.info("the watch ended: %s", error)
                self._over.wait(0.2)
                try:
                    since = self._look() if error.status == GONE else since
                except LabError as also:  # the next round tries again
                    log.info("no look at the pods: %s", also)

    def _take(self, told: str, raw: Mapping[str, Any]) -> None:
        if told not in ("ADDED", "MODIFIED", "DELETED"):
            return
        pod = pod_of(raw, self._zones())
        with self._lock:
            self._steps += steps_to(self._known, told, pod)


def _marks(pod: Pod) -> tuple[bool, bool]:
    return pod.ready, pod.ending


class Watching:
    """`with space.watching() as seen: …`; then `seen.steps` is what happened in the block."""

    def __init__(self, follower: Follower) -> None:
        self._follower, self._from = follower, 0
        self._began: tuple[Pod, ...] = ()
        self.steps = Steps(())

    def __enter__(self) -> Self:
        self._from, self._began = self._follower.moment()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._follower.moment()
        self.steps = Steps(self._began, self._follower.steps(self._from))

    def __repr__(self) -> str:
        return repr(self.steps)
