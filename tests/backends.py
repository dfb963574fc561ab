"""Where the clusters of the tests run (`--backend`), and which tests have no business there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import pytest

from labsupport.cluster.backend import backend_class
from labsupport.core.errors import LabError

BACKENDS = ("local", "docker", "kubernetes")


@cache
def lack_of(backend: str) -> str:
    """Why no cluster can run there; nothing when one can."""
    try:
        if backend == "docker":
            from labsupport.cluster.docker.engine import engine

            engine().ping()
        elif backend == "kubernetes":
            from labsupport.cluster.kubernetes.access import find_access
            from labsupport.cluster.kubernetes.api import Api

            Api(find_access()).request("GET", "/version", timeout_s=10)
    except (LabError, ImportError) as error:
        return str(error)
    return ""


def reasons(marks: Iterable[pytest.Mark], backend: str) -> Iterator[str]:
    """Why a test with these marks cannot run on this backend."""
    for mark in marks:
        if mark.name == "only_on" and mark.args[0] != backend:
            yield f"for --backend {mark.args[0]} only"
        elif mark.name == "local_only" and backend != "local":
            yield f"local only: {mark.args[0]}"
        elif mark.name == "needs":
            for capability in set(mark.args) - backend_class(backend).node_class.can:
                yield f"the {backend} backend cannot offer that {capability.value}"
