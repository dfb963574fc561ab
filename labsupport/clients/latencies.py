"""Latencies in HdrHistogram's form: three significant digits from a microsecond to a minute."""

from __future__ import annotations

import struct
import threading
from array import array
from collections import Counter, deque
from collections.abc import Iterable

from labsupport.clients.histogram import Histogram
from labsupport.core.errors import LabError

_LARGEST_US = 60_000_000


class Latencies:
    """A histogram that one thread writes fast and any thread reads. Above 60 s a latency counts as 60 s.

    `record_us` takes a latency in microseconds. `encode()` gives the compressed base64 form that every HdrHistogram
    (hdrhistogram.org) can decode; its values are microseconds.
    """

    def __init__(self) -> None:
        self._histogram = Histogram(_LARGEST_US)
        self._waiting: deque[float] = deque()
        self._lock = threading.Lock()
        # a bare append, since a fast load calls it 10^5 times a second
        self.record_us = self._waiting.append

    @property
    def count(self) -> int:
        """How many latencies were recorded."""
        return self._settled().total

    def percentile_ms(self, percent: float) -> float:
        """The latency that `percent` per cent of the records did not exceed. Raises `LabError` when there are none."""
        return self._some().at_percentile(percent) / 1000

    @property
    def max_ms(self) -> float:
        """The longest latency. Raises `LabError` when there are none."""
        return self._some().max / 1000

    @property
    def mean_ms(self) -> float:
        """The mean latency. Raises `LabError` when there are none."""
        return self._some().mean / 1000

    def encode(self) -> str:
        """The standard compressed form (V2, base64), values in microseconds."""
        return self._settled().encode()

    def settle(self) -> None:
        """Move what was recorded into the histogram; called now and then by the writer, to bound memory."""
        with self._lock:
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            for value, count in _grouped(waiting):
                self._histogram.record(min(int(value), _LARGEST_US), count)

    def _settled(self) -> Histogram:
        self.settle()
        return self._histogram

    def _some(self) -> Histogram:
        histogram = self._settled()
        if not histogram.total:
            raise LabError("No record has been acknowledged, so there is no latency.", fix="Wait for some first.")
        return histogram


def _grouped(values_us: list[float]) -> Iterable[tuple[float, int]]:
    """Values of one bucket of the histogram together, since recording one by one costs 2 µs each in Python.

    A bucket is told by the 11 leading binary digits of a value. The three leading bytes of a double hold its exponent
    and 13 leading digits, so cutting the other five moves no value to another bucket.
    """
    raw = array("d", values_us).tobytes()
    for (low, middle, high), count in Counter(zip(raw[5::8], raw[6::8], raw[7::8], strict=True)).items():
        yield struct.unpack("<d", bytes((0, 0, 0, 0, 0, low, middle, high)))[0], count
