"""Who speaks: the name of a client in the first bytes of a connection to a Kafka node. Standard library only.

Every request begins with its size and a header: `api_key`, `api_version`, `correlation_id`, `client_id` (Kafka
protocol guide, "Request Header v1" and "v2", https://kafka.apache.org/protocol#protocol_messages). Only
ControlledShutdown v0, older than our brokers, had no `client_id`. Nodes name themselves in it.
"""

from __future__ import annotations

import re
import struct

_FIXED = struct.Struct(">ihhih")  # size, api_key, api_version, correlation_id, length of client_id (-1: null)
_LONGEST_ID = 2**12
_OF_A_NODE = re.compile(r"broker-(\d+)-.+|(?:raft|AddPartitionsManager|Persister)-client-(\d+)|(\d+)")


class NotKafka(ValueError):
    """The bytes are no request of Kafka's protocol: a handshake of TLS, or a stranger."""


def client_id(head: bytes) -> str | None:
    """The `client_id` of the first request, "" if it is null; None while more bytes are needed. Raises `NotKafka`."""
    if len(head) < _FIXED.size:
        return None
    size, api_key, api_version, _, length = _FIXED.unpack_from(head)
    if size < _FIXED.size - 4 or not 0 <= api_key < 1000 or api_version < 0 or not -1 <= length <= _LONGEST_ID:
        raise NotKafka
    if len(head) < _FIXED.size + length:
        return None
    return head[_FIXED.size : _FIXED.size + max(0, length)].decode("utf-8", "backslashreplace")


def node_of(client: str) -> int | None:
    """The id of the Kafka node that calls itself `client`, None if it is no node's name.

    `broker-2-fetcher-0` (replication), `broker-2-txn-marker-sender` and `AddPartitionsManager-client-2` (transactions),
    `Persister-client-2` (share groups), `raft-client-101` (KRaft's votes and log), and the bare id (heartbeats,
    requests forwarded to the controller, a ZooKeeper-mode controller's orders).
    """
    found = _OF_A_NODE.fullmatch(client)
    return int(found[found.lastindex or 0]) if found else None
