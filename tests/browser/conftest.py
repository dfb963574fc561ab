"""A JupyterLab to look at, and where its pictures are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.views_lab import Lab, lab

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def gallery() -> Path:
    """`artifacts/screenshots`, which git ignores, or the folder that KAFKA_LAB_SCREENSHOTS names."""
    folder = Path(os.environ.get("KAFKA_LAB_SCREENSHOTS") or ROOT / "artifacts" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab and a browser, shared by the tests of a file."""
    with lab(tmp_path_factory.mktemp("lab")) as made:
        yield made


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """The folder that KAFKA_LAB_SCREENSHOTS names, else the test's own."""
    folder = Path(os.environ.get("KAFKA_LAB_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
