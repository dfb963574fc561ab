"""The folder of recordings: names, and which are kept."""

from __future__ import annotations

import fcntl
import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from labsupport.core.errors import LabError
from labsupport.core.folders import state_folder

KEPT = 20

_log = logging.getLogger(__name__)


def recordings_folder() -> Path:
    """Where recordings are kept. Raises `LabError` when the folder cannot be made."""
    folder = state_folder() / "recordings"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return folder


def open_new(folder: Path, name: str, first_line: bytes) -> tuple[Path, int]:
    """Make a file for the cluster `name`, 0600, with its first line: its path and descriptor. Raises `LabError`.

    The descriptor holds a lock (`flock`) that ends with the process: whoever can take it knows that nobody writes.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80].lstrip(".") or "cluster"
    path = folder / f"{stem}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.jsonl"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    try:
        os.write(fd, first_line)
    except OSError as error:
        os.close(fd)
        path.unlink(missing_ok=True)
        raise _cannot_write(folder, error) from error
    _lock(fd)
    return path, fd


def is_being_written(path: Path) -> bool:
    """Whether a living process has `path` open for writing (as far as locks can tell)."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def prune(folder: Path, *, keep: int = KEPT) -> None:
    """Remove all but the newest `keep` recordings, and none that a living process writes. Never raises OSError."""
    try:
        newest_first = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in newest_first[keep:]:
            if not is_being_written(path):
                path.unlink(missing_ok=True)
    except OSError as error:  # another process prunes too, or the disk is read-only: an old file more does no harm
        _log.debug("old recordings not removed: %s", error)


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:  # a file system without locks
        _log.debug("recording not locked: %s", error)


def _cannot_write(folder: Path, error: OSError) -> LabError:
    return LabError(
        f"A recording cannot be written to {folder} ({error.strerror}).",
        fix="Free some space or make it writable, or name another folder with KAFKA_LAB_STATE.",
    )
