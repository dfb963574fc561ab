"""Whose a container or a namespace is: the supervisor's process, in words that only it matches on this machine."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from labsupport.core.processes import is_same_process, start_stamp


def owner(pid: int) -> str:
    """For a label or an annotation: machine, process id, the moment of its start."""
    return f"{machine()} {pid} {start_stamp(pid)}"


def is_dead(words: str) -> bool:
    """Whether an owner was a process of this machine and is gone."""
    name, _, rest = words.partition(" ")
    pid, _, stamp = rest.partition(" ")
    return name == machine() and pid.isdecimal() and not is_same_process(int(pid), stamp)


def machine() -> str:
    """Its name, and the namespace in which its process ids mean something. No blank in it."""
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()}/{namespace}".replace(" ", "_")
