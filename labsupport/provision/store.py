"""The cache on disk. A file is either there and right, or not there; nothing in between is ever kept.

A file gets its final name only after its size and SHA-256 have been checked, and then a fixed modification time: one
that still has it (and its size) was not touched since, so that a warm start reads no bytes. Any other time means: hash
it again.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labsupport.core.errors import ProvisionError

log = logging.getLogger(__name__)

# 2013-01-01, the day of the first flight. The JVM refuses a start-up cache whose jars carry another time than in
# training; with a fixed one, a jar that had to be fetched again is still the same jar.
CHECKED_NS = 1_356_998_400 * 10**9
PART = ".part"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_checked(path: Path, size: int) -> bool:
    """True if `path` was checked when it was put there, and has not been touched since; reads no content."""
    try:
        status = path.stat()
    except OSError:
        return False
    return status.st_size == size and status.st_mtime_ns == CHECKED_NS


def is_right(path: Path, size: int, sha256: str) -> bool:
    """True if `path` holds what the lock says; reads it if it was touched since it was put there."""
    if is_checked(path, size):
        return True
    if not path.is_file() or path.stat().st_size != size or sha256_of(path) != sha256:
        return False
    with suppress(OSError):  # a read-only cache: then it is hashed at each start
        os.utime(path, ns=(CHECKED_NS, CHECKED_NS))
    return True


def put(part: Path, final: Path) -> None:
    """Give a checked file its final name, at once or not at all."""
    os.utime(part, ns=(CHECKED_NS, CHECKED_NS))
    final.parent.mkdir(parents=True, exist_ok=True)
    part.replace(final)


@contextmanager
def fetching(folder: Path) -> Iterator[None]:
    """Hold the cache's lock: of two starts at once, one fetches and the other finds everything there.

    Sweeps what a start that was killed left half done. Raises `ProvisionError` when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "fetching.lock").open("w")
    except OSError as error:
        raise trouble_with(folder, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("Another start is fetching into %s: waiting for it.", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.rglob(f"*{PART}"):
            left.unlink(missing_ok=True)
        yield


def trouble_with(folder: Path, error: OSError) -> ProvisionError:
    """The two sentences for a cache that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ProvisionError(
            f"The disk is full: the cache {folder} cannot take what has to be fetched.",
            fix="Free 500 MB, or set KAFKA_LAB_CACHE to a folder on another disk.",
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ProvisionError(
            f"The cache {folder} is read-only and lacks files that have to be fetched.",
            fix="Make it writable, or set KAFKA_LAB_CACHE to a folder that is.",
        )
    return ProvisionError(
        f"The cache {folder} cannot be written ({error.strerror or error}).",
        fix="Set KAFKA_LAB_CACHE to another folder.",
    )
