"""What processes use of the machine: processor time and memory, as the kernel tells it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """`cpu_s`: seconds of processor time since the process began.

    `memory_mb`: PSS where the kernel tells it, else resident; None when it was not asked for.
    """

    cpu_s: float
    memory_mb: float | None


def usage_of(pids: Mapping[str, int], *, memory: bool = True) -> dict[str, Usage]:
    """The usage of each process by its name; those that are gone are left out.

    `memory` costs some milliseconds a process, since the kernel walks through its pages.
    """
    if (PROC / "self" / "stat").exists():
        found = {name: _from_proc(pid, memory=memory) for name, pid in pids.items()}
        return {name: usage for name, usage in found.items() if usage is not None}
    return _from_ps(pids)


def _from_proc(pid: int, *, memory: bool) -> Usage | None:
    folder = PROC / str(pid)
    try:
        stat = (folder / "stat").read_bytes()
        fields = stat[stat.rindex(b")") + 2 :].split()  # the name before it may hold anything; see proc(5)
        cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
        return Usage(cpu_s, _memory_mb(folder) if memory else None)
    except (OSError, ValueError, IndexError):
        return None


def _memory_mb(folder: Path) -> float:
    with suppress(OSError):
        for line in (folder / "smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) / 1024
    return int((folder / "statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _from_ps(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Where there is no /proc (macOS)."""
    if not pids:
        return {}
    asked = ["ps", "-o", "pid=,time=,rss=", "-p", ",".join(map(str, pids.values()))]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=2, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    lines = [line.split() for line in said.splitlines()]
    found = {int(pid): Usage(_seconds(time), int(rss) / 1024) for pid, time, rss in lines}
    return {name: found[pid] for name, pid in pids.items() if pid in found}


def _seconds(time: str) -> float:
    """`[[days-]hours:]minutes:seconds` in seconds."""
    days, _, rest = time.rpartition("-")
    total = 0.0
    for part in rest.split(":"):
        total = total * 60 + float(part)
    return total + 86_400 * int(days or 0)
