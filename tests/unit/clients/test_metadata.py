"""Reading metadata: everything is reported, nothing is created, and a silent broker is got around."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from labsupport.clients import Connection
from labsupport.clients.metadata import (
    ControllerReader,
    MetadataReader,
    NoAnswer,
    PartitionInfo,
    active_controller,
)
from labsupport.core.clock import now_s
from tests.unit.clients.fake_broker import FakeCluster

NOBODY = Connection(bootstrap_servers="127.0.0.1:1,127.0.0.1:2")


def test_a_read_reports_all_brokers_and_topics_internal_ones_too(fake_cluster: FakeCluster) -> None:
    """Brokers by id and address; a partition that nobody leads has the leader None."""
    servers = fake_cluster.start(3)
    metadata = MetadataReader(Connection(bootstrap_servers=servers), timeout_s=5).read()
    assert metadata.cluster_id == "fake"
    assert metadata.brokers == dict(enumerate(servers.split(","), start=1))
    assert metadata.topics == {
        "__consumer_offsets": {0: PartitionInfo(2, (2,), (2,))},
        "t": {0: PartitionInfo(1, (1, 2), (1,)), 1: PartitionInfo(None, (2,), (2,))},
    }


def test_asking_for_a_topic_never_names_it_to_a_broker(fake_cluster: FakeCluster) -> None:
    """A broker creates a topic when it is asked for by name, so all are asked for and the one is picked here."""
    reader = MetadataReader(Connection(bootstrap_servers=fake_cluster.start(1)), timeout_s=5)
    assert list(reader.read("t").topics) == ["t"]
    assert reader.read("absent").topics == {}
    assert [topics for topics in fake_cluster.brokers[0].asked_for if topics] == []


def test_reads_share_one_connection(fake_cluster: FakeCluster) -> None:
    """Twenty reads by one client: it connects a few times, not twenty."""
    reader = MetadataReader(Connection(bootstrap_servers=fake_cluster.start(2)), timeout_s=5)
    for _ in range(20):
        reader.read()
    assert sum(broker.connections for broker in fake_cluster.brokers) < 10


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "plain, by librdkafka"])
def test_a_single_server_answers_for_itself(fake_cluster: FakeCluster, protocol: str) -> None:
    """Clients ask any broker that they come to know; whether *this* one knows the others is what readiness means."""
    fake_cluster.start(3)
    second = fake_cluster.brokers[1]
    reader = MetadataReader(Connection(bootstrap_servers=f"127.0.0.1:{second.port}"), timeout_s=10)
    reader._plain = protocol == "PLAINTEXT"
    assert {reader.read().controller_id for _ in range(10)} == {second.node_id}  # a fake broker names itself here
    assert sorted(reader.read().brokers) == [1, 2, 3]


def test_a_single_server_that_is_silent_or_gone_is_no_answer(fake_cluster: FakeCluster) -> None:
    """The others may be well: they were not asked."""
    fake_cluster.start(2)
    reader = MetadataReader(Connection(bootstrap_servers=f"127.0.0.1:{fake_cluster.brokers[0].port}"), timeout_s=0.3)
    assert reader.read("t").topics["t"][1].leader is None
    fake_cluster.brokers[0].silent = True
    with pytest.raises(NoAnswer):
        reader.read()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x00",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">i", 12) + b"\xff" * 12,
        struct.pack(">i", -5),
    ],
)
def test_what_is_no_answer_of_a_broker_is_no_answer(answer: bytes) -> None:
    """Something else may listen on that port: it is heard with patience, and never for longer than asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_once, args=(listener, answer), daemon=True).start()
        connection = Connection(bootstrap_servers=f"127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(NoAnswer):
            MetadataReader(connection, timeout_s=2).read()


@pytest.mark.parametrize("round_", range(3))
def test_after_a_broker_fell_silent_the_others_answer(fake_cluster: FakeCluster, round_: int) -> None:
    """The read that is under way may fail once at most; those after it are answered by the other brokers."""
    reader = MetadataReader(Connection(bootstrap_servers=fake_cluster.start(3)), timeout_s=2)
    reader.read()
    favourite = max(fake_cluster.brokers, key=lambda broker: broker.answered)
    favourite.silent = True
    answers = [_answered(reader) for _ in range(10)]
    assert all(answers[1:])


def test_two_silent_brokers_of_three_do_not_matter_to_a_new_reader(fake_cluster: FakeCluster) -> None:
    """librdkafka goes on to the next server while a connection is not answered."""
    servers = fake_cluster.start(3)
    for broker in fake_cluster.brokers[:2]:
        broker.silent = True
    assert MetadataReader(Connection(bootstrap_servers=servers), timeout_s=5).read().cluster_id == "fake"


def test_when_all_are_silent_the_read_ends_in_time_and_says_so(fake_cluster: FakeCluster) -> None:
    """Sockets that accept and never answer must not hold a caller longer than he asked for."""
    servers = fake_cluster.start(2)
    reader = MetadataReader(Connection(bootstrap_servers=servers), timeout_s=0.5)
    reader.read()
    for broker in fake_cluster.brokers:
        broker.silent = True
    began_s = now_s()
    with pytest.raises(NoAnswer, match=r"answered within 0\.5 s"):
        reader.read()
    assert now_s() - began_s < 5  # ten times the limit: fails when a client's own time-out (10 s and more) rules


def test_nobody_listening_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    """One sentence, and no library prints its own."""
    with pytest.raises(NoAnswer, match="No broker of 127"):
        MetadataReader(NOBODY, timeout_s=0.3).read()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("silent", [0, 1, 2])
def test_the_controller_of_kraft_is_the_leader_of_the_quorum(fake_cluster: FakeCluster, silent: int) -> None:
    """Not the controller id of the metadata, which is the broker asked; silent brokers are got around."""
    servers = fake_cluster.start(3)
    for broker in fake_cluster.brokers[:silent]:
        broker.silent = True
    assert active_controller(Connection(bootstrap_servers=servers), coordination="kraft", timeout_s=8) == 101


def test_the_controller_under_zookeeper_is_in_the_metadata(fake_cluster: FakeCluster) -> None:
    """There every broker knows it."""
    connection = Connection(bootstrap_servers=fake_cluster.start(1))
    assert active_controller(connection, coordination="zookeeper", timeout_s=5) == 1


def test_an_election_has_no_controller(fake_cluster: FakeCluster) -> None:
    """The quorum says -1 until it has a leader."""
    fake_cluster.quorum_leader = -1
    connection = Connection(bootstrap_servers=fake_cluster.start(1))
    assert active_controller(connection, coordination="kraft", timeout_s=0.5) is None


@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_without_an_answer_there_is_no_controller_and_no_thread_left(coordination: str) -> None:
    """kafka-python starts a thread before it connects; it must not outlive the attempt."""
    before = set(threading.enumerate())
    assert active_controller(NOBODY, coordination=coordination, timeout_s=0.5) is None  # type: ignore[arg-type]
    assert set(threading.enumerate()) <= before


def test_a_controller_reader_survives_the_silence_of_its_broker(fake_cluster: FakeCluster) -> None:
    """It asks the next one, within the same read."""
    reader = ControllerReader(Connection(bootstrap_servers=fake_cluster.start(3)), coordination="kraft", timeout_s=8)
    assert reader.read() == 101
    next(broker for broker in fake_cluster.brokers if broker.answered).silent = True
    assert reader.read() == 101
    reader.close()


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(answer)


def _answered(reader: MetadataReader) -> bool:
    try:
        reader.read()
    except NoAnswer:
        return False
    return True
