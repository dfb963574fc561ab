"""One record to each partition of a topic, and what became of it: whom of the leaders a client reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from labsupport.clients.connection import Connection
from labsupport.clients.metadata import SILENT
from labsupport.core.errors import BadInput, LabError
from labsupport.core.escape import printable

Written = Literal["acknowledged", "given up"]
SLACK_S = 5  # librdkafka looks for what is overdue once a second


def writes(
    bootstrap_servers: str, topic: object, partitions: Sequence[int], *, value: str = "", timeout_s: float = 10
) -> dict[int, Written]:
    """Send a record to each partition with acks=all, as a client does that knows `bootstrap_servers` alone.

    It asks there who leads what, and goes to each leader at the address that this one advertises. A record is given up
    after `timeout_s` seconds without an acknowledgement (Kafka's own patience is 120 s, `delivery.timeout.ms`); it may
    have been written all the same. Raises `BadInput` for a time that is none, `LabError` when no broker answers.
    """
    from confluent_kafka import KafkaException, Producer

    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not 1 <= timeout_s <= 600:
        raise BadInput(f"timeout_s is {timeout_s!r}.", fix="Use seconds, from 1 to 600.")
    asked: dict[str, object] = {"acks": "all", "delivery.timeout.ms": int(timeout_s * 1000), "linger.ms": 0}
    quiet = {"log_level": 0, "allow.auto.create.topics": False, "enable.metrics.push": False}
    sender = Producer(Connection(bootstrap_servers=bootstrap_servers).confluent(**asked, **quiet), logger=SILENT)
    found: dict[int, Written] = dict.fromkeys(partitions, "given up")

    def told(error: object, message: object) -> None:
        if error is None:
            found[message.partition()] = "acknowledged"  # type: ignore[attr-defined]

    try:
        sender.list_topics(str(topic), timeout=timeout_s)
        for number in partitions:
            sender.produce(str(topic), value=value.encode(), partition=number, on_delivery=told)
    except KafkaException as error:
        raise LabError(
            f"Nothing can be sent by way of {printable(bootstrap_servers)} ({printable(error.args[0].str())}).",
            fix="Is there a broker, and has the topic these partitions?",
        ) from error
    sender.flush(timeout_s + SLACK_S)
    return found
