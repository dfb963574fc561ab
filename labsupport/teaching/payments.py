"""What the topics of labs hold: payments of travellers, chosen by a lab's seed."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from labsupport.clients import flights

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster

TRAVELLERS = 1_000
ACKNOWLEDGED_WITHIN_S = 60


def write_payments(cluster: Cluster, topic: str, count: int, *, partitions: int, chance: random.Random) -> None:
    """Write so many, spread evenly over the partitions; returns when all replicas in sync have them."""
    travellers = [json.loads(flight.value) for flight in flights.stream(limit=TRAVELLERS)]
    with cluster.producer(acks="all") as producer:
        futures = []
        for number in range(count):
            flight = chance.choice(travellers)
            told = {"n": number, "flight": f"{flight['carrier']}{flight['flight']}"}
            told |= {"usd": chance.randrange(9_900, 99_900) / 100}
            futures.append(producer.send(topic, value=told, partition=number % partitions))
        for future in futures:
            future.get(timeout=ACKNOWLEDGED_WITHIN_S)
