"""Where pictures of the browser are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def gallery() -> Path:
    """`artifacts/screenshots`, which git ignores, or the folder that KAFKA_LAB_SCREENSHOTS names."""
    folder = Path(os.environ.get("KAFKA_LAB_SCREENSHOTS") or ROOT / "artifacts" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
