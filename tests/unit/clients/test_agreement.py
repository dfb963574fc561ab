"""Before a topic is read in full, its brokers have to agree who leads it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labsupport.clients import Connection
from labsupport.clients.agreement import wait_for_agreement
from tests.unit.clients.fake_broker import FakeCluster


@pytest.fixture
def thawed() -> Iterator[FakeCluster]:
    """A broker that was frozen, and still believes that it leads partition 1."""
    cluster = FakeCluster(topics={"t": {0: (1, [1, 2], [1]), 1: (1, [2], [2])}})
    yield cluster
    cluster.close()


def test_brokers_that_tell_the_same_agree(fake_cluster: FakeCluster) -> None:
    """Also that nobody leads; one that does not answer has no say."""
    servers = fake_cluster.start(3)
    fake_cluster.brokers[1].silent = True
    assert wait_for_agreement(Connection(bootstrap_servers=servers), "t", 10)


def test_a_broker_that_leads_in_its_own_eyes_is_waited_for(fake_cluster: FakeCluster, thawed: FakeCluster) -> None:
    """As long as it may take to learn better, and no longer."""
    both = Connection(bootstrap_servers=f"{fake_cluster.start(2)},{thawed.start(1)}")
    assert not wait_for_agreement(both, "t", 0.2)
    thawed.topics = fake_cluster.topics
    assert wait_for_agreement(both, "t", 10)


def test_nobody_agrees_when_nobody_answers() -> None:
    assert not wait_for_agreement(Connection(bootstrap_servers="127.0.0.1:1,127.0.0.1:2"), "t", 0.2)
