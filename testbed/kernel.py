"""Settings of the whole machine's kernel that an engine or a kubelet changes: kept before, put back after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

PROC_SYS = Path("/proc/sys")


def boot_id() -> str:
    """The id of this boot: what was remembered under another one means nothing any more."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def values(names: Iterable[str]) -> dict[str, str]:
    """The values of those settings that this kernel has."""
    return {name: path(name).read_text().strip() for name in names if path(name).exists()}


def write(wanted: Mapping[str, str]) -> None:
    """Set what differs from `wanted`."""
    for name, value in wanted.items():
        if path(name).exists() and path(name).read_text().strip() != value:
            path(name).write_text(value + "\n")


def path(name: str) -> Path:
    """`vm.overcommit_memory` -> its file."""
    return PROC_SYS / name.replace(".", "/")
