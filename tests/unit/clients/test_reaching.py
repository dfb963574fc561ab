"""What becomes of a request to an address: four ends, each from a real socket or a real look-up."""

from __future__ import annotations

import socket
import struct
import threading
from typing import Any

import pytest

from labsupport.clients.reaching import how_it_answers
from labsupport.core.errors import BadInput

NOBODY = struct.pack(">iiihii", 1, 0, 0, -1, -1, 0)  # metadata: no brokers, no cluster id, no controller, no topics


def test_a_broker_answers() -> None:
    """Whatever it has to say."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(struct.pack(">i", len(NOBODY)) + NOBODY)

        threading.Thread(target=serve, daemon=True).start()
        assert how_it_answers(f"127.0.0.1:{server.getsockname()[1]}") == "answers"


def test_who_only_takes_the_connection_does_not_answer() -> None:
    """A port-forward does that, whatever is behind it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert how_it_answers(f"127.0.0.1:{server.getsockname()[1]}", timeout_s=0.2) == "no answer"


def test_nobody_listens() -> None:
    """A port that was just given back."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert how_it_answers(f"127.0.0.1:{port}") == "refused"


@pytest.mark.parametrize("host", ["broker-2.brokers.nowhere.invalid", "x" * 64 + ".invalid"])
def test_a_name_that_nobody_knows(host: str) -> None:
    """`.invalid` never is one (RFC 2606); a label of 64 letters cannot be one."""
    assert how_it_answers(f"{host}:9092") == "no such name"


@pytest.mark.parametrize("address", ["", "broker-1", "broker-1:", ":9092", "broker-1:x", "broker-1:0", None, 9092])
def test_what_is_no_address_is_refused(address: Any) -> None:
    """In one sentence."""
    with pytest.raises(BadInput, match="is no address"):
        how_it_answers(address)
