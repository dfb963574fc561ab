"""One command has all of it, says how far it is, and fails in a sentence."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from labsupport.core.errors import BadInput
from labsupport.provision import everything, progress
from labsupport.provision.gate import cluster_is_starting, some_cluster_is_starting
from labsupport.provision.kafka import kafka_home
from labsupport.provision.kraft import kraft_bootstrap


def test_a_filled_cache_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """After `make lab`, a start touches neither the network nor the lock of the cache."""
    everything.fetch_all(progress=False)
    monkeypatch.setattr(everything.store, "fetching", pytest.fail)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    everything.fetch_all(progress=False)


def test_without_a_terminal_there_are_lines() -> None:
    """A log gets plain lines: how much of how much, and how long it will take."""
    out = io.StringIO()
    with progress.shown(out) as bar:
        bar.expect(2_000_000)
        bar.advance(1_500_000)
        bar.advance(500_000)
    (line,) = out.getvalue().splitlines()
    assert "2 of 2 MB" in line
    assert "s left" in line


def test_on_a_terminal_there_is_one_bar() -> None:
    """The bar has bytes, speed and time left."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    with progress.shown(out) as bar:
        bar.expect(2_000_000)
        bar.advance(2_000_000)
    assert "2.0/2.0 MB" in out.getvalue()


def test_the_command_fails_in_two_sentences(cache: Path) -> None:
    """No network: exit code 1, two sentences on standard error, no traceback."""
    cache.mkdir()
    (cache / "jars").write_text("a file where a folder should be")
    done = subprocess.run(
        [sys.executable, "-m", "labsupport.provision", "--no-training"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Set KAFKA_LAB_CACHE to another folder." in done.stderr


@pytest.mark.parametrize("version", ["3.9", "4.4.0", "", "latest", "3.9.2\x1b[0m"])
def test_another_version_is_bad_input(version: str) -> None:
    """The remedy names the versions that there are."""
    with pytest.raises(BadInput, match=r"Choose one of 3\.9\.2, 4\.3\.1\.") as caught:
        kafka_home(version)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("version", ["3.9.2", "4.3.1"])
def test_the_bootstrap_checkpoint_is_made_once(version: str) -> None:
    """What StorageTool wrote is kept, and holds the level of the metadata."""
    first = kraft_bootstrap(version)
    assert b"metadata.version" in first
    assert kraft_bootstrap(version) == first


def test_the_gate_is_shut_while_a_cluster_starts(cache: Path) -> None:
    """Several clusters may start at once; when the last has started, training may go on."""
    assert not some_cluster_is_starting()
    with cluster_is_starting():
        with cluster_is_starting():
            assert some_cluster_is_starting()
        assert some_cluster_is_starting()
    assert not some_cluster_is_starting()


def test_the_gate_does_not_stay_shut_behind_a_forked_child(cache: Path) -> None:
    """A child that was forked while a cluster started still has the file open; that must not stop training."""
    with cluster_is_starting():
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        assert not some_cluster_is_starting()
    finally:
        child.communicate(b"\n")
