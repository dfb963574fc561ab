"""ZooKeeper's answers to its four-letter words (Administrator's Guide, "The Four Letter Words")."""

from __future__ import annotations

import socket


def four_letter_word(address: str, word: str) -> str:
    """What the server at `host:port` says to a command such as `srvr`; "" if it is silent."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(word.encode())
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                return answer.read().decode(errors="replace")
    except OSError:
        return ""


def has_session(addresses: tuple[str, ...], broker_id: int) -> bool:
    """Whether a living session holds the ephemeral node of a broker, dead or alive."""
    node = f"/brokers/ids/{broker_id}\n"
    return any(node in four_letter_word(address, "dump") for address in addresses)
