"""Metadata as one certain broker tells it, asked in Kafka's own protocol.

librdkafka and kafka-python ask any broker that they know of, whatever address they were given: after the first answer
that may well be another one. Whoever wants to know what *this* broker knows has to ask it himself.
"""

from __future__ import annotations

import struct

from labsupport.clients.exchange import exchange

_METADATA, _VERSION = 3, 5  # https://kafka.apache.org/protocol#The_Messages_Metadata; both Kafkas of the lab know it
_HEADER = struct.pack(">hhih", _METADATA, _VERSION, 1, -1)  # correlation id 1, no client id
_ALL_TOPICS_CREATE_NONE = struct.pack(">ib", -1, 0)
_LARGEST = 64 * 2**20

Partition = tuple[int, list[int], list[int]]  # leader, replicas, ISR


class Answer:
    """One decoded answer. Ids below 0 mean none."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 8  # after the correlation id and the throttle time
        self.brokers = dict(self._broker() for _ in range(self._number(">i")))
        self.cluster_id = self._text()
        self.controller_id = self._number(">i")
        self.topics = dict(self._topic() for _ in range(self._number(">i")))

    def _broker(self) -> tuple[int, str]:
        node_id, host, port = self._number(">i"), self._text(), self._number(">i")
        self._text()  # the rack
        return node_id, f"{host}:{port}"

    def _topic(self) -> tuple[str, dict[int, Partition]]:
        self._number(">h")  # the error is told by the partitions
        name = self._text()
        self._number(">b")
        return name, dict(self._partition() for _ in range(self._number(">i")))

    def _partition(self) -> tuple[int, Partition]:
        self._number(">h")
        number, leader = self._number(">i"), self._number(">i")
        replicas, isr, _offline = self._ids(), self._ids(), self._ids()
        return number, (leader, replicas, isr)

    def _ids(self) -> list[int]:
        return [self._number(">i") for _ in range(self._number(">i"))]

    def _text(self) -> str:
        length = self._number(">h")
        if length < 0:
            return ""
        self._at += length
        return self._raw[self._at - length : self._at].decode("utf-8", "backslashreplace")

    def _number(self, form: str) -> int:
        (number,) = struct.unpack_from(form, self._raw, self._at)
        self._at += struct.calcsize(form)
        return int(number)


def ask(server: str, timeout_s: float) -> Answer:
    """What the broker at `server` ("host:port", no TLS, no SASL) answers within `timeout_s` seconds.

    Raises `OSError` when it is not there, silent, or says what cannot be understood.
    """
    raw = exchange(server, _HEADER + _ALL_TOPICS_CREATE_NONE, timeout_s=timeout_s, most_bytes=_LARGEST)
    try:
        return Answer(raw)
    except struct.error as error:
        raise OSError("an answer that ends too early") from error
