"""Folders of their own for the tests of the command line: the user's stay untouched."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home for this test alone; the runtime folder must be short, since a socket's path is."""
    with tempfile.TemporaryDirectory(prefix="kl-") as runtime:
        monkeypatch.setenv("KAFKA_LAB_RUNTIME", f"{runtime}/r")
        monkeypatch.setenv("KAFKA_LAB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("KAFKA_LAB_STATE", str(tmp_path / "state"))
        monkeypatch.delenv("KAFKA_LAB_CLUSTER", raising=False)
        yield tmp_path
