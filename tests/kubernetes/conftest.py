"""A real Kubernetes: the context of the kubeconfig. Run with `--backend kubernetes`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from labsupport.cluster.cluster import Cluster
from labsupport.cluster.kubernetes.access import find_access, kubectl
from labsupport.cluster.kubernetes.api import Api
from labsupport.cluster.kubernetes.node import KubernetesNode
from labsupport.cluster.node import Node

START_S = 300  # on two cores that others use, too

Kubectl = Callable[..., str]


@pytest.fixture(scope="session")
def api() -> Api:
    """The cluster of Kubernetes itself."""
    return Api(find_access())


@pytest.fixture(scope="module", params=["kraft", "zookeeper"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three brokers, in both modes one after the other."""
    with Cluster.start(coordination=request.param, backend="kubernetes", timeout_s=START_S) as running:
        yield running


@pytest.fixture(scope="module")
def separate() -> Iterator[Cluster]:
    """Three brokers and three separate controllers, as the manifests have them."""
    with Cluster.start(controllers=3, backend="kubernetes", timeout_s=START_S) as running:
        yield running


@pytest.fixture
def run_kubectl() -> Kubectl:
    """Run kubectl; its standard output. For what a test must see past our own code."""

    def run(*arguments: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            [kubectl(), *arguments], capture_output=True, text=True, check=False, timeout=240, input=stdin
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def as_pod(node: Node) -> KubernetesNode:
    assert isinstance(node, KubernetesNode)
    return node


def pod_of(node: Node) -> dict[str, Any]:
    """Its pod now; there must be one."""
    found = as_pod(node).pod()
    assert found is not None
    return found
