"""Real clusters. Those that a test only uses are shared by a module; those that it breaks for good are its own.

They run on the backend that `--backend` names, by default as processes of this machine. What every backend promises is
marked `contract`; a test that looks at what only one has is marked `local_only` or `needs`, and skipped elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

import pytest

from labsupport.cluster.backend import backend_class
from labsupport.cluster.cluster import Cluster
from labsupport.core.errors import LabError


@pytest.fixture(scope="module", params=["kraft", "zookeeper"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three brokers, in both modes one after the other."""
    with Cluster.start(brokers=3, coordination=request.param) as running:
        yield running


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Where the clusters run."""
    return str(request.config.getoption("--backend"))


@pytest.fixture(scope="session", autouse=True)
def _the_backend_is_there(backend: str) -> None:
    """Without it there is nothing to test: said once for each test, and in CI a failure."""
    lack = _lack(backend)
    if lack and os.environ.get("CI") == "true":
        pytest.fail(f"CI must have it: {lack}")
    if lack:
        pytest.skip(lack)


@cache
def _lack(backend: str) -> str:
    """Why no cluster can run there; nothing when one can."""
    try:
        if backend == "docker":
            from labsupport.cluster.docker.engine import engine

            engine().ping()
        if backend == "kubernetes":
            backend_class(backend)
    except (LabError, ImportError) as error:
        return str(error)
    return ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    backend = str(config.getoption("--backend"))
    for item in items:
        for why in _reasons(item, backend):
            item.add_marker(pytest.mark.skip(reason=why))


def _reasons(item: pytest.Item, backend: str) -> Iterator[str]:
    """Why a test cannot run on this backend."""
    for marker in item.iter_markers("only_on"):
        if marker.args[0] != backend:
            yield f"for --backend {marker.args[0]} only"
    for marker in item.iter_markers("local_only"):
        if backend != "local":
            yield f"local only: {marker.args[0]}"
    for marker in item.iter_markers("needs"):
        for capability in marker.args:
            if capability not in backend_class(backend).node_class.can:
                yield f"the {backend} backend cannot offer that {capability.value}"
