"""A record to each partition: acknowledged, given up, or not even sent."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from labsupport.clients.writing import writes
from labsupport.core.errors import BadInput, LabError
from tests.unit.clients.fake_broker import FakeCluster
from tests.unit.clients.mock_cluster import MockCluster


def test_every_leader_that_is_reached_acknowledges(mock_cluster: MockCluster) -> None:
    """One address is enough to begin with: the others are told there."""
    (first, *_) = mock_cluster.connection.bootstrap_servers.split(",")
    assert writes(first, "t", range(4), value="+2 min") == dict.fromkeys(range(4), "acknowledged")


def test_without_a_broker_nothing_is_sent(mock_cluster: MockCluster) -> None:
    """Said at once, as no verdict on partitions."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(LabError, match=r"Nothing can be sent by way of 127\.0\.0\.1"):
        writes(f"127.0.0.1:{port}", "t", [0], timeout_s=1)


def test_a_partition_that_is_not_there_is_a_mistake(mock_cluster: MockCluster) -> None:
    """And no leader that cannot be reached."""
    with pytest.raises(LabError, match=r"Unknown partition.*has the topic these partitions"):
        writes(mock_cluster.connection.bootstrap_servers, "t", [0, 99], timeout_s=2)


def test_what_nobody_acknowledges_is_given_up(fake_cluster: FakeCluster) -> None:
    """These brokers tell who leads, and know no records."""
    assert writes(fake_cluster.start(2), "t", [0], timeout_s=1) == {0: "given up"}


@pytest.mark.parametrize("timeout_s", [0, -1, 0.5, 601, "9", True, None])
def test_what_is_no_time_is_refused(timeout_s: Any) -> None:
    """In one sentence, before anybody is asked."""
    with pytest.raises(BadInput, match="timeout_s is"):
        writes("h:1", "t", [0], timeout_s=timeout_s)
