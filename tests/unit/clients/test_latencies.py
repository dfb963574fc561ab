"""The fast way into the histogram ends in the same buckets as the slow one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsupport.clients.latencies import Latencies
from labsupport.core.errors import LabError


@settings(deadline=None)
@given(st.lists(st.floats(min_value=0, max_value=59e6), max_size=200))
def test_grouping_moves_no_value_to_another_bucket(values_us: list[float]) -> None:
    """Recorded one by one or grouped by leading digits: the counts are equal."""
    HdrHistogram = pytest.importorskip("hdrh.histogram").HdrHistogram  # no wheel for every platform
    one_by_one = HdrHistogram(1, 60_000_000, 3)
    ours = Latencies()
    for value in values_us:
        one_by_one.record_value(int(value))
        ours.record_us(value)
    assert _counts(HdrHistogram.decode(ours.encode())) == _counts(one_by_one)


def _counts(histogram: Any) -> list[tuple[int, int]]:
    return [(step.value_iterated_to, step.count_at_value_iterated_to) for step in histogram.get_recorded_iterator()]


def test_percentiles_are_in_milliseconds() -> None:
    """Of 1 ms to 100 ms, half are at most 50 ms."""
    latencies = Latencies()
    for milliseconds in range(1, 101):
        latencies.record_us(milliseconds * 1000)
    assert latencies.count == 100
    assert latencies.percentile_ms(50) == pytest.approx(50, rel=0.001)
    assert latencies.percentile_ms(99) == pytest.approx(99, rel=0.001)
    assert latencies.max_ms == pytest.approx(100, rel=0.001)
    assert latencies.mean_ms == pytest.approx(50.5, rel=0.001)


def test_what_is_longer_than_a_minute_counts_as_a_minute() -> None:
    """It must not vanish: a lost tail is the one mistake a latency report may not make."""
    latencies = Latencies()
    latencies.record_us(90e6)
    assert latencies.count == 1
    assert latencies.max_ms == pytest.approx(60_000, rel=0.001)


def test_without_a_latency_there_is_no_percentile() -> None:
    """Zero would read as very fast."""
    with pytest.raises(LabError, match="No record has been acknowledged"):
        Latencies().percentile_ms(99)
