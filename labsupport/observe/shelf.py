"""The folder of recordings: names, which two files belong together, and which are kept."""

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
VIEW, HISTORY = ".view.jsonl", ".history"

_log = logging.getLogger(__name__)


def recordings_folder() -> Path:
    """Where recordings are kept. Raises `LabError` when the folder cannot be made."""
    folder = state_folder() / "recordings"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return folder


def history_of(view: Path) -> Path:
    """Where the history of a view is."""
    return view.with_name(_stem(view) + HISTORY)


def view_of(history: Path) -> Path:
    """Where the view of a history is."""
    return history.with_name(_stem(history) + VIEW)


def open_new(folder: Path, name: str, view_line: bytes, history_line: bytes) -> tuple[Path, int, int]:
    """Make the two files for the cluster `name`, 0600, each with its first line: the view's path, both descriptors.

    Each descriptor holds a lock (`flock`) that ends with the process: whoever can take it knows that nobody writes.
    Raises `LabError`.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80].lstrip(".") or "cluster"
    view = folder / f"{stem}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}{VIEW}"
    view_fd = _make(view, view_line)
    try:
        return view, view_fd, _make(history_of(view), history_line)
    except LabError:
        os.close(view_fd)
        view.unlink(missing_ok=True)
        raise


def _make(path: Path, first_line: bytes) -> int:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _cannot_write(path.parent, error) from error
    try:
        os.write(fd, first_line)
    except OSError as error:
        os.close(fd)
        path.unlink(missing_ok=True)
        raise _cannot_write(path.parent, error) from error
    _lock(fd)
    return fd


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
        newest_first = sorted(_recordings(folder), key=_changed_ns, reverse=True)
        for files in newest_first[keep:]:
            if not any(is_being_written(path) for path in files):
                for path in files:
                    path.unlink(missing_ok=True)
    except OSError as error:  # another process prunes too, or the disk is read-only: an old file more does no harm
        _log.debug("old recordings not removed: %s", error)


def _recordings(folder: Path) -> list[list[Path]]:
    """The files of each recording: a view and its history, one of them alone, or the one file of version 1."""
    together: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in {".jsonl", HISTORY}:
            together.setdefault(_stem(path), []).append(path)
    return list(together.values())


def _changed_ns(files: list[Path]) -> int:
    return max(path.stat().st_mtime_ns for path in files)


def _stem(path: Path) -> str:
    name = path.name
    for ending in (VIEW, HISTORY, path.suffix):
        if ending and name.endswith(ending):
            return name.removesuffix(ending)
    return name


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
