"""Reading a Recording's files while they are being written: each entry once, whole lines and whole rows only."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.observe import shelf
from labsupport.observe.format import (
    HEADER_LIMIT_BYTES,
    MARKS,
    PACKED,
    Entry,
    Header,
    decode,
    is_history,
    recording_of,
)
from labsupport.observe.operations import Mark, Operation, Read, Send, joined_id, split_id
from labsupport.observe.packed import Damaged, Unpacker

CHUNK_BYTES = 1 << 20
HISTORY_CHUNK_BYTES = 1 << 16  # some 30,000 operations, 6 MB once they are unpacked

_KIND = re.compile(rb'\{"t":[-+.0-9eE]+,"k":"([a-z]+)"')

T = TypeVar("T")


def find_view(path: Path) -> tuple[Path, Header]:
    """The view that `path` is, or belongs to, and its header. Raises `LabError` when there is none to read."""
    file, line = _open(path)
    file.close()
    if not is_history(line):
        return path, Header.decode(line, name=path.name)
    recording_id = recording_of(line, name=path.name)
    view = shelf.view_of(path)
    if not view.exists():
        raise LabError(f"{printable(path.name)} has no view beside it: {printable(view.name)} is missing.")
    view_file, header = open_view(view)
    view_file.close()
    if header.recording_id != recording_id:
        raise _of_another(path.name, view.name)
    return view, header


def open_view(path: Path) -> tuple[BinaryIO, Header]:
    """Open a view (or a file of version 1), positioned behind its header. Raises `LabError`."""
    file, line = _open(path)
    try:
        return file, Header.decode(line, name=path.name)
    except LabError:
        file.close()
        raise


def open_history(view: Path, header: Header) -> BinaryIO:
    """Open the history that belongs to a view, positioned behind its header. Raises `LabError` when there is none."""
    path = shelf.history_of(view)
    if not path.exists():
        raise LabError(f"{printable(view.name)} has no history beside it: {printable(path.name)} is missing.")
    file, line = _open(path)
    try:
        if recording_of(line, name=path.name) != header.recording_id:
            raise _of_another(path.name, view.name)
    except LabError:
        file.close()
        raise
    return file


def _open(path: Path) -> tuple[BinaryIO, bytes]:
    """A file and its first line. Raises `LabError` when it cannot be read."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise _cannot_read(path, error) from error
    try:
        return file, file.readline(HEADER_LIMIT_BYTES)
    except OSError as error:
        file.close()
        raise _cannot_read(path, error) from error


class Lines:
    """The entries of a view, those of the wanted kinds, each once."""

    def __init__(self, file: BinaryIO, name: str, kinds: Collection[str] | None) -> None:
        self._file, self._name = file, name
        self._kinds = None if kinds is None else frozenset(kinds)
        self._rest, self._line = b"", 1

    def more(self) -> list[Entry]:
        """Some entries that were not handed out yet; [] when there are none at the moment. Raises `LabError`."""
        while data := _read(self._file, self._name):
            *lines, self._rest = (self._rest + data).split(b"\n")  # the last one may still be being written
            found = [entry for line in lines if (entry := self._entry(line)) is not None]
            if found:
                return found
        return []

    def close(self) -> None:
        self._file.close()

    def _entry(self, line: bytes) -> Entry | None:
        self._line += 1
        if self._kinds is not None and (match := _KIND.match(line)) and match[1].decode() not in self._kinds:
            return None
        try:
            entry = decode(line)
        except ValueError as error:
            raise LabError(f"{printable(self._name)} is a damaged recording (line {self._line}).") from error
        return entry if self._kinds is None or entry["k"] in self._kinds else None


class Rows:
    """The operations of a history, each once."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self._unpacker = Unpacker()

    def more(self) -> list[Operation]:
        """Some operations that were not handed out yet; [] when there are none at the moment. Raises `LabError`."""
        while data := _read(self._file, self._name, HISTORY_CHUNK_BYTES):
            try:
                found = self._unpacker.feed(data)
            except (Damaged, UnicodeDecodeError) as error:
                raise LabError(f"{printable(self._name)} is a damaged history of a recording.") from error
            if found:
                return found
        return []

    def close(self) -> None:
        self._file.close()


class Follower:
    """Hands out a Recording's entries, each once, as they are written. Each view has one of its own.

    `kinds` (of "event", "sample", "verdict", "send", "read") leaves the others out, without reading the history when
    neither sends nor reads are wanted. Entries of the view and operations of the history come in the order of their
    times, and exactly on their side of each mark (`format.MARKS`). Not for several threads.
    """

    def __init__(self, path: Path, *, kinds: Collection[str] | None = None) -> None:
        file, self.header = open_view(path)
        self._kinds = None if kinds is None else frozenset(kinds)
        lines = self._lines = Lines(file, path.name, kinds)
        self._rows: Rows | None = None
        if self.header.version > 1 and (self._kinds is None or self._kinds & PACKED):
            try:
                self._rows = Rows(open_history(path, self.header), shelf.history_of(path).name)
            except LabError:
                file.close()
                raise
        of_view = self._kinds is None or self._kinds - PACKED or self._rows is None
        self._entries = _Ahead(lines.more if of_view else list[Entry])
        self._operations = _Ahead(self._rows.more if self._rows is not None else list[Operation])
        self._in_step = self._kinds is None or "event" in self._kinds

    def poll(self) -> list[Entry]:
        """The entries since the last call; [] when there are none. Raises `LabError` for a damaged file."""
        return list(self._merged(wait=True))

    def stream(self) -> Iterator[Entry]:
        """Like `poll`, an entry at a time, so that a long history need not fit into memory."""
        return self._merged(wait=False)

    def close(self) -> None:
        """Let go of the files. `poll` then has nothing more to say."""
        self._lines.close()
        if self._rows is not None:
            self._rows.close()

    def _merged(self, *, wait: bool) -> Iterator[Entry]:
        """Both files in order. With `wait`, what follows a mark in the history waits until the view has the mark, too.

        Of the two, the view is read first, since the history is written first.
        """
        while True:
            entry = self._entries.peek()
            operation = self._operations.peek()
            if operation is None and entry is None:
                return
            if isinstance(operation, Mark):
                if entry is None and wait and self._in_step:
                    return
                if entry is None or not self._in_step:
                    self._operations.pop()
                    continue
                self._entries.pop()
                if (entry["k"], entry.get("what")) == ("event", operation.what):
                    self._operations.pop()
                yield entry
            elif operation is None or (entry is not None and not _is_mark(entry) and entry["t"] <= operation.t):
                yield self._entries.pop()
            else:
                self._operations.pop()
                as_entry = entry_of(operation)
                if self._kinds is None or as_entry["k"] in self._kinds:
                    yield as_entry


class _Ahead(Generic[T]):
    """Someone who hands out lists, seen as a queue."""

    def __init__(self, more: Callable[[], list[T]]) -> None:
        self._more = more
        self._waiting: deque[T] = deque()

    def peek(self) -> T | None:
        if not self._waiting:
            self._waiting.extend(self._more())
        return self._waiting[0] if self._waiting else None

    def pop(self) -> T:
        return self._waiting.popleft()


def operations(view: Path, header: Header) -> Iterator[Operation]:
    """The history of a Recording in the order in which it was written; of version 1, the same from its one file."""
    if header.version == 1:
        yield from _operations_of_version_1(view)
        return
    rows = Rows(open_history(view, header), shelf.history_of(view).name)
    try:
        while found := rows.more():
            yield from found
    finally:
        rows.close()


def _operations_of_version_1(path: Path) -> Iterator[Operation]:
    file, _ = open_view(path)
    lines = Lines(file, path.name, {"event", *PACKED})
    try:
        while found := lines.more():
            for entry in found:
                if entry["k"] in PACKED or _is_mark(entry):
                    yield operation_of(entry)
    finally:
        lines.close()


def operation_of(entry: Entry) -> Operation:
    """A send, a read or a mark from its entry."""
    if entry["k"] == "event":
        fields = {name: value for name, value in entry.items() if name not in {"t", "k", "what"}}
        return Mark(entry["t"], entry["what"], fields)
    producer, n = split_id(str(entry["id"]))
    topic, partition, offset = entry["topic"], entry["partition"], entry["offset"]
    if entry["k"] == "read":
        return Read(entry["t"], topic, partition, offset, producer, n, str(entry.get("reader", "")))
    outcome, intended, error = entry["outcome"], entry["intended"], entry["error"]
    return Send(entry["t"], topic, producer, n, outcome, partition, offset, intended, error)


def entry_of(operation: Send | Read) -> Entry:
    """A send or a read as an entry, as they stood in files of version 1."""
    t, topic, record_id = operation.t, operation.topic, joined_id(operation.producer, operation.n)
    place: Entry = {"partition": operation.partition, "offset": operation.offset}
    if isinstance(operation, Read):
        reader = {"reader": operation.reader} if operation.reader else {}
        return {"t": t, "k": "read", "topic": topic, **place, "id": record_id, **reader}
    head: Entry = {"t": t, "k": "send", "topic": topic, "id": record_id, "outcome": operation.outcome}
    return {**head, **place, "intended": operation.intended, "error": operation.error}


def _is_mark(entry: Entry) -> bool:
    return entry["k"] == "event" and entry["what"] in MARKS


def _read(file: BinaryIO, name: str, size_bytes: int = CHUNK_BYTES) -> bytes:
    try:
        return b"" if file.closed else file.read(size_bytes)
    except OSError as error:
        raise _cannot_read(Path(name), error) from error


def _cannot_read(path: Path, error: OSError) -> LabError:
    return LabError(f"{printable(path)} cannot be read ({error.strerror}).")


def _of_another(history: str, view: str) -> LabError:
    return LabError(f"{printable(history)} is the history of another recording than {printable(view)}.")
