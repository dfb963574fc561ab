"""Which partitions a broker serves: what is asked, how an answer is read, and who is not believed."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from labsupport.clients.metadata import NoAnswer
from labsupport.clients.serving import serves
from labsupport.core.errors import LabError


def answer(errors: dict[int, int], topic: bytes = b"arrivals") -> bytes:
    """A broker's answer to ListOffsets, version 1."""
    rows = b"".join(struct.pack(">ihqq", number, error, -1, 5) for number, error in errors.items())
    body = struct.pack(f">iih{len(topic)}si", 1, 1, len(topic), topic, len(errors)) + rows
    return struct.pack(">i", len(body)) + body


@pytest.fixture
def broker() -> Iterator[tuple[str, list[bytes], list[bytes]]]:
    """An address, the answers that it will give, and the requests that it was sent."""
    answers: list[bytes] = []
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(answers[0])

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", answers, asked


Broker = tuple[str, list[bytes], list[bytes]]


def test_those_with_an_offset_are_served_and_those_refused_are_not(broker: Broker) -> None:
    """6 is NOT_LEADER_OR_FOLLOWER; the request asks for the end of each partition, as a consumer does."""
    address, answers, asked = broker
    answers.append(answer({0: 6, 1: 0, 2: 6}))
    assert serves(address, "arrivals", [0, 1, 2]) == [1]
    assert asked[0][4:8] == struct.pack(">hh", 2, 1) and b"arrivals" in asked[0]
    assert len(asked[0]) == 4 + struct.unpack(">i", asked[0][:4])[0]


def test_another_refusal_is_told(broker: Broker) -> None:
    """3 is an unknown partition: whoever asks for that has not asked who leads."""
    address, answers, _ = broker
    answers.append(answer({0: 3}))
    with pytest.raises(LabError, match=r"refuses arrivals for another reason: \{0: 3\}"):
        serves(address, "arrivals", [0])


@pytest.mark.parametrize(
    "said", [b"", b"\0\0\0\7", struct.pack(">i", -1), struct.pack(">i", 2**30), answer({0: 0})[:-3]]
)
def test_what_is_no_answer_is_none(broker: Broker, said: bytes) -> None:
    """Closed, cut off, of an impossible size."""
    address, answers, _ = broker
    answers.append(said)
    with pytest.raises(NoAnswer, match="does not answer"):
        serves(address, "arrivals", [0])


def test_nobody_is_waited_for_longer_than_told() -> None:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(NoAnswer):
        serves(f"127.0.0.1:{server.getsockname()[1]}", "arrivals", [0], timeout_s=0.2)
