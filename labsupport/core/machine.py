"""What this machine has: memory as this process may use it, and disk. All in MB."""

from __future__ import annotations

import shutil
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_FILES = (
    ("memory.max", "memory.current", "memory.stat"),  # version 2
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),  # version 1
)


def memory_available_mb(cgroup: Path = _CGROUP) -> int:
    """What may be used without swapping, in MB: the machine's, or less if a container limits it."""
    import psutil

    available = int(psutil.virtual_memory().available)
    for limit_name, usage_name, stat_name in _FILES:
        try:
            limit = int((cgroup / limit_name).read_text())
            used = int((cgroup / usage_name).read_text())
            cached = _reclaimable((cgroup / stat_name).read_text())
        except (OSError, ValueError):  # no such file, or "max": no limit
            continue
        available = min(available, limit - used + cached)
    return max(available, 0) // 2**20


def _reclaimable(stat: str) -> int:
    """The page cache that the kernel gives back before it refuses memory."""
    pairs = dict(line.split() for line in stat.splitlines() if len(line.split()) == 2)
    return int(pairs.get("inactive_file", pairs.get("total_inactive_file", "0")))


def disk_free_mb(folder: Path) -> int:
    """Free space in MB where `folder` is, or would be if it does not exist yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return int(shutil.disk_usage(folder).free // 2**20)
