"""The till that this lab is about: it takes a payment four times a second, and never stops.

    python till.py        ($BOOTSTRAP names the brokers)

Each payment goes to `payments` and has to be acknowledged by all replicas that are in sync. One that is not
acknowledged within `PATIENCE_S` seconds is refused, and written down in `refused`: that customer has left. It ends on
SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

PAYMENTS, REFUSED = "payments", "refused"
PARTITIONS = 3
EVERY_S = 0.25
PATIENCE_S = 10


class Till:
    """One run of the program."""

    def __init__(self, bootstrap_servers: str) -> None:
        brokers: dict[str, Any] = {
            "bootstrap.servers": bootstrap_servers,
            "log_level": 0,
            "acks": "all",
            "linger.ms": 0,
        }
        self.payments = Producer({**brokers, "message.timeout.ms": PATIENCE_S * 1000})
        self.refused = Producer(brokers)
        self.ending = False

    def run(self) -> None:
        """Until it is told to end."""
        signal.signal(signal.SIGTERM, self._end)
        print("open", flush=True)
        number = 0
        while not self.ending:
            payment = json.dumps({"n": number, "usd": 4.5}).encode()
            self.payments.produce(PAYMENTS, payment, partition=number % PARTITIONS, on_delivery=self._told)
            number += 1
            began_s = time.monotonic()
            while not self.ending and (left_s := began_s + EVERY_S - time.monotonic()) > 0:
                self.payments.poll(left_s)
            self.refused.poll(0)
        print("closed", flush=True)

    def _end(self, *_: object) -> None:
        self.ending = True

    def _told(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and not self.ending:
            print(f"refused: {(message.value() or b'').decode()}: {error.str()}", flush=True)
            self.refused.produce(REFUSED, message.value())


if __name__ == "__main__":
    Till(os.environ["BOOTSTRAP"]).run()
