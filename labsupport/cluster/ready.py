"""The last proof that a cluster is ready: one record, acknowledged by all replicas, read back."""

from __future__ import annotations

import secrets
from typing import Any

from labsupport.clients.connection import Connection
from labsupport.clients.metadata import SILENT
from labsupport.core.clock import now_s
from labsupport.core.errors import StartError
from labsupport.core.escape import printable

PROBE_TOPIC = "__kafka_lab_ready"


def round_trip(connection: Connection, *, replicas: int, timeout_s: float) -> str:
    """Make a topic, write one `acks=all` record, read it, drop the topic. Returns the cluster's id.

    Raises `StartError` when a step does not succeed within `timeout_s` seconds.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

    quiet: dict[str, Any] = {"log_level": 0, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200}
    config = connection.confluent(**quiet)
    admin = AdminClient(config, logger=SILENT)
    deadline = now_s() + timeout_s
    try:
        topic = NewTopic(PROBE_TOPIC, num_partitions=1, replication_factor=replicas)
        admin.create_topics([topic])[PROBE_TOPIC].result(timeout=timeout_s)
        _write_and_read(config, secrets.token_bytes(8), deadline)
        admin.delete_topics([PROBE_TOPIC])[PROBE_TOPIC].result(timeout=timeout_s)
        return str(admin.list_topics(timeout=timeout_s).cluster_id)
    except KafkaException as error:
        reason = printable(error.args[0].str()).rstrip(".")
        raise StartError(f"No record made the round trip: {reason}.", fix="Start the cluster again.") from error


def _write_and_read(config: dict[str, Any], value: bytes, deadline: float) -> None:
    from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

    failures: list[Any] = []
    producer = Producer({**config, "acks": "all", "linger.ms": 0}, logger=SILENT)
    producer.produce(
        PROBE_TOPIC, value, on_delivery=lambda error, _: failures.append(error) if error is not None else None
    )
    if producer.flush(max(0.1, deadline - now_s())):
        raise StartError("A record was not acknowledged in time.", fix="Is the machine very busy? Start again.")
    if failures:
        raise KafkaException(failures[0])
    consumer = Consumer({**config, "group.id": PROBE_TOPIC, "enable.auto.commit": "false"}, logger=SILENT)
    try:
        consumer.assign([TopicPartition(PROBE_TOPIC, 0, 0)])
        while now_s() < deadline:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None and message.value() == value:
                return
        raise StartError("An acknowledged record could not be read in time.", fix="Start the cluster again.")
    finally:
        consumer.close()
