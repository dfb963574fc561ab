"""Real clusters. Those that a test only uses are shared by a module; those that it breaks for good are its own.

They run on the backend that `--backend` names, by default as processes of this machine. What every backend promises is
marked `contract`; a test that looks at what only one has is marked `local_only` or `needs`, and skipped elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labsupport.cluster.cluster import Cluster

# A killed broker is believed in for nine seconds in both modes: KRaft's default, and half of what it is with ZooKeeper.
SESSION: dict[str, dict[str, object]] = {"kraft": {}, "zookeeper": {"zookeeper.session.timeout.ms": 9_000}}


@pytest.fixture(scope="module", params=["kraft", "zookeeper"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three brokers, in both modes one after the other."""
    with Cluster.start(brokers=3, coordination=request.param, config=SESSION[request.param]) as running:
        yield running


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Where the clusters run."""
    return str(request.config.getoption("--backend"))
