"""One request to one broker and its answer, as bytes of Kafka's own protocol, without a client library."""

from __future__ import annotations

import socket
import struct

from labsupport.core.clock import now_s


def exchange(server: str, request: bytes, *, timeout_s: float, most_bytes: int) -> bytes:
    """What the broker at `server` ("host:port", no TLS, no SASL) answers within `timeout_s` seconds, without its size.

    Raises `OSError` when it is not there, silent, or announces more than `most_bytes`.
    """
    deadline_s = now_s() + timeout_s
    host, _, port = server.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=timeout_s) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", _receive(connection, 4, deadline_s))
        if not 0 < size <= most_bytes:
            raise OSError(f"an answer of {size} bytes")
        return _receive(connection, size, deadline_s)


def _receive(connection: socket.socket, size: int, deadline_s: float) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        connection.settimeout(max(0.001, deadline_s - now_s()))
        part = connection.recv(size - len(parts))
        if not part:
            raise OSError("the connection was closed")
        parts += part
    return bytes(parts)
