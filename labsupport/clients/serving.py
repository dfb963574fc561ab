"""Which partitions a certain broker serves, asked in Kafka's own protocol.

A client that is told "not me" asks for the leader and goes there, so that nobody sees the refusal. Here it is seen.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from labsupport.clients.exchange import exchange
from labsupport.clients.metadata import NoAnswer
from labsupport.core.errors import LabError
from labsupport.core.escape import printable

_LIST_OFFSETS, _VERSION = 2, 1  # https://kafka.apache.org/protocol#The_Messages_ListOffsets; the oldest of Kafka 4
_CONSUMER, _LATEST = -1, -1  # as a replica id, and as a time
_PARTITION = struct.Struct(">ihqq")  # number, error, timestamp, offset
_SERVED, _NOT_THE_LEADER = 0, 6  # NOT_LEADER_OR_FOLLOWER
_LARGEST = 2**20


def serves(server: str, topic: object, partitions: Sequence[int], *, timeout_s: float = 5) -> list[int]:
    """Those of the partitions whose end the broker at `server` ("host:port", no TLS, no SASL) tells.

    The others it refuses, since another broker leads them. Raises `NoAnswer` when it is silent, `LabError` when it
    knows no such partition or gives another reason.
    """
    name = str(topic).encode()
    body = struct.pack(f">iih{len(name)}si", _CONSUMER, 1, len(name), name, len(partitions))
    body += b"".join(struct.pack(">iq", number, _LATEST) for number in partitions)
    request = struct.pack(">hhih", _LIST_OFFSETS, _VERSION, 1, -1) + body
    try:
        answer = exchange(server, request, timeout_s=timeout_s, most_bytes=_LARGEST)
        errors = _errors(answer, len(partitions))
    except (OSError, struct.error) as error:
        raise NoAnswer(f"The broker at {printable(server)} does not answer ({printable(error)}).") from error
    odd = {number: error for number, error in errors.items() if error not in (_SERVED, _NOT_THE_LEADER)}
    if odd:
        raise LabError(
            f"The broker at {printable(server)} refuses {printable(topic)} for another reason: {odd}.",
            fix="https://kafka.apache.org/protocol#protocol_error_codes names the codes; 3 is an unknown partition.",
        )
    return sorted(number for number, error in errors.items() if error == _SERVED)


def _errors(answer: bytes, partitions: int) -> dict[int, int]:
    """The error code by partition. The answer: correlation id, one topic with its name, so many partitions."""
    (length,) = struct.unpack_from(">h", answer, 8)
    at = 8 + 2 + length + 4
    rows = [_PARTITION.unpack_from(answer, at + row * _PARTITION.size) for row in range(partitions)]
    return {number: error for number, error, _time, _offset in rows}
