"""The packed form of a history: a few bytes for each operation, one row after the other, only ever appended to.

`docs/recording-format.md` describes every byte. What many operations share (topic, partition, producer, outcome) is a
*stream*, written once; a row then holds only what differs from what was to be expected.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Hashable, Iterable
from typing import Any

from labsupport.observe.format import encode
from labsupport.observe.operations import Mark, Operation, Read, Send

UNITS_PER_S = 10_000  # times are kept in units of 100 microseconds
TEXTS_LIMIT = 4096  # different texts, and streams, before the tables are begun anew on both sides
TEXT_BYTES_LIMIT = 1 << 20  # their length in all
CHECK_EVERY_BYTES = 4096

# the first byte of a row that is no operation
TEXT, STREAM, MARK, CHECK, FORGET = range(0x80, 0x85)
# the bits of the first byte of an operation; the lowest three bits are the time
OTHER_STREAM, OTHER_N, OTHER_OFFSET, OTHER_DUE = 0x40, 0x20, 0x10, 0x08
TIME, TIME_FOLLOWS, TIME_BEFORE = 0x07, 6, 7
# the bits of a stream's flags; the lowest two are its kind
HAS_N, HAS_OFFSET, HAS_DUE, HAS_PARTITION = 0x04, 0x08, 0x10, 0x20
KINDS = ("acked", "failed", "unknown", "read")
READ = KINDS.index("read")

_UNKNOWN = KINDS.index("unknown")
_CODES = {"acked": 0, "failed": 1}


class Damaged(ValueError):
    """A row that no `Packer` writes, or a checksum that does not fit."""


class _Place:
    """Where records lie, one after the other: a partition, for its writers or for one reader."""

    __slots__ = ("offset",)

    def __init__(self) -> None:
        self.offset = -1


class _Source:
    """A producer's sequence: the last number, when that send was due, and the time from one to the next."""

    __slots__ = ("due", "n", "step")

    def __init__(self) -> None:
        self.n, self.due, self.step = -1, 0, 0


class Packer:
    """Turns operations into rows. Holds at most `TEXTS_LIMIT` texts and streams, and `TEXT_BYTES_LIMIT` of text."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._crc = self._unchecked = 0
        self._begin()

    def _begin(self) -> None:
        self._texts: dict[str, int] = {"": 0}
        self._text_bytes = 0
        self._streams: dict[Hashable, tuple[int, _Place, _Source]] = {}
        self._places: dict[Hashable, _Place] = {}
        self._sources: dict[Hashable, _Source] = {}
        self._current, self._t = -1, 0

    def add(self, operation: Operation) -> None:
        """Pack one operation. Its row is among the bytes that `take` returns next."""
        key: Hashable
        if type(operation) is Send:
            t, topic, producer, n, outcome, partition, offset, due, error = operation
            code = _CODES.get(outcome, _UNKNOWN)
            key = (code, topic, producer, partition, error, n is None, offset is None, due is None)
            stream = self._streams.get(key)
            if stream is None:
                stream = self._define(key, code, operation, error)
            self._row(stream, round(t * UNITS_PER_S), n, offset, due)
        elif type(operation) is Read:
            t, topic, partition, offset, producer, n, reader = operation
            key = (topic, producer, partition, reader, n is None)
            stream = self._streams.get(key)
            if stream is None:
                stream = self._define(key, READ, operation, reader)
            self._row(stream, round(t * UNITS_PER_S), n, offset, None)
        else:
            self._mark(operation)  # type: ignore[arg-type]

    def take(self, *, last: bool = False) -> bytes:
        """The rows since the last call, with a checksum after each few thousand bytes, and at the very end."""
        rows = bytes(self._out)
        self._out.clear()
        self._crc = zlib.crc32(rows, self._crc)
        self._unchecked += len(rows)
        if self._unchecked >= CHECK_EVERY_BYTES or (last and self._unchecked):
            rows += bytes((CHECK,)) + self._crc.to_bytes(4, "little")
            self._crc = self._unchecked = 0
        return rows

    def _row(
        self, stream: tuple[int, _Place, _Source], t: int, n: int | None, offset: int | None, due_s: float | None
    ) -> None:
        number, place, source = stream
        out = self._out
        at, tag = len(out), 0
        out.append(0)
        if number != self._current:
            tag = OTHER_STREAM
            self._current = number
            _put(out, number)
        ahead = 1
        if n is not None:
            ahead = n - source.n
            if ahead != 1:
                tag |= OTHER_N
                _put(out, _zigzag(ahead - 1))
            source.n = n
        if offset is not None:
            if offset != place.offset + 1:
                tag |= OTHER_OFFSET
                _put(out, _zigzag(offset - place.offset - 1))
            place.offset = offset
        after = self._t
        if due_s is not None:
            due = round(due_s * UNITS_PER_S)
            off = due - source.due - ahead * source.step
            if off:
                tag |= OTHER_DUE
                _put(out, _zigzag(off))
                if ahead:
                    source.step = (due - source.due) // ahead
            source.due = due
            after = max(after, due)
        self._t = t
        t -= after
        if 0 <= t < TIME_FOLLOWS:
            tag |= t
        elif t >= 0:
            tag |= TIME_FOLLOWS
            _put(out, t - TIME_FOLLOWS)
        else:
            tag |= TIME_BEFORE
            _put(out, -1 - t)
        out[at] = tag

    def _define(self, key: Hashable, kind: int, operation: Send | Read, more: str) -> tuple[int, _Place, _Source]:
        """A new stream; `more` is the error of a send, the reader of a read."""
        if self._is_full():
            self._out.append(FORGET)
            self._begin()
        topic, producer, partition, n = operation.topic, operation.producer, operation.partition, operation.n
        reader = more if kind == READ else None
        texts = [self._text(text) for text in (topic, producer, more)]
        flags = kind | (n is not None) * HAS_N | (operation.offset is not None) * HAS_OFFSET
        if isinstance(operation, Send):
            flags |= (operation.intended is not None) * HAS_DUE
        flags |= (partition is not None) * HAS_PARTITION
        self._out += bytes((STREAM, flags))
        for text in texts:
            _put(self._out, text)
        if partition is not None:
            _put(self._out, _zigzag(partition))
        place = self._places.setdefault((topic, partition, reader), _Place())
        source = self._sources.setdefault((producer, n is None, reader), _Source())
        self._streams[key] = stream = (len(self._streams), place, source)
        return stream

    def _is_full(self) -> bool:
        full = max(len(self._texts), len(self._streams)) >= TEXTS_LIMIT
        return full or self._text_bytes >= TEXT_BYTES_LIMIT

    def _text(self, text: str) -> int:
        """The number of a text, which is written when it is new."""
        number = self._texts.get(text)
        if number is None:
            number = self._texts[text] = len(self._texts)
            raw = text.encode("utf-8", "surrogatepass")
            self._text_bytes += len(raw)
            self._out.append(TEXT)
            _put(self._out, len(raw))
            self._out += raw
        return number

    def _mark(self, mark: Mark) -> None:
        t = round(mark.t * UNITS_PER_S)
        raw = encode({"what": mark.what, **mark.fields}).rstrip("\n").encode()
        self._out.append(MARK)
        _put(self._out, _zigzag(t - self._t))
        _put(self._out, len(raw))
        self._out += raw
        self._t = t


class Unpacker:
    """Turns rows back into operations, in pieces of any size. What comes after the last whole row is kept for later."""

    def __init__(self) -> None:
        self._rest = b""
        self._crc = 0
        self._begin()

    def _begin(self) -> None:
        self._texts = [""]
        self._streams: list[tuple[Any, ...]] = []
        self._places: dict[Hashable, _Place] = {}
        self._sources: dict[Hashable, _Source] = {}
        self._current, self._t = -1, 0

    def feed(self, data: bytes) -> list[Operation]:
        """The operations that are whole by now. Raises `Damaged`."""
        found: list[Operation] = []
        self._rest = data = self._rest + data if self._rest else data
        checked = at = 0
        try:
            while True:
                at = self._operations(data, at, found)
                if at >= len(data) or (end := self._other(data, at, checked, found)) is None:
                    break
                checked = end if data[at] == CHECK else checked
                at = end
        except IndexError as error:
            raise Damaged("a text or stream that was never written") from error
        self._crc = zlib.crc32(data[checked:at], self._crc)
        self._rest = data[at:]
        return found

    def _operations(self, data: bytes, at: int, found: list[Operation]) -> int:  # noqa: PLR0912, PLR0915 - a hot loop
        """Read operations from `at` on; where the first row begins that is another one, or not whole."""
        size, now, current, add = len(data), self._t, self._current, found.append
        stream = self._streams[current] if current >= 0 else ()
        start = at
        try:
            while at < size and (tag := data[at]) < TEXT:
                at += 1
                number = current
                if tag & OTHER_STREAM:
                    number = data[at]
                    at += 1
                    if number > 127:
                        number, at = _more(data, at, number)
                if number != current or not stream:
                    if not 0 <= number < len(self._streams):
                        raise Damaged("a stream that was never written")
                    stream = self._streams[number]
                flags, kind, topic, producer, partition, more, place, source = stream
                n: int | None = None
                offset: Any = None
                due: Any = None
                ahead = 1
                if tag & OTHER_N:
                    value = data[at]
                    at += 1
                    if value > 127:
                        value, at = _more(data, at, value)
                    ahead += (value >> 1) ^ -(value & 1)
                if flags & HAS_N:
                    n = source.n + ahead
                if flags & HAS_OFFSET:
                    offset = place.offset + 1
                    if tag & OTHER_OFFSET:
                        value = data[at]
                        at += 1
                        if value > 127:
                            value, at = _more(data, at, value)
                        offset += (value >> 1) ^ -(value & 1)
                after, step = now, source.step
                if flags & HAS_DUE:
                    due = source.due + ahead * step
                    if tag & OTHER_DUE:
                        value = data[at]
                        at += 1
                        if value > 127:
                            value, at = _more(data, at, value)
                        due += (value >> 1) ^ -(value & 1)
                        if ahead:
                            step = (due - source.due) // ahead
                    after = max(after, due)
                value = tag & TIME
                if value >= TIME_FOLLOWS:
                    value = data[at]
                    at += 1
                    if value > 127:
                        value, at = _more(data, at, value)
                    value = value + TIME_FOLLOWS if tag & TIME == TIME_FOLLOWS else -1 - value
                # the row is whole: from here on what is known may change
                start, now, current = at, after + value, number
                if n is not None:
                    source.n = n
                if offset is not None:
                    place.offset = offset
                if kind == READ:
                    add(Read(now / UNITS_PER_S, topic, partition, offset, producer, n, more))
                    continue
                if due is not None:
                    source.due, source.step = due, step
                    due /= UNITS_PER_S
                add(Send(now / UNITS_PER_S, topic, producer, n, KINDS[kind], partition, offset, due, more))
        except IndexError:  # the row is not whole yet
            pass
        self._t, self._current = now, current
        return start

    def _other(self, data: bytes, at: int, checked: int, found: list[Operation]) -> int | None:
        """Read one row that is no operation; where it ends, or None when it is not whole yet."""
        rows = {TEXT: self._text, STREAM: self._stream, MARK: self._mark}
        tag, at = data[at], at + 1
        if tag < TEXT:
            return None
        if tag == FORGET:
            self._begin()
            return at
        if tag == CHECK:
            if len(data) < at + 4:
                return None
            if zlib.crc32(data[checked : at - 1], self._crc) != int.from_bytes(data[at : at + 4], "little"):
                raise Damaged("a checksum that does not fit")
            self._crc = 0
            return at + 4
        if tag not in rows:
            raise Damaged("a row of an unknown kind")
        return rows[tag](data, at, found)

    def _text(self, data: bytes, at: int, _: list[Operation]) -> int | None:
        body = _body(data, at)
        if body is None:
            return None
        raw, at = body
        self._texts.append(raw.decode("utf-8", "surrogatepass"))
        return at

    def _stream(self, data: bytes, at: int, _: list[Operation]) -> int | None:
        numbers: list[int] = []
        wanted = 5 if len(data) > at and data[at] & HAS_PARTITION else 4
        for _ in range(wanted):  # type: ignore[assignment]
            if (read := _number(data, at)) is None:
                return None
            value, at = read
            numbers.append(value)
        flags, topic, producer, more = numbers[0], *(self._texts[number] for number in numbers[1:4])
        partition = _unzigzag(numbers[4]) if wanted == 5 else None
        kind = flags & 3
        reader = more if kind == READ else None
        place = self._places.setdefault((topic, partition, reader), _Place())
        source = self._sources.setdefault((producer, not flags & HAS_N, reader), _Source())
        self._streams.append((flags, kind, topic, producer, partition, more, place, source))
        return at

    def _mark(self, data: bytes, at: int, found: list[Operation]) -> int | None:
        if (read := _number(data, at)) is None or (body := _body(data, read[1])) is None:
            return None
        raw, at = body
        try:
            fields = json.loads(raw)
            what = fields.pop("what")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Damaged("a mark that is none") from error
        self._t += _unzigzag(read[0])
        found.append(Mark(self._t / UNITS_PER_S, what, fields))
        return at


def pack(operations: Iterable[Operation]) -> bytes:
    """A whole history at once."""
    packer = Packer()
    for operation in operations:
        packer.add(operation)
    return packer.take(last=True)


def _put(out: bytearray, value: int) -> None:
    """A number from 0 on, seven bits a byte, the lowest first (LEB128)."""
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _more(data: bytes, at: int, value: int) -> tuple[int, int]:
    """The rest of a number of several bytes, of which `value` is the first; `IndexError` when it is not whole."""
    value &= 127
    shift = 7
    while (part := data[at]) > 127:
        value |= (part & 127) << shift
        shift += 7
        at += 1
    return value | part << shift, at + 1


def _number(data: bytes, at: int) -> tuple[int, int] | None:
    """A number and where it ends; None when it is not whole."""
    try:
        return _more(data, at + 1, data[at]) if data[at] > 127 else (data[at], at + 1)
    except IndexError:
        return None


def _body(data: bytes, at: int) -> tuple[bytes, int] | None:
    """Bytes behind their length, and where they end; None when they are not whole."""
    read = _number(data, at)
    if read is None or len(data) < read[1] + read[0]:
        return None
    size, at = read
    return data[at : at + size], at + size


def _zigzag(value: int) -> int:
    """Small numbers of either sign as small numbers."""
    return value << 1 if value >= 0 else ~(value << 1)


def _unzigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)
