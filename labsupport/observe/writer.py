"""The one thread that writes a Recording's two files. Whoever has something to record only puts it into a queue."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable

from labsupport.observe.operations import Operation
from labsupport.observe.packed import Packer

GATHER_S = 0.05  # entries wait this long for company: two writes within the 100 ms that the format promises
QUEUE_LIMIT = 500_000  # entries; some 200 MB. A disk that is this far behind does not come back

_log = logging.getLogger(__name__)

Item = str | Operation | threading.Event  # a line of the view, a row of the history, or someone who waits for both


class Writer:
    """Appends to both files, whose descriptors it owns and closes. Nothing here blocks a caller or raises OSError."""

    def __init__(self, view: int, history: int, *, name: str) -> None:
        self.trouble = ""
        self._view, self._history, self._pid = view, history, os.getpid()
        self._packer = Packer()
        self._queue: deque[Item] = deque()
        self._lock = threading.Lock()
        self._ended = False
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"kafka-lab recording {name}", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether nothing more will be written."""
        return self._ended

    def put(self, *items: Item, also: Callable[[], None] | None = None) -> bool:
        """Queue entries; ignored (False) after the end and in a forked child. `also` is called under the lock."""
        if os.getpid() != self._pid:  # before the lock: a fork may have copied it locked
            return False
        with self._lock:
            if self._ended:
                return False
            if len(self._queue) >= QUEUE_LIMIT:
                self._give_up("the disk cannot keep up")
                return False
            self._queue.extend(items)
            if also is not None:
                also()
        if not self._wake.is_set():
            self._wake.set()
        return True

    def flush(self, timeout_s: float) -> None:
        """Return once everything queued before is in the file, or nothing more will be, or after `timeout_s`."""
        if os.getpid() != self._pid:
            return
        written = threading.Event()
        if self.put(written):
            self._hurry.set()
            written.wait(timeout_s)
        else:
            self._join(timeout_s)

    def close(self, timeout_s: float = 5) -> None:
        """Write what is queued and close the file. Calling it again does nothing."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            self._ended = True
        self._hurry.set()
        self._wake.set()
        self._join(timeout_s)

    def _join(self, timeout_s: float) -> None:
        if threading.current_thread() is not self._thread:  # a finalizer may run on any thread
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while not (self._ended and not self._queue):
                self._wake.wait()
                self._hurry.wait(GATHER_S)
                self._wake.clear()
                self._hurry.clear()
                if self._ended:  # cleared above, and nobody will set them again
                    self._wake.set()
                self._write_queued()
            _write_all(self._history, self._packer.take(last=True))
        except OSError as error:
            with self._lock:
                self._give_up(error.strerror or str(error))
        finally:
            os.close(self._history)
            os.close(self._view)

    def _write_queued(self) -> None:
        lines: list[str] = []
        waiting: list[threading.Event] = []
        for _ in range(len(self._queue)):
            item = self._queue.popleft()
            if isinstance(item, threading.Event):
                waiting.append(item)
            elif isinstance(item, str):
                lines.append(item)
            else:
                self._packer.add(item)
        try:
            # The history first: what a reader finds in the view, has all that came before it in the history.
            _write_all(self._history, self._packer.take())
            _write_all(self._view, "".join(lines).encode())
        finally:
            for written in waiting:
                written.set()

    def _give_up(self, reason: str) -> None:
        self._ended = True
        self.trouble = f"The recording stopped early: {reason}. What was recorded until then can be read."
        _log.warning("recording stopped: %s", reason)
        while self._queue:
            item = self._queue.popleft()
            if isinstance(item, threading.Event):
                item.set()
        self._wake.set()


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
