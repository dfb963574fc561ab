"""A histogram of high dynamic range in HdrHistogram's layout, and its standard compressed form (V2).

Ours, because the package that does this has no wheel for Linux on aarch64; tests compare the two. Layout and encoding
are those of hdrhistogram.org (`AbstractHistogram`, `encodeIntoCompressedByteBuffer`) for three significant digits.
"""

from __future__ import annotations

import base64
import struct
import zlib
from array import array
from collections.abc import Iterator

_DIGITS = 3
_SUB_BITS = 11  # 2,048 steps tell values apart to three digits
_HALF = 1 << (_SUB_BITS - 1)
_MASK = (1 << _SUB_BITS) - 1
_PLAIN, _COMPRESSED = 0x1C849303 | 0x10, 0x1C849304 | 0x10


class Histogram:
    """Counts of whole numbers from 0 to `highest`; a value is known to three significant digits."""

    def __init__(self, highest: int) -> None:
        self._highest = highest
        self._counts = array("q", bytes(8 * (_index(highest) + 1)))
        self._max = 0
        self.total = 0

    def record(self, value: int, count: int = 1) -> None:
        """Count `value` (at most `highest`) `count` times. Raises `IndexError` for a larger one."""
        self._counts[_index(value)] += count
        self._max = max(self._max, value)
        self.total += count

    def at_percentile(self, percent: float) -> int:
        """The value that `percent` per cent of those counted did not exceed; 0 if nothing was counted."""
        wanted = max(1, int(min(percent, 100.0) * self.total / 100 + 0.5))
        seen = 0
        for index, count in self._counted():
            seen += count
            if seen >= wanted:
                return _lowest(index) + (_width(index) - 1 if percent else 0)
        return 0

    @property
    def max(self) -> int:
        """The largest value that may have been counted; 0 if nothing was."""
        return _lowest(_index(self._max)) + _width(_index(self._max)) - 1 if self.total else 0

    @property
    def mean(self) -> float:
        """The mean, each value taken in the middle of its step; 0 if nothing was counted."""
        weighted = sum(count * (_lowest(index) + _width(index) // 2) for index, count in self._counted())
        return weighted / self.total if self.total else 0.0

    def encode(self) -> str:
        """The compressed V2 form in base64, as every HdrHistogram decodes it."""
        payload = bytes(_zigzag(self._runs()))
        head = struct.pack(">iiiiqqd", _PLAIN, len(payload), 0, _DIGITS, 1, self._highest, 1.0)
        body = zlib.compress(head + payload)
        return base64.b64encode(struct.pack(">ii", _COMPRESSED, len(body)) + body).decode("ascii")

    def _counted(self) -> Iterator[tuple[int, int]]:
        return ((index, count) for index, count in enumerate(self._counts) if count)

    def _runs(self) -> Iterator[int]:
        """Counts up to the largest value; a run of zeros as its negated length."""
        zeros = 0
        for count in self._counts[: _index(self._max) + 1 if self.total else 0]:
            if count == 0:
                zeros += 1
                continue
            if zeros:
                yield -zeros if zeros > 1 else 0
                zeros = 0
            yield count


def _index(value: int) -> int:
    bucket = (value | _MASK).bit_length() - _SUB_BITS
    return (bucket << (_SUB_BITS - 1)) + (value >> bucket)


def _lowest(index: int) -> int:
    return _step(index) << _shift(index)


def _width(index: int) -> int:
    return 1 << _shift(index)


def _shift(index: int) -> int:
    return max((index >> (_SUB_BITS - 1)) - 1, 0)


def _step(index: int) -> int:
    return index if index < _HALF else (index & (_HALF - 1)) + _HALF


def _zigzag(numbers: Iterator[int]) -> Iterator[int]:
    """ZigZag LEB128: small numbers of either sign in few bytes."""
    for number in numbers:
        rest = (number << 1) ^ (number >> 63)
        while rest > 0x7F:
            yield (rest & 0x7F) | 0x80
            rest >>= 7
        yield rest
