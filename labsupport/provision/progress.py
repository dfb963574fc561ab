"""How a fetch shows how far it is: one bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from labsupport.core.clock import now_s

EVERY_S = 5.0


class Progress(Protocol):
    """Told about bytes as they arrive; called from several threads."""

    def expect(self, size: int) -> None:
        """`size` more bytes are to come."""

    def advance(self, count: int) -> None:
        """`count` bytes have arrived; negative when a download has to begin again."""


class Silent:
    """Shows nothing."""

    def expect(self, size: int) -> None: ...

    def advance(self, count: int) -> None: ...


class Lines:
    """A line now and then, for logs and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._lock = out, threading.Lock()
        self._done = self._total = 0
        self._began_s = self._told_s = now_s()

    def expect(self, size: int) -> None:
        """See `Progress`."""
        with self._lock:
            self._total += size

    def advance(self, count: int) -> None:
        """See `Progress`."""
        with self._lock:
            self._done += count
            now = now_s()
            if now - self._told_s >= EVERY_S or self._done == self._total:
                self._told_s = now
                rate = self._done / max(now - self._began_s, 1e-9)
                left_s = (self._total - self._done) / max(rate, 1)
                mb = 1e6
                print(
                    f"Kafka, ZooKeeper, flights: {self._done / mb:.0f} of {self._total / mb:.0f} MB, "
                    f"{rate / mb:.1f} MB/s, {left_s:.0f} s left",
                    file=self._out,
                    flush=True,
                )


@contextmanager
def shown(out: TextIO | None = None) -> Iterator[Progress]:
    """A rich bar with bytes, speed and time left if `out` (default: standard error) is a terminal, else lines."""
    out = out or sys.stderr
    if not out.isatty():
        yield Lines(out)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with RichProgress(*columns, TimeRemainingColumn(), console=Console(file=out)) as bar:
        yield _Bar(bar, bar.add_task("Kafka, ZooKeeper, flights", total=0))


class _Bar:
    def __init__(self, bar: object, task: object) -> None:
        from rich.progress import Progress as RichProgress

        assert isinstance(bar, RichProgress)
        self._bar, self._task, self._total, self._lock = bar, task, 0, threading.Lock()

    def expect(self, size: int) -> None:
        with self._lock:
            self._total += size
            self._bar.update(self._task, total=self._total)  # type: ignore[arg-type]

    def advance(self, count: int) -> None:
        self._bar.advance(self._task, count)  # type: ignore[arg-type]
