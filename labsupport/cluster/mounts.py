"""File systems of a small size, in a mount namespace of the calling process. Linux only; standard library only.

They are tmpfs (man 5 tmpfs): a real file system that is really full (ENOSPC), gone with the last process of the
namespace however that ends, and invisible to the rest of the machine. Root needs nothing more; anybody else needs a
user namespace, too (man 7 user_namespaces), which some systems forbid.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000  # <sched.h>
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x4000, 0x40000  # <sys/mount.h>
MNT_DETACH = 2


def enter_own_mounts() -> None:
    """From now on what this process mounts is seen by itself and its children alone. Raises OSError.

    For a process with one thread; children that it has already are left out.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOTSUP, "mount namespaces are Linux's")
    try:
        _call("unshare", CLONE_NEWNS)
    except PermissionError:
        user, group = os.getuid(), os.getgid()
        _call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)  # nothing of ours leaks back


def mount_small(folder: str, size_mb: int) -> None:
    """Mount a file system of `size_mb` MB at an empty folder. Raises OSError."""
    options = f"size={size_mb}m,mode=0700".encode()
    _call("mount", b"kafka-lab", os.fsencode(folder), b"tmpfs", MS_NOSUID | MS_NODEV, options)


def unmount(folder: str) -> None:
    """Let it go, whoever still uses it. Raises OSError."""
    _call("umount2", os.fsencode(folder), MNT_DETACH)


def _call(function: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    converted = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(libc, function)(*converted) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
