"""The user's folders. Each can be moved by an environment variable; tests move all of them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

from labsupport.core.errors import LabError

APP = "kafka-lab"


def _private(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise LabError(
            f"The folder {path} cannot be made ({error.strerror}).",
            fix="Make it writable, or name another home with XDG_CACHE_HOME, XDG_STATE_HOME or XDG_RUNTIME_DIR.",
        ) from error
    return path


def _user_folder(variable: str, default: str) -> Path:
    return _private(Path(os.environ.get(variable) or default))


def cache_folder() -> Path:
    """Jars, start-up caches, the flights archive: all of it can be fetched again. `KAFKA_LAB_CACHE` moves it."""
    return _user_folder("KAFKA_LAB_CACHE", platformdirs.user_cache_dir(APP))


def state_folder() -> Path:
    """Predictions, progress, recordings: what a learner would miss. `KAFKA_LAB_STATE` moves it."""
    return _user_folder("KAFKA_LAB_STATE", platformdirs.user_state_dir(APP))


def runtime_folder() -> Path:
    """A JSON file and a socket (0600) a running cluster; short, as socket paths are. `KAFKA_LAB_RUNTIME` moves it."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    default = Path(base) / APP if base else Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"
    folder = _user_folder("KAFKA_LAB_RUNTIME", str(default))
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise LabError(
            f"The folder {folder} is not private to you.", fix=f"Remove it, or run `chmod 700 {folder}` if it is yours."
        )
    return folder
