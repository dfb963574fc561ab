"""A small private file that two notebooks may change at once. It is replaced whole or not at all, and never in the way.

Nothing here raises: a file that cannot be read or written costs what it held, not the page, and `note` says so.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from labsupport.core.errors import LabError
from labsupport.core.folders import state_folder

T = TypeVar("T")
_between_threads = threading.RLock()


@dataclass(frozen=True)
class Held(Generic[T]):
    """What a file holds, and a sentence about what went wrong in reading or writing it ("" if nothing)."""

    value: T
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Store(Generic[T]):
    """`NAME.json` in the state folder, as `{"format": …, "version": …, …}`; `parse` raises for what it cannot read."""

    name: str
    format: str
    version: int
    holds: str  # "answers": as in "Your answers could not be kept"
    empty: T
    parse: Callable[[dict[str, Any]], T]
    dump: Callable[[T], dict[str, Any]]

    def load(self) -> Held[T]:
        """What is kept."""
        return self._guarded(self._read)

    def change(self, change: Callable[[T], T]) -> Held[T]:
        """Replace what is kept by what `change` makes of it."""
        return self._guarded(lambda file: self._change(file, change))

    def content(self, value: T) -> dict[str, Any]:
        """A value as it stands in the file."""
        return {"format": self.format, "version": self.version, **self.dump(value)}

    def understood(self, content: Any) -> T:
        """The value of such a content. Raises `ValueError`, `KeyError`, `TypeError` or `AttributeError`."""
        if content["format"] != self.format or content["version"] != self.version:
            raise ValueError("not a file of ours, or of a later version")
        return self.parse(content)

    def _guarded(self, action: Callable[[Path], Held[T]]) -> Held[T]:
        try:
            file = state_folder() / f"{self.name}.json"
            with _alone(file):
                return action(file)
        except LabError as error:
            return Held(self.empty, f"Your {self.holds} could not be kept. {error}")
        except OSError as error:
            return Held(self.empty, f"Your {self.holds} could not be kept ({error.strerror}).")

    def _change(self, file: Path, change: Callable[[T], T]) -> Held[T]:
        before = self._read(file)
        after = change(before.value)
        if after != before.value or not file.exists():
            write_whole(file, json.dumps(self.content(after), indent=1))
        return Held(after, before.note)

    def _read(self, file: Path) -> Held[T]:
        try:
            return Held(self.understood(json.loads(file.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            return Held(self.empty)
        except (ValueError, KeyError, TypeError, AttributeError):  # whatever an editor or a full disk made of it
            aside = file.with_name(f"{self.name}.unreadable-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json")
            file.rename(aside)
            return Held(self.empty, f"Your earlier {self.holds} could not be read; the file is kept as {aside.name}.")


def now() -> str:
    """The present time as files keep it: ISO 8601, UTC, so that texts sort as times do."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def moment(text: object) -> str:
    """A time that a file holds, as `now` writes it. Raises `ValueError` for anything else."""
    at = datetime.fromisoformat(str(text))
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def write_whole(file: Path, text: str) -> None:
    """Replace `file` whole or not at all, private (0600) from its first moment. Raises `OSError`."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            new.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Two notebooks, and two threads of one, may write at the same moment."""
    with _between_threads, file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
