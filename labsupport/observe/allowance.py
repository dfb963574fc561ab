"""How much may be written: so much a second, and something in reserve for bursts."""

from __future__ import annotations

import threading


class Allowance:
    """A bucket of bytes that fills with time, `t` in seconds, and never above its reserve. Safe from any thread."""

    def __init__(self, *, bytes_per_s: float, reserve_bytes: int) -> None:
        self._bytes_per_s, self._reserve = bytes_per_s, float(reserve_bytes)
        self._level, self._t = self._reserve, 0.0
        self._lock = threading.Lock()

    def has_room(self, t: float) -> bool:
        """Whether anything may be written at `t`."""
        with self._lock:
            self._fill(t)
            return self._level > 0

    def take(self, size: int, t: float) -> bool:
        """Take `size` bytes if there is room."""
        with self._lock:
            self._fill(t)
            if self._level < size:
                return False
            self._level -= size
            return True

    def spend(self, size: int, t: float) -> None:
        """Take `size` bytes in any case: who comes later waits until they are made up for."""
        with self._lock:
            self._fill(t)
            self._level -= size

    def _fill(self, t: float) -> None:
        if t > self._t:
            self._level = min(self._reserve, self._level + (t - self._t) * self._bytes_per_s)
            self._t = t
