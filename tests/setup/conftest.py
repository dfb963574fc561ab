"""One checkout in a path with spaces is set up for all tests of this folder, from empty caches of packages."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.setup.checkout import Checkout


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with nothing set up, and never to be."""
    base = tmp_path_factory.mktemp("bare")
    return Checkout(folder=base / "a path with spaces", home=base / "h")


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout that was set up, on the caches of this user."""
    base = tmp_path_factory.mktemp("r")
    checkout = Checkout(folder=base / "a path with spaces", home=base / "h")
    done = checkout.make("lab", "ARGS=--help")
    assert done.returncode == 0, done.stderr
    yield checkout
    checkout.make("clean")


@pytest.fixture(scope="session")
def unshare() -> tuple[str, ...]:
    """A command that runs another one with mounts (and, with -n, a network) of its own; needs root."""
    if subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("unshare is not allowed here (it needs root)")
    return ("unshare", "-m")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder for what a test makes."""
    return tmp_path
