"""The link proxy with two small servers behind it: what each rule does to bytes, and whom it takes callers for."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from labsupport.cluster.links import CLIENTS, Door, Links, Traffic, proxy_settings
from labsupport.cluster.proxy_link import End, Link, Passage, Rule
from labsupport.cluster.request_header import NotKafka, client_id, node_of
from labsupport.core.errors import LabError, NotRunning
from labsupport.core.wait import wait_until

NAMES = {1: "broker-1", 2: "broker-2", 3: "broker-3"}


def request(client: str | None, payload: bytes = b"") -> bytes:
    """The beginning of any Kafka request: here ApiVersions 3."""
    name = b"" if client is None else client.encode()
    header = struct.pack(">hhih", 18, 3, 1, -1 if client is None else len(name)) + name + payload
    return struct.pack(">i", len(header)) + header


# -- who speaks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "node"),
    [
        ("broker-2-fetcher-0", 2),
        ("broker-12-txn-marker-sender", 12),
        ("raft-client-101", 101),
        ("AddPartitionsManager-client-2", 2),
        ("my-client-2", None),
        ("3", 3),
        ("rdkafka", None),
        ("kafka-python-3.0.12", None),
        ("broker-2", None),
        ("", None),
    ],
)
def test_a_node_tells_its_id_in_its_client_id(client: str, node: int | None) -> None:
    assert node_of(client) == node


def test_the_name_is_read_as_soon_as_it_is_there_and_not_before() -> None:
    whole = request("broker-2-fetcher-0", b"and the rest")
    enough = 14 + len("broker-2-fetcher-0")
    assert [client_id(whole[:length]) for length in range(enough)] == [None] * enough
    assert client_id(whole[:enough]) == client_id(whole) == "broker-2-fetcher-0"
    assert client_id(request(None)) == ""


TLS, HTTP = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abc", b"GET / HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize("head", [TLS, HTTP, b"\0" * 20])
def test_what_is_no_kafka_request_is_told_apart(head: bytes) -> None:
    """TLS, HTTP, zeros."""
    with pytest.raises(NotKafka):
        client_id(head)


# -- the proxy ---------------------------------------------------------------------------------------------------------


class Echo:
    """Answers every byte with itself and keeps its connections."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        self.ended = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)
        self.ended += 1
        connection.close()

    def close(self) -> None:
        self.listener.close()
        for connection in self.connections:
            connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Lab:
    """A proxy before the CLIENT and INTERNAL listeners of one broker."""

    def __init__(self, name: str, tmp_path: Path) -> None:
        self.client_side, self.internal = Echo(), Echo()
        self.links = Links(name)
        self.client_port, self.internal_port, self.dead_port = free_port(), free_port(), free_port()
        doors = [
            Door(port=self.client_port, target_port=self.client_side.port, node="broker-1", source=CLIENTS),
            Door(port=self.internal_port, target_port=self.internal.port, node="broker-1"),
            Door(port=self.dead_port, target_port=free_port(), node="broker-3", source=CLIENTS),
        ]
        settings = tmp_path / "settings.json"
        settings.write_text(proxy_settings(self.links, doors, NAMES))
        argv = [sys.executable, "-S", "-P", "-m", "labsupport.cluster.proxy", str(settings)]
        self.process = subprocess.Popen(argv, env={"PYTHONPATH": str(Path(__file__).parents[3])}, cwd="/")
        wait_until(self.links.is_up, 20, because="the proxy to listen")

    def client(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.client_port), timeout=10)
        assert ask(connection, b"hello") == b"hello"
        return connection

    def broker(self, node_id: int) -> socket.socket:
        """A connection as that broker's fetcher opens it."""
        connection = socket.create_connection(("127.0.0.1", self.internal_port), timeout=10)
        first = request(f"broker-{node_id}-fetcher-0")
        assert ask(connection, first) == first
        return connection

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.client_side.close()
        self.internal.close()
        self.links.socket_path.unlink(missing_ok=True)


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    running = Lab(f"l{abs(hash(request.node.name)) % 10**8}", tmp_path)
    yield running
    running.close()


def ask(connection: socket.socket, question: bytes) -> bytes:
    """Send, and read as much as was sent."""
    connection.sendall(question)
    answer = b""
    while len(answer) < len(question):
        data = connection.recv(65536)
        if not data:
            break
        answer += data
    return answer


def is_reset(connection: socket.socket, word: bytes = b"x") -> bool:
    """Said over this connection, `word` meets a reset."""
    try:
        connection.settimeout(5)
        connection.sendall(word)
        connection.recv(1)
    except ConnectionError:
        return True
    return False


def is_refused(port: int, word: bytes = b"") -> bool:
    """A new connection is reset, at once or when it says `word`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return is_reset(connection, word)
    except ConnectionError:
        return True


def is_silent(connection: socket.socket) -> bool:
    """No byte, no end, no reset, for as long as an answer takes many times over."""
    connection.settimeout(0.3)
    try:
        connection.sendall(b"is anybody there?")
        connection.recv(1)
    except TimeoutError:
        return True
    return False


def test_without_a_rule_all_that_is_sent_arrives_in_order(lab: Lab) -> None:
    """Ten megabytes there and back, so that both sides are held up by full buffers."""
    data = os.urandom(10 * 2**20)
    with lab.client() as connection:
        threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()
        answer = bytearray()
        while len(answer) < len(data):
            answer += connection.recv(2**20)
        assert answer == data
        assert lab.links.traffic(CLIENTS, "broker-1").passed_bytes == 2 * (len(data) + len(b"hello"))


def test_the_end_of_a_stream_is_passed_on_and_the_answer_still_comes(lab: Lab) -> None:
    """Half closed: "I have said all", and then the answer."""
    with lab.client() as connection:
        connection.sendall(b"last words")
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            assert answer.read() == b"last words"
    wait_until(lambda: lab.links.traffic(CLIENTS, "broker-1").open == 0, 5, because="the connection to be forgotten")


def test_a_node_that_is_down_resets_its_callers(lab: Lab) -> None:
    """And that is not counted as ours."""
    assert is_refused(lab.dead_port)
    assert lab.links.traffic(CLIENTS, "broker-3").reset == 0


def test_a_cut_resets_one_link_and_no_other(lab: Lab) -> None:
    """Broker 2 is cut off broker 1; broker 3 and the clients are not. Lifted, broker 2 may come again."""
    with lab.broker(2) as two, lab.broker(3) as three, lab.client() as client:
        lab.links.set("r", ["broker-2"], ["broker-1"], cut=True)
        assert is_reset(two)
        assert is_refused(lab.internal_port, request("broker-2-fetcher-0"))
        assert not is_refused(lab.internal_port, request("broker-3-fetcher-0"))
        assert ask(three, b"x") == ask(client, b"x") == b"x"
        assert lab.links.traffic("broker-1", "broker-2").reset == 2
        assert lab.links.traffic("broker-1", "broker-3").reset == 0
        lab.links.lift("r")
    lab.broker(2).close()


@pytest.mark.parametrize("when", ["before it dials", "while it dials"])
def test_a_connection_that_a_cut_refuses_was_never_open(when: str) -> None:
    """Whoever asks in the very turn in which it is refused sees none; without the cut it is open."""

    async def opened(*, cut: bool) -> tuple[int, int, int]:
        link, node = Link(), await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        host, port = node.sockets[0].getsockname()
        near = End(lambda data: None, lambda end, error: None)
        with socket.create_server((host, 0)) as door:
            await asyncio.get_running_loop().create_connection(lambda: near, *door.getsockname())
            opening = asyncio.ensure_future(Passage(link, near, b"").open(host, port))
            if when == "while it dials":
                await asyncio.sleep(0)
            if cut:
                link.set_rules({"r": Rule(cut=True)})
            at_first = len(link.passages)
            await opening
            near.close()
            node.close()
            return at_first, len(link.passages), link.counts.reset

    assert asyncio.run(opened(cut=True)) == (0, 0, 1)
    assert asyncio.run(opened(cut=False)) == (0, 1, 0)


def test_a_cut_for_clients_does_not_wait_for_their_first_word(lab: Lab) -> None:
    lab.links.set("r", [CLIENTS], ["broker-1"], cut=True)
    assert is_refused(lab.client_port)
    lab.links.lift("r")
    assert not is_refused(lab.client_port, b"x")


def test_bytes_over_a_half_open_link_vanish_and_both_ends_stay_connected(lab: Lab) -> None:
    """The client closes and the server does not learn it; healed, the connection with the hole is reset."""
    with lab.client() as connection, lab.client() as leaver, lab.client() as quiet:
        lab.links.set("r", [CLIENTS], ["broker-1"], half_open=True)
        assert is_silent(connection)
        leaver.close()
        with socket.create_connection(("127.0.0.1", lab.client_port), timeout=5) as late:
            assert is_silent(late)
            assert lab.client_side.ended == 0
            assert len(lab.client_side.connections) == 3  # the late one never reached the server
            assert lab.links.traffic(CLIENTS, "broker-1").lost_bytes == 2 * len(b"is anybody there?")
            lab.links.lift("r")
            assert is_reset(connection) and is_reset(late)
        assert ask(quiet, b"and I?") == b"and I?"  # it lost nothing
    assert lab.client().fileno() > 0


def test_a_delay_holds_bytes_back_each_way_and_keeps_their_order(lab: Lab) -> None:
    """At least twice the delay for a question and its answer; the proxy's own count is the witness."""
    with lab.client() as connection:
        assert lab.links.traffic(CLIENTS, "broker-1").late_bytes == 0
        lab.links.set("r", [CLIENTS], ["broker-1"], delay_ms=200)
        before_s = time.monotonic()
        data = os.urandom(100_000)
        assert ask(connection, data) == data
        assert time.monotonic() - before_s >= 0.4
        assert lab.links.traffic(CLIENTS, "broker-1").late_bytes == 2 * len(data)


def test_a_limited_bandwidth_takes_its_time(lab: Lab) -> None:
    """50 kB at 100 kB/s: half a second at least, and the answer follows on the question's heels."""
    with lab.client() as connection:
        lab.links.set("r", [CLIENTS], ["broker-1"], kbit_per_s=800)
        before_s = time.monotonic()
        assert ask(connection, b"x" * 50_000) == b"x" * 50_000
        assert time.monotonic() - before_s >= 0.5


def test_what_a_lifted_rule_held_back_is_due_at_once(lab: Lab) -> None:
    with lab.client() as connection:
        lab.links.set("r", [CLIENTS], ["broker-1"], delay_ms=60_000)
        connection.sendall(b"held back")
        wait_until(lambda: lab.links.traffic(CLIENTS, "broker-1").open == 1, 5, because="it to be there")
        lab.links.lift("r")
        assert connection.recv(100) == b"held back"


@pytest.mark.parametrize(
    ("rules", "what"),
    [
        ([{"delay_ms": 100}, {"delay_ms": 150}], lambda lab, c: takes(c) >= 0.5),
        ([{"delay_ms": 100}, {"cut": True}], lambda lab, c: is_reset(c)),
        ([{"half_open": True}, {"delay_ms": 1}], lambda lab, c: is_silent(c)),
    ],
)
def test_rules_add_up_and_each_is_lifted_alone(
    lab: Lab, rules: list[dict[str, float]], what: Callable[[Lab, socket.socket], bool]
) -> None:
    connection = lab.client()
    for number, rule in enumerate(rules):
        lab.links.set(f"r{number}", [CLIENTS], ["broker-1"], **rule)  # type: ignore[arg-type]
    assert what(lab, connection)
    for number in range(len(rules)):
        lab.links.lift(f"r{number}")
    late_bytes = lab.links.traffic(CLIENTS, "broker-1").late_bytes
    takes(lab.client())
    assert lab.links.traffic(CLIENTS, "broker-1").late_bytes == late_bytes


def takes(connection: socket.socket) -> float:
    before_s = time.monotonic()
    connection.settimeout(10)
    assert ask(connection, b"x") == b"x"
    return time.monotonic() - before_s


def test_one_against_two_breaks_two_links(lab: Lab) -> None:
    with lab.broker(2) as two, lab.broker(3) as three, lab.client() as client:
        lab.links.set("r", ["broker-1"], ["broker-2", "broker-3"], cut=True)
        assert is_reset(two) and is_reset(three)
        assert ask(client, b"x") == b"x"
        assert lab.links.traffic("broker-1", ["broker-2", "broker-3"]).reset == 2


def test_a_stranger_on_an_inner_listener_is_a_client(lab: Lab) -> None:
    """Whatever he says first: he is not taken for a broker."""
    for word in (b"GET / HTTP/1.1\r\n\r\n", request("rdkafka"), request(None), request("99")):
        with socket.create_connection(("127.0.0.1", lab.internal_port), timeout=5) as connection:
            assert ask(connection, word) == word
    assert lab.links.all_traffic().keys() == {frozenset((CLIENTS, "broker-1"))}
    assert lab.links.traffic(CLIENTS, "broker-1").client_ids == ("", "99", "rdkafka")


def test_the_control_socket_is_private_and_survives_nonsense(lab: Lab) -> None:
    assert lab.links.socket_path.stat().st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
        stranger.connect(str(lab.links.socket_path))
        for line in (b"nonsense\n", b"[1]\n", json.dumps({"do": "run"}).encode() + b"\n"):
            stranger.sendall(line)
            assert b"error" in stranger.recv(1000)
    with pytest.raises(LabError, match="refused"):
        lab.links._ask("set", name="r", between=[["clients"], ["broker-1"]], colour="red")
    assert lab.links.is_up()


def test_a_proxy_that_is_gone_says_so(lab: Lab) -> None:
    lab.process.kill()
    lab.process.wait()
    with pytest.raises(NotRunning, match="does not answer"):
        lab.links.lift("r")


def test_a_link_without_traffic_has_counted_nothing(lab: Lab) -> None:
    assert lab.links.traffic("broker-2", "broker-3") == Traffic()
