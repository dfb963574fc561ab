"""Who goes first: clusters that start share the gate, the trainer of start-up caches waits before it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labsupport.core.folders import cache_folder


def _gate() -> Path:
    return cache_folder() / "starting.lock"


@contextmanager
def cluster_is_starting() -> Iterator[None]:
    """Hold the gate while a cluster starts, so that training steps aside. Any number may; it never waits or fails."""
    try:
        file = _gate().open("a")
    except OSError:  # a read-only cache: nobody trains there either
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_SH)  # the trainer only ever looks in, it does not stay
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # said aloud: a forked child may keep the file open


def some_cluster_is_starting() -> bool:
    """True while anybody is inside `cluster_is_starting`, in any process of this user."""
    with _gate().open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(file, fcntl.LOCK_UN)
    return False
