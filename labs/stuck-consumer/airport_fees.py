"""The consumer that this lab is about: it charges every departure its airport fee, once, in order.

    python airport_fees.py        ($BOOTSTRAP names the brokers)

It reads `departures` in the group `airport-fees`, writes a fee for each departure to `fees`, and commits what it has
charged. A record that it cannot read is tried again and again: skipping one would be a fee that nobody pays. It ends on
SIGTERM, after the records it has in hand.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

SOURCE, FEES, GROUP = "departures", "fees", "airport-fees"
USD_A_MILE = 0.02
AGAIN_S = 1.0


class Charging:
    """One run of the program."""

    def __init__(self, bootstrap_servers: str) -> None:
        brokers: dict[str, Any] = {"bootstrap.servers": bootstrap_servers, "log_level": 0}
        self.producer = Producer({**brokers, "acks": "all", "linger.ms": 0})
        self.consumer = Consumer(
            {**brokers, "group.id": GROUP, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        )
        self.ending = False

    def run(self) -> None:
        """Until it is told to end."""
        signal.signal(signal.SIGTERM, self._end)
        self.consumer.subscribe([SOURCE])
        print("started", flush=True)
        while not self.ending:
            self._charge([message for message in self.consumer.consume(100, AGAIN_S) if message.error() is None])
        self.consumer.close()
        print("ended", flush=True)

    def _end(self, *_: object) -> None:
        self.ending = True

    def _charge(self, messages: list[Message]) -> None:
        """Charge a batch, partition by partition, each up to the first record that cannot be read; then commit."""
        stuck: set[int] = set()
        done: dict[int, int] = {}
        for message in messages:
            if message.partition() in stuck:
                continue
            try:
                fee = fee_of(message)
            except ValueError as error:
                print(f"{SOURCE}-{message.partition()} offset {message.offset()}: {error}; trying again", flush=True)
                self._again(message)
                stuck.add(message.partition())
            else:
                self.producer.produce(FEES, fee, key=message.key())
                done[message.partition()] = message.offset() + 1
        self.producer.flush()
        if done:
            self.consumer.commit(
                offsets=[TopicPartition(SOURCE, number, offset) for number, offset in done.items()], asynchronous=False
            )

    def _again(self, message: Message) -> None:
        try:
            self.consumer.seek(TopicPartition(SOURCE, message.partition(), message.offset()))
        except KafkaException as error:  # the partition was taken away: whoever has it now begins at what is committed
            print(f"{SOURCE}-{message.partition()}: {error}", flush=True)


def fee_of(message: Message) -> bytes:
    """The fee of one departure, as JSON; `of` names the record it was made from. Raises `ValueError`."""
    departure = json.loads(message.value())
    fee = {
        "of": f"{message.partition()}@{message.offset()}",
        "flight": f"{departure['carrier']}{departure['flight']}",
        "usd": round(departure["distance_miles"] * USD_A_MILE, 2),
    }
    return json.dumps(fee).encode()


if __name__ == "__main__":
    Charging(os.environ["BOOTSTRAP"]).run()
