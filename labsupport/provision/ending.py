"""How the trainer's processes end together."""

from __future__ import annotations

import ctypes
import os
import sys
from types import FrameType

PR_SET_PDEATHSIG = 1


def ended(signal_number: int, _frame: FrameType | None) -> None:
    """A signal handler that lets every `finally` run."""
    raise SystemExit(128 + signal_number)


def die_with_parent(parent: int, signal_number: int) -> None:
    """Linux: be sent a signal when the thread that started us ends. Ends at once if that has happened already."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os._exit(1)
