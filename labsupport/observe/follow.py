"""Reading a Recording's file: from its start to its end, and on while it grows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.observe.format import HEADER_LIMIT_BYTES, Entry, Header, decode

CHUNK_BYTES = 1 << 20

_KIND = re.compile(rb'\{"t":[-+.0-9eE]+,"k":"([a-z]+)"')


def open_recording(path: Path) -> tuple[BinaryIO, Header]:
    """Open a Recording, positioned behind its header. Raises `LabError` when it is none, or not readable."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise LabError(f"{printable(path)} cannot be read ({error.strerror}).") from error
    try:
        return file, Header.decode(file.readline(HEADER_LIMIT_BYTES), name=path.name)
    except OSError as error:
        file.close()
        raise LabError(f"{printable(path)} cannot be read ({error.strerror}).") from error
    except LabError:
        file.close()
        raise


class Follower:
    """Hands out a Recording's entries, each once, as they are written. Each view has one of its own.

    `kinds` (of "event", "sample", "send", "read") leaves the others out without parsing them. Not for several threads.
    """

    def __init__(self, path: Path, *, kinds: Collection[str] | None = None) -> None:
        self._file, self.header = open_recording(path)
        self._name, self._kinds = path.name, None if kinds is None else frozenset(kinds)
        self._rest, self._line = b"", 1

    def poll(self) -> list[Entry]:
        """The entries since the last call; [] when there are none. Raises `LabError` for a damaged file."""
        return [entry for entries in self._chunks() for entry in entries]

    def stream(self) -> Iterator[Entry]:
        """Like `poll`, an entry at a time, so that a long history need not fit into memory."""
        for entries in self._chunks():
            yield from entries

    def close(self) -> None:
        """Let go of the file. `poll` then has nothing more to say."""
        self._file.close()

    def _chunks(self) -> Iterator[list[Entry]]:
        while not self._file.closed and (data := self._read()):
            *lines, self._rest = (self._rest + data).split(b"\n")  # the last one may still be being written
            entries = (self._entry(line) for line in lines)
            yield [entry for entry in entries if entry is not None]

    def _read(self) -> bytes:
        try:
            return self._file.read(CHUNK_BYTES)
        except OSError as error:
            raise LabError(f"{printable(self._name)} cannot be read ({error.strerror}).") from error

    def _entry(self, line: bytes) -> Entry | None:
        self._line += 1
        if self._kinds is not None and (match := _KIND.match(line)) and match[1].decode() not in self._kinds:
            return None
        try:
            entry = decode(line)
        except ValueError as error:
            raise LabError(f"{printable(self._name)} is a damaged recording (line {self._line}).") from error
        return entry if self._kinds is None or entry["k"] in self._kinds else None
