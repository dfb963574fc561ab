"""Who a process is, and how its children die with it. Standard library only: the supervisor imports this."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1


def start_stamp(pid: int) -> str:
    """When `pid` started, in a form that only that process has; empty if there is no such process."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return ""
        return stat.rpartition(")")[2].split()[19]  # field 22, starttime; the name in field 2 may hold blanks
    result = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return result.stdout.strip()


def is_same_process(pid: int, stamp: str) -> bool:
    """Whether `pid` is still the process that had this stamp, and not a stranger who was given its number."""
    return bool(stamp) and start_stamp(pid) == stamp


def dies_with_parent(parent: int, signal_number: int = signal.SIGKILL) -> Callable[[], None]:
    """What a child does between fork and exec so that it dies with `parent`.

    Linux sends it the signal when the *thread* that forked it ends. The child checks its parent after arming that: the
    parent may have died before, and then no signal comes.
    """
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def arm() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:
            os._exit(1)

    return arm
