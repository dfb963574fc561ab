"""The stream of flights, counted against the real archive."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from statistics import mean, pvariance
from zoneinfo import ZoneInfo

import pytest

from labsupport.clients import flights
from labsupport.core.errors import BadInput


def test_every_flight_of_the_year_is_one_event() -> None:
    """336,776 scheduled: 328,521 departed and 8,255 cancelled; 2,512 without an aircraft. In the schedule's order."""
    kinds: Counter[str] = Counter()
    without_key, backwards, last_at_s, last_event_ms = 0, 0, 0.0, 0
    for flight in flights.stream():
        kinds[flight.kind] += 1
        without_key += flight.key is None
        backwards += flight.event_time_ms < last_event_ms
        assert flight.at_s >= last_at_s
        last_at_s, last_event_ms = flight.at_s, flight.event_time_ms
    assert kinds == {"departure": flights.DEPARTED, "cancellation": flights.CANCELLED}
    assert kinds.total() == flights.SCHEDULED
    assert without_key == flights.WITHOUT_AIRCRAFT
    assert 0.4 < backwards / flights.SCHEDULED < 0.5
    assert (flights.SCHEDULED, flights.DEPARTED, flights.CANCELLED, flights.WITHOUT_AIRCRAFT) == (
        336_776,
        328_521,
        8_255,
        2_512,
    )


def test_the_first_flight_is_the_one_we_know() -> None:
    """United 1545 to Houston, due at 5:15 on New Year's Day, left two minutes late."""
    first = next(flights.stream())
    assert first.key == "N14228"
    assert json.loads(first.value) == {
        "event": "departure",
        "carrier": "UA",
        "flight": 1545,
        "origin": "EWR",
        "dest": "IAH",
        "scheduled_ms": _new_york("2013-01-01T05:15"),
        "event_time_ms": _new_york("2013-01-01T05:17"),
        "distance_miles": 1400,
        "departure_delay_min": 2,
        "arrival_delay_min": 11,
        "air_time_min": 227,
    }
    assert first.event_time_ms == _new_york("2013-01-01T05:17")
    assert b" " not in first.value


def test_a_cancellation_happens_when_the_flight_was_due() -> None:
    """And has no delays to report."""
    cancelled = next(flight for flight in flights.stream() if flight.kind == "cancellation")
    value = json.loads(cancelled.value)
    assert value["event"] == "cancellation"
    assert value["scheduled_ms"] == value["event_time_ms"] == cancelled.event_time_ms
    assert "departure_delay_min" not in value


def test_summer_time_is_dealt_with() -> None:
    """New York's clocks, whatever the time of the year."""
    july = next(flights.stream(start="2013-07-01T05:00"))
    assert json.loads(july.value)["scheduled_ms"] == _new_york("2013-07-01T05:00")
    assert july.at_s < 60 / 600


def test_a_start_within_a_day_drops_what_was_due_before() -> None:
    """The stream begins at the time that was asked for, also when it lies on the far side of a change of clocks."""
    flight = next(flights.stream(start="2013-03-15T12:00", speed_up=1))
    assert 0 <= json.loads(flight.value)["scheduled_ms"] - _new_york("2013-03-15T12:00") < 3_600_000
    assert 0 <= flight.at_s < 3600


def test_the_same_seed_gives_the_same_stream() -> None:
    """And another seed another one, of the same flights."""
    first, again, other = (list(flights.stream(seed=seed, limit=500)) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert len({flight.value for flight in first} & {flight.value for flight in other}) > 450


def test_a_speed_up_squeezes_time_and_nothing_else() -> None:
    """Twice as fast: the same records at half the times."""
    slow, fast = (list(flights.stream(speed_up=speed_up, limit=300)) for speed_up in (300, 600))
    assert [f.value for f in slow] == [f.value for f in fast]
    assert [f.at_s for f in slow] == pytest.approx([2 * f.at_s for f in fast])


def test_it_comes_in_bursts() -> None:
    """The records of a minute vary three times as much as independent arrivals would (whose variance is their mean)."""
    per_minute = Counter(int(flight.at_s // 60) for flight in flights.stream(speed_up=1, limit=900))
    counts = [per_minute[minute] for minute in range(max(per_minute) + 1)]
    assert pvariance(counts) > 3 * mean(counts)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"speed_up": 0}, "speed_up is 0"),
        ({"speed_up": float("nan")}, "speed_up is nan"),
        ({"limit": -1}, "limit is -1"),
        ({"start": "tomorrow"}, "tomorrow is not a time"),
        ({"start": "2014-01-01T05:00"}, "outside the data"),
        ({"start": "2013-01-01T05:00Z"}, "outside the data"),
        ({"start": None}, "None is not a time"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(wishes: dict[str, object], words: str) -> None:
    """When the stream is asked for, not when its first record is."""
    with pytest.raises(BadInput, match=words):
        flights.stream(**wishes)  # type: ignore[arg-type]


def test_no_flights_are_no_flights() -> None:
    """A limit of 0 is odd but clear."""
    assert list(flights.stream(limit=0)) == []


def _new_york(local: str) -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("America/New_York")).timestamp() * 1000)
