"""A poison record: one departure is no JSON, since somebody's export wrote a distance as `1,400`.

The consumer rightly refuses to skip it, tries it again for ever, and everything behind it waits.
"""

from __future__ import annotations

import json
import random
import re
import sys
from itertools import islice
from pathlib import Path

from labsupport import Cluster, flights
from labsupport.cluster.services import Service, define
from labsupport.core.wait import wait_until
from labsupport.teaching import committed, members, watermarks

from .airport_fees import FEES, GROUP, SOURCE

PLACEMENT = {0: [1, 2, 3], 1: [2, 3, 1], 2: [3, 1, 2]}
DEPARTURES = 600
POISONED_AFTER = range(240, 360)  # about the middle: enough before it, enough behind it
PROGRAM = "airport_fees.py"

CLUSTER = {"brokers": 3}
ALERT = "The group airport-fees has fallen behind on one partition, and does not catch up. The invoices leave at six."


def prepare(cluster: Cluster) -> None:
    """Two empty topics, and nobody who reads or writes them."""
    for topic in (SOURCE, FEES):
        cluster.create_topic(topic, replica_assignment=PLACEMENT)


def break_cluster(cluster: Cluster, chance: random.Random) -> None:
    """The departures of a morning, one of them spoilt, and the consumer that reads them."""
    values = _spoilt([(flight.key, flight.value) for flight in _departures()], chance)
    with cluster.producer(acks="all") as producer:
        futures = [producer.send(SOURCE, key=key, value=value) for key, value in values]
        for future in futures:
            future.get(timeout=30)
    consumer = service(cluster)
    consumer.start()
    wait_until(lambda: len(_stuck(cluster)) == 1 and "trying again" in consumer.log(), 60, because="the symptom")


def service(cluster: Cluster) -> Service:
    """The consumer, as a program that belongs to the cluster."""
    return define(cluster.name, GROUP, [sys.executable, "-P", str(Path(__file__).with_name(PROGRAM))])


def symptom(cluster: Cluster) -> str:
    """What the lag says, and the consumer's last words."""
    stood, ends = committed(cluster, GROUP, SOURCE), watermarks(cluster, SOURCE)
    lags = [f"{SOURCE}-{number}: lag {end - stood.get(number, start)}" for number, (start, end) in ends.items()]
    return "\n".join(
        [f"alert  {GROUP} has been behind for ten minutes", *lags, f"{GROUP}: {members(cluster, GROUP)} member"]
    )


def _stuck(cluster: Cluster) -> list[int]:
    """Partitions that are not read to their end, once all others are."""
    stood = committed(cluster, GROUP, SOURCE)
    return [n for n, (start, end) in watermarks(cluster, SOURCE).items() if stood.get(n, start) < end]


def _departures() -> list[flights.Flight]:
    known = (flight for flight in flights.stream() if flight.kind == "departure")
    return list(islice(known, DEPARTURES))


def _spoilt(values: list[tuple[str | None, bytes]], chance: random.Random) -> list[tuple[str | None, bytes]]:
    """The same records, in one of which a distance of 1,000 miles or more has a comma."""
    far = [n for n in POISONED_AFTER if json.loads(values[n][1])["distance_miles"] >= 1_000]
    chosen = chance.choice(far)
    key, value = values[chosen]
    comma = re.sub(rb'("distance_miles":\d)(\d{3})', rb"\1,\2", value)
    return [*values[:chosen], (key, comma), *values[chosen + 1 :]]
