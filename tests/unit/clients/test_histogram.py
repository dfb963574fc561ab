"""Our histogram against the reference implementation: the same steps, percentiles and encoded form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsupport.clients.histogram import Histogram

HIGHEST = 60_000_000
reference = pytest.importorskip("hdrh.histogram", reason="hdrhistogram has no wheel for this platform")
counted = st.lists(st.tuples(st.integers(0, HIGHEST), st.integers(1, 10**6)), max_size=60)


def both(values: list[tuple[int, int]]) -> tuple[Histogram, Any]:
    """The same counts in ours and in the reference."""
    ours, theirs = Histogram(HIGHEST), reference.HdrHistogram(1, HIGHEST, 3)
    for value, count in values:
        ours.record(value, count)
        theirs.record_value(value, count)
    return ours, theirs


@settings(deadline=None)
@given(counted)
def test_what_is_encoded_is_decoded_by_others(values: list[tuple[int, int]]) -> None:
    """Each count in its step."""
    ours, theirs = both(values)
    decoded = reference.HdrHistogram.decode(ours.encode())
    steps = [
        [(step.value_iterated_to, step.count_at_value_iterated_to) for step in histogram.get_recorded_iterator()]
        for histogram in (decoded, theirs)
    ]
    assert steps[0] == steps[1]
    assert decoded.get_total_count() == ours.total


@settings(deadline=None)
@given(counted.filter(bool), st.floats(0, 100))
def test_percentiles_maximum_and_mean_agree(values: list[tuple[int, int]], percent: float) -> None:
    """To the last digit."""
    ours, theirs = both(values)
    assert ours.at_percentile(percent) == theirs.get_value_at_percentile(percent)
    assert ours.max == theirs.get_max_value()
    assert ours.mean == pytest.approx(theirs.get_mean_value())


def test_nothing_counted() -> None:
    """Zero everywhere, and still a form that others decode."""
    empty = Histogram(HIGHEST)
    assert (empty.total, empty.max, empty.mean, empty.at_percentile(99)) == (0, 0, 0.0, 0)
    assert reference.HdrHistogram.decode(empty.encode()).get_total_count() == 0


def test_a_value_above_the_highest_is_refused() -> None:
    """It must not be counted as something else."""
    with pytest.raises(IndexError):
        Histogram(1000).record(10**6)
