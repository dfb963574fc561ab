"""Writing and reading from both sides: as a client on this computer, and as a client in one of the pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from labsupport import Cluster
from labsupport.clients.metadata import SILENT
from labsupport.core.clock import now_s
from labsupport.teaching.pods import inside, space_of

HEARTBEAT = "heartbeat"
PARTITIONS = (0, 1, 2)
INTERNAL_PORT = 9094
PATIENCE_S = 8.0
# Keys, so that the records are for every partition; whoever reads ends when nothing has come for a while.
_WRITE = 'for n in $(seq "$3"); do echo "$2-$n:$2"; done | kafka-console-producer.sh --bootstrap-server "$1" '
_WRITE += f"--topic {HEARTBEAT} --property parse.key=true --property key.separator=: >&2; "
_READ = 'kafka-console-consumer.sh --bootstrap-server "$1" --topic heartbeat --from-beginning --timeout-ms 4000 || :'


def write_outside(cluster: Cluster, values: Sequence[str]) -> list[int]:
    """Write each value to every partition; returns the partitions that did not acknowledge all of theirs in time."""
    from confluent_kafka import Producer

    settings: dict[str, Any] = {"acks": "all", "message.timeout.ms": int(PATIENCE_S * 1000), "log_level": 0}
    producer = Producer(cluster.connection.confluent(**settings), logger=SILENT)
    refused: set[int] = set()
    for number in PARTITIONS:
        for value in values:
            told = _remember(refused, number)
            producer.produce(HEARTBEAT, value, partition=number, on_delivery=told)
    producer.flush(PATIENCE_S + 5)
    return sorted(refused)


def _remember(refused: set[int], number: int) -> Any:
    return lambda error, _: refused.add(number) if error is not None else None


def read_outside(cluster: Cluster) -> Counter[str]:
    """How often each value is there, of all partitions that can be read to their end in time."""
    from confluent_kafka import Consumer, TopicPartition

    settings: dict[str, Any] = {"group.id": "outside", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    consumer = Consumer(
        cluster.connection.confluent(**settings, **{"enable.partition.eof": True}, log_level=0), logger=SILENT
    )
    values: Counter[str] = Counter()
    left, until_s = set(PARTITIONS), now_s() + PATIENCE_S
    try:
        consumer.assign([TopicPartition(HEARTBEAT, number, 0) for number in PARTITIONS])
        while left and now_s() < until_s:
            for message in consumer.consume(500, 0.2):
                if message.error() is None:
                    values[(message.value() or b"").decode(errors="replace")] += 1
                elif message.error().code() == -191:  # _PARTITION_EOF
                    left.discard(message.partition())
    finally:
        consumer.close()
    return values


def write_inside(cluster: Cluster, value: str, count: int) -> None:
    """Write a value so many times, spread over all partitions, from a pod. Raises `LabError`."""
    inside(cluster, _WRITE, bootstrap(cluster), value, str(count))


def read_inside(cluster: Cluster, values: Iterable[str]) -> Counter[str]:
    """How often each of these values is there, as a client in a pod reads them."""
    lines = Counter(inside(cluster, _READ, bootstrap(cluster)).splitlines())
    return Counter({value: lines[value] for value in values})


def bootstrap(cluster: Cluster) -> str:
    """Where clients in pods begin: the headless Service answers with every broker's pod."""
    return f"brokers.{space_of(cluster).namespace}.svc:{INTERNAL_PORT}"
