"""What may be asked of a load: its arguments checked, its settings and payloads made."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Literal

from labsupport.core.errors import BadInput
from labsupport.core.escape import printable

Acks = Literal[0, 1, -1, "0", "1", "-1", "all"]


def settings(
    acks: Acks, idempotence: bool, delivery_timeout_ms: int, config: Mapping[str, object]
) -> dict[str, object]:
    if str(acks) not in ("0", "1", "-1", "all"):
        raise BadInput(f"acks is {printable(repr(acks))}.", fix='Kafka knows 0, 1 and "all".')
    if not isinstance(delivery_timeout_ms, int) or delivery_timeout_ms <= 0:
        raise BadInput(f"delivery_timeout_ms is {printable(repr(delivery_timeout_ms))}.", fix="Give whole ms above 0.")
    if not isinstance(config, Mapping):
        raise BadInput(f"config is {printable(repr(config))}.", fix='Give dotted settings: {"linger.ms": 5}.')
    if idempotence and str(acks) not in ("-1", "all") and "enable.idempotence" not in config:
        raise BadInput(f"An idempotent producer needs acks=all, and acks is {acks}.", fix="Add idempotence=False.")
    return {
        "acks": str(acks),
        "enable.idempotence": idempotence,
        "delivery.timeout.ms": delivery_timeout_ms,
        "log_level": 0,
        "allow.auto.create.topics": False,
        "enable.metrics.push": False,
        "reconnect.backoff.max.ms": 1000,  # librdkafka's 10 s would hide how soon a broker is back
        **config,
    }


def delivery_timeout_s(dotted: Mapping[str, object]) -> float:
    """The time-out in force, in seconds; what is no number, the client itself will refuse. 0 is librdkafka's never."""
    chosen = dotted.get("message.timeout.ms", dotted["delivery.timeout.ms"])
    try:
        return float(str(chosen)) / 1000 or float("inf")
    except ValueError:
        return 0.0


def checked_topic(topic: str) -> str:
    if not isinstance(topic, str) or not topic:
        raise BadInput(f"The topic is {printable(repr(topic))}.", fix='Give the name of a topic: "flights".')
    return topic


def checked_interval(records_per_s: float | None) -> float | None:
    if records_per_s is None:
        return None
    if not isinstance(records_per_s, int | float) or not 0 < records_per_s < float("inf"):
        raise BadInput(
            f"records_per_s is {printable(repr(records_per_s))}.",
            fix="Give a number above 0, or None for no limit.",
        )
    return 1 / records_per_s


def checked_sizes(size_bytes: int | tuple[int, int]) -> tuple[int, int]:
    sizes = (size_bytes, size_bytes) if isinstance(size_bytes, int) else size_bytes
    right = isinstance(sizes, tuple) and len(sizes) == 2 and all(isinstance(size, int) for size in sizes)
    if not right or not 0 <= sizes[0] <= sizes[1]:
        raise BadInput(
            f"size_bytes is {printable(repr(size_bytes))}.", fix="Give a number of bytes, or (smallest, largest)."
        )
    return sizes[0], sizes[1]


def checked_number(records: int | None) -> int | None:
    if records is not None and (not isinstance(records, int) or records < 1):
        raise BadInput(f"records is {printable(repr(records))}.", fix="Give a number above 0, or None for no end.")
    return records


def payloads(sizes: tuple[int, int], chance: random.Random) -> list[bytes]:
    """Different random payloads, to be sent over and over: enough for compression to find little, 4 MB at most."""
    smallest, largest = sizes
    count = max(1, min(8000, 4_000_000 // max(1, largest)))
    letters = bytes(65 + byte % 26 for byte in chance.randbytes(2 * largest + 4096))
    made = []
    for _ in range(count):
        size = chance.randint(smallest, largest)
        begin = chance.randrange(len(letters) - size)
        made.append(letters[begin : begin + size])
    return made
