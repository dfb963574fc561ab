"""One broker is asked what only its protocol tells, and no other answers in its place."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from labsupport.clients import Connection
from labsupport.clients.one_admin import OneAdmin, Quorum
from labsupport.core.clock import now_s
from labsupport.core.wait import wait_until
from tests.unit.clients.fake_broker import FakeCluster


@pytest.fixture
def servers(fake_cluster: FakeCluster) -> list[str]:
    return fake_cluster.start(2).split(",")


@pytest.fixture
def admin(servers: list[str]) -> Iterator[OneAdmin]:
    """Of broker 2."""
    made = OneAdmin(Connection(bootstrap_servers=",".join(servers)), servers[1], 5)
    yield made
    made.close()


def test_the_quorum_is_told_with_its_voters(fake_cluster: FakeCluster, admin: OneAdmin) -> None:
    assert admin.quorum(5) == Quorum(leader=101, epoch=1, voters=(101, 102, 103))
    fake_cluster.quorum_leader = -1
    assert admin.quorum(5) == Quorum(leader=None, epoch=1, voters=(101, 102, 103))  # an election


def test_a_broker_that_refuses_raises_kafkas_own_error(fake_cluster: FakeCluster, admin: OneAdmin) -> None:
    from kafka.errors import ClusterAuthorizationFailedError

    fake_cluster.quorum_error = ClusterAuthorizationFailedError.errno
    with pytest.raises(ClusterAuthorizationFailedError):
        admin.quorum(5)


def test_eligible_replicas_are_told_by_partition_and_an_unknown_topic_is_left_out(
    fake_cluster: FakeCluster, admin: OneAdmin
) -> None:
    """Sorted, and empty where there are none."""
    fake_cluster.eligible = {("t", 0): [3, 2]}
    assert admin.eligible(["t", "nowhere"], 5) == {("t", 0): (2, 3), ("t", 1): ()}


def test_a_broker_tells_of_its_own_folders(fake_cluster: FakeCluster, admin: OneAdmin) -> None:
    """By their names there, and whether they are online."""
    fake_cluster.brokers[1].log_dirs = {"/data/a": True, "/data/b": False}
    assert admin.log_dirs(5) == {"/data/a": True, "/data/b": False}


def test_only_that_broker_is_asked(fake_cluster: FakeCluster, admin: OneAdmin) -> None:
    """kafka-python's own client asks any: the other one here would answer, and knows other folders."""
    one, two = fake_cluster.brokers
    one.log_dirs, two.log_dirs = {"/data/one": True}, {"/data/two": True}
    assert [admin.log_dirs(5) for _ in range(5)] == [{"/data/two": True}] * 5


def test_a_silent_broker_is_an_error_in_time(fake_cluster: FakeCluster, admin: OneAdmin) -> None:
    """The other one is there all the time, and is not asked instead."""
    from kafka.errors import KafkaError

    assert admin.log_dirs(5) == {}
    fake_cluster.brokers[1].silent = True
    began_s = now_s()
    with pytest.raises((KafkaError, OSError)):
        admin.log_dirs(0.5)
    assert now_s() - began_s < 5


def test_a_broker_that_never_answered_leaves_no_thread(fake_cluster: FakeCluster) -> None:
    """Its client has begun a thread before it connects."""
    from kafka.errors import KafkaError

    (server,) = fake_cluster.start(1).split(",")
    fake_cluster.brokers[0].silent = True
    before = set(threading.enumerate())

    def left() -> list[str]:
        ours = ("kafka", "net")
        return [t.name for t in set(threading.enumerate()) - before if any(word in t.name.lower() for word in ours)]

    with pytest.raises((KafkaError, OSError)):
        OneAdmin(Connection(bootstrap_servers=server), server, 0.5)
    wait_until(lambda: not left(), 10, because="the client's thread to end")
