"""Clusters without Kafka: fake brokers that know metadata, and librdkafka's mock that takes records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.clients.fake_broker import FakeCluster
from tests.unit.clients.mock_cluster import MockCluster


@pytest.fixture
def fake_cluster() -> Iterator[FakeCluster]:
    """Not yet started, so that a test can say what its brokers know."""
    cluster = FakeCluster(
        topics={"t": {0: (1, [1, 2], [1]), 1: (-1, [2], [2])}, "__consumer_offsets": {0: (2, [2], [2])}}
    )
    yield cluster
    cluster.close()


@pytest.fixture
def mock_cluster() -> Iterator[MockCluster]:
    """With a topic `t` of four partitions; ended by SIGKILL, which a paused process obeys too."""
    cluster = MockCluster("t")
    yield cluster
    cluster.kill()
