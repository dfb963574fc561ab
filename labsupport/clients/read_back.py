"""Read a topic from its first record to its last, so that a history can be judged."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from labsupport.clients.agreement import wait_for_agreement
from labsupport.clients.connection import Connection
from labsupport.clients.load import ID_HEADER
from labsupport.clients.metadata import SILENT, MetadataReader, NoAnswer, PartitionInfo
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError, WaitTimeout
from labsupport.core.escape import printable
from labsupport.core.journal import Journal, NullJournal
from labsupport.core.wait import wait_until

QUIET_S = 0.5
AGREE_WITHIN_S = 10.0  # a broker that was frozen knows by then what it missed; one that is cut off may never


def read_all(
    connection: Connection, topic: str, *, journal: Journal | None = None, timeout_s: float = 30, reader: str = ""
) -> int:
    """Read every record of a topic and return how many there were.

    Waits until all brokers name the same leaders (for ten seconds at most: one that was frozen leads in its own eyes)
    and the ends of all partitions have stood still for half a second, then reads up to those ends, committed
    or not. Each record goes to the journal with its header "lab-id" ("" without one), between the events "read back
    began" and "read back" (with `complete`, `records`, and the `high_watermarks` by partition). With a name as
    `reader`, it is one witness more, under that name and without those events. Raises `LabError` for a topic that is
    not there, and for a partition that has no leader or is not read to its end within `timeout_s` seconds.
    """
    deadline = now_s() + timeout_s
    numbers = _led_partitions(connection, topic, timeout_s / 2)
    wait_for_agreement(connection, topic, min(AGREE_WITHIN_S, timeout_s / 4))
    reading = _Reading(connection, topic, numbers, journal or NullJournal(), reader)
    try:
        reading.wait_for_quiet(deadline)
        reading.read_to_the_end(deadline)
    finally:
        reading.close()
    return reading.records


def _led_partitions(connection: Connection, topic: str, timeout_s: float) -> list[int]:
    """The numbers of a topic's partitions, once each has a leader."""
    reader = MetadataReader(connection, timeout_s=min(5.0, max(0.1, timeout_s)))
    seen: dict[int, PartitionInfo] = {}
    known_by = now_s() + min(2.0, timeout_s / 2)  # a topic that was just created is not known to all brokers at once

    def all_led() -> bool:
        nonlocal seen
        with suppress(NoAnswer):
            seen = reader.read(topic).topics.get(topic, {})
            if not seen and now_s() >= known_by:
                raise LabError(f"There is no topic {printable(topic)}.", fix="Create it, or look at cluster.topics().")
        return bool(seen) and all(info.leader is not None for info in seen.values())

    try:
        wait_until(all_led, timeout_s, because=f"a leader for each partition of {printable(topic)}")
    except WaitTimeout:
        leaderless = [f"{printable(topic)}-{number}" for number, info in seen.items() if info.leader is None]
        if not leaderless:
            raise
        raise LabError(
            f"{' and '.join(leaderless)} cannot be read: no leader.", fix="Start the brokers that hold the replicas."
        ) from None
    return sorted(seen)


class _Reading:
    """One pass over a topic, with a consumer that shares its partitions with nobody."""

    def __init__(self, connection: Connection, topic: str, numbers: list[int], journal: Journal, reader: str) -> None:
        from confluent_kafka import Consumer

        self.records = 0
        self._topic, self._numbers, self._journal, self._reader = topic, numbers, journal, reader
        self._began = self._complete = False
        self._high_watermarks: dict[int, int] = {}
        settings = {
            "group.id": f"read-back-{secrets.token_hex(4)}",  # librdkafka wants one; nothing is committed to it
            "enable.auto.commit": False,
            "isolation.level": "read_uncommitted",
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "allow.auto.create.topics": False,
            "reconnect.backoff.max.ms": 1000,
            "enable.metrics.push": False,
            "log_level": 0,
        }
        self._consumer: Any = Consumer(connection.confluent(**settings), logger=SILENT)

    def wait_for_quiet(self, deadline: float) -> None:
        """Wait until no partition has grown for `QUIET_S` seconds."""
        still: tuple[object, float] = (None, now_s())

        def quiet() -> bool:
            nonlocal still
            ends = self._bounds(deadline)
            if ends != still[0]:
                still = (ends, now_s())
            return now_s() - still[1] >= QUIET_S

        wait_until(quiet, max(0.0, deadline - now_s()), because=f"{printable(self._topic)} to stop growing")

    def read_to_the_end(self, deadline: float) -> None:
        """Read all partitions from their first record to where they end now."""
        from confluent_kafka import TopicPartition

        if not self._reader:
            self._journal.event("read back began", topic=self._topic)
            self._began = True
        bounds = self._bounds(deadline)
        self._high_watermarks = {number: end for number, (_, end) in bounds.items()}
        left = {number: end for number, (start, end) in bounds.items() if end > start}
        self._consumer.assign([TopicPartition(self._topic, number, bounds[number][0]) for number in left])
        while left:
            if now_s() >= deadline:
                behind = ", ".join(f"{printable(self._topic)}-{number}" for number in left)
                raise WaitTimeout(f"{behind} could not be read to the end in time.", fix="Give a longer timeout_s.")
            for message in self._consumer.consume(num_messages=1000, timeout=0.2):
                self._take(message, left)
        self._complete = True

    def close(self) -> None:
        if self._began:
            self._journal.event(
                "read back",
                topic=self._topic,
                complete=self._complete,
                records=self.records,
                high_watermarks=self._high_watermarks,
            )
        self._consumer.close()

    def _take(self, message: Any, left: dict[int, int]) -> None:
        from confluent_kafka import KafkaError

        number, error = message.partition(), message.error()
        if error is not None:
            if (
                error.code() == KafkaError._PARTITION_EOF
            ):  # the end may be a marker of a transaction, which is no record
                left.pop(number, None)
            elif error.code() == KafkaError._AUTO_OFFSET_RESET or error.fatal():
                raise LabError(f"{printable(self._topic)} cannot be read: {printable(error.str())}.", fix="Try again.")
            return
        if number not in left or message.offset() >= left[number]:
            return
        self.records += 1
        self._journal.read(self._topic, number, message.offset(), _lab_id(message), reader=self._reader)
        if message.offset() + 1 >= left[number]:
            del left[number]

    def _bounds(self, deadline: float) -> dict[int, tuple[int, int]]:
        """First offset and high watermark of each partition."""
        return {number: self._bounds_of(number, deadline) for number in self._numbers}

    def _bounds_of(self, number: int, deadline: float) -> tuple[int, int]:
        from confluent_kafka import KafkaException, TopicPartition

        partition = TopicPartition(self._topic, number)
        while True:
            try:
                start, end = self._consumer.get_watermark_offsets(
                    partition, timeout=max(0.1, min(5, deadline - now_s()))
                )
            except KafkaException as error:
                if now_s() >= deadline:
                    raise LabError(
                        f"{printable(self._topic)}-{number} does not answer: {printable(error.args[0].str())}.",
                        fix="Is its leader running?",
                    ) from error
            else:
                return int(start), int(end)


def _lab_id(message: Any) -> str:
    for name, value in message.headers() or ():
        if name == ID_HEADER and value is not None:
            return str(value[:100].decode("utf-8", "backslashreplace"))
    return ""
