"""A throttle that nobody took away: a reassignment long done left its rate behind, and tonight a broker must catch up.

`kafka-reassign-partitions.sh --execute --throttle RATE` sets a rate on the brokers and lists the throttled replicas on
the topic; only a later `--verify` removes both. In-sync followers are not throttled, so for weeks nothing is seen.
"""

from __future__ import annotations

import json
import random
from typing import Any

from labsupport import Cluster, flights
from labsupport.clients import kafka_python
from labsupport.core.wait import wait_until

TOPIC, OTHER_TOPIC = "payments", "refunds"
PLACEMENT = {0: [1, 2, 3], 1: [2, 3, 1], 2: [3, 1, 2]}
PAYMENTS, REFUNDS = 60_000, 600
RATE = 1_000  # bytes a second; whoever typed it thought of kilobytes
LATE = 3  # the broker that was restarted tonight

# Small fetches, as on brokers with small heaps: else the first unthrottled 1 MB would bring the follower up to date.
CLUSTER = {"brokers": 3, "config": {"replica.fetch.max.bytes": 4096}}
ALERT = (
    "Broker 3 was restarted half an hour ago for a kernel update. It is up, and yet UnderReplicatedPartitions is "
    "not 0, and does not move."
)


def prepare(cluster: Cluster) -> None:
    """Two topics, three replicas each, everything in sync."""
    for topic in (TOPIC, OTHER_TOPIC):
        cluster.create_topic(topic, replica_assignment=PLACEMENT, config={"min.insync.replicas": 2})


def break_cluster(cluster: Cluster, chance: random.Random) -> None:
    """The throttle of an old reassignment stays in place, broker 3 is away for a while, and business goes on."""
    _throttle(cluster)
    cluster.broker(LATE).stop()
    _write(cluster, TOPIC, PAYMENTS, chance)
    _write(cluster, OTHER_TOPIC, REFUNDS, chance)
    cluster.broker(LATE).start()
    for number in PLACEMENT:
        cluster.topic(OTHER_TOPIC).wait_for_isr(number, size=3)
    wait_until(lambda: len(_behind(cluster)) == len(PLACEMENT), 30, because="the symptom")


def symptom(cluster: Cluster) -> str:
    """What the alert and a first look show."""
    brokers = ", ".join(f"broker-{broker.node_id} {broker.state}" for broker in cluster.brokers)
    behind = _behind(cluster)
    others = "every replica in sync" if not _behind(cluster, OTHER_TOPIC) else "behind, too"
    return "\n".join(
        [
            f"alert    UnderReplicatedPartitions = {len(behind)}",
            f"brokers  {brokers}",
            *behind,
            f"{OTHER_TOPIC}: {others}",
        ]
    )


def _behind(cluster: Cluster, topic: str = TOPIC) -> list[str]:
    return [
        f"{topic}-{number}: leader {info.leader}, replicas {list(info.replicas)}, in sync {sorted(info.isr)}"
        for number, info in cluster.topic(topic).partitions().items()
        if len(info.isr) < len(info.replicas)
    ]


def _throttle(cluster: Cluster) -> None:
    """What the reassignment's `--throttle` had set (KIP-73)."""
    kafka_python.load()
    from kafka.admin import ConfigResource, ConfigResourceType

    rates = {f"{side}.replication.throttled.rate": str(RATE) for side in ("leader", "follower")}
    every = ",".join(f"{number}:{node_id}" for number, replicas in PLACEMENT.items() for node_id in replicas)
    lists = {f"{side}.replication.throttled.replicas": every for side in ("leader", "follower")}
    of = [ConfigResource(ConfigResourceType.BROKER, str(broker.node_id), rates) for broker in cluster.brokers]
    admin = cluster.admin()
    try:
        admin.alter_configs([*of, ConfigResource(ConfigResourceType.TOPIC, TOPIC, lists)], raise_on_unknown=False)
    finally:
        admin.close()


def _write(cluster: Cluster, topic: str, count: int, chance: random.Random) -> None:
    """Records in small batches, spread evenly, and acknowledged by all replicas that are in sync."""
    from confluent_kafka import Producer

    refused: list[Any] = []
    settings: dict[str, Any] = {
        "acks": "all",
        "batch.size": 4000,
        "queue.buffering.max.messages": count + 1,
        "log_level": 0,
    }
    producer = Producer(cluster.connection.confluent(**settings))
    travellers = list(flights.stream(limit=1_000))
    for number in range(count):
        flight = json.loads(chance.choice(travellers).value)
        told = {
            "n": number,
            "flight": f"{flight['carrier']}{flight['flight']}",
            "usd": chance.randrange(9_900, 99_900) / 100,
        }
        producer.produce(
            topic,
            json.dumps(told | {"paid_with": chance.choice(("card", "miles", "voucher"))}),
            partition=number % len(PLACEMENT),
            on_delivery=lambda error, _: refused.append(error) if error is not None else None,
        )
        producer.poll(0)
    assert producer.flush(60) == 0 and not refused, refused[:1]
