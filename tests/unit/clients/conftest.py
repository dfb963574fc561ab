"""A cluster of fake brokers for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_broker import FakeCluster


@pytest.fixture
def fake_cluster() -> Iterator[FakeCluster]:
    """Not yet started, so that a test can say what its brokers know."""
    cluster = FakeCluster(
        topics={"t": {0: (1, [1, 2], [1]), 1: (-1, [2], [2])}, "__consumer_offsets": {0: (2, [2], [2])}}
    )
    yield cluster
    cluster.close()
