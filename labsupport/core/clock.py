"""The one clock. Every time in a Recording comes from here, in seconds."""

from __future__ import annotations

import time


def now_s() -> float:
    """Seconds on CLOCK_MONOTONIC: never steps, and is the same in every process of this machine."""
    return time.monotonic()
