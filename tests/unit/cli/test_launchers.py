"""The kafka-*.sh scripts: made once, quoted, and passing everything on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from labsupport.cli import launchers

EVERY_TOOL_OF_THE_DOCUMENTATION = [
    "connect-distributed.sh",
    "connect-mirror-maker.sh",
    "connect-standalone.sh",
    "kafka-acls.sh",
    "kafka-configs.sh",
    "kafka-console-consumer.sh",
    "kafka-console-producer.sh",
    "kafka-consumer-groups.sh",
    "kafka-dump-log.sh",
    "kafka-leader-election.sh",
    "kafka-log-dirs.sh",
    "kafka-metadata-quorum.sh",
    "kafka-producer-perf-test.sh",
    "kafka-reassign-partitions.sh",
    "kafka-storage.sh",
    "kafka-topics.sh",
    "zookeeper-shell.sh",
]


def test_there_is_one_for_every_tool_and_they_can_be_run() -> None:
    """Named as in Kafka's `bin/` folder; `kafka-lab` itself is among them."""
    folder = launchers.folder()
    assert {*EVERY_TOOL_OF_THE_DOCUMENTATION, "kafka-lab"} <= {path.name for path in folder.iterdir()}
    assert all(os.access(folder / name, os.X_OK) for name in EVERY_TOOL_OF_THE_DOCUMENTATION)


def test_they_are_made_once() -> None:
    """The second time the folder is only named: nothing in it is written again."""
    first = launchers.folder()
    times = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    assert launchers.folder() == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == times


def test_two_programs_may_make_them_at_once() -> None:
    """Both get the same whole folder, and no half of one stays."""
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(launchers.folder())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1
    assert [path.name for path in found[0].parent.iterdir()] == [found[0].name]


def test_another_python_gets_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is keyed by its content, so an environment that was made anew is not led to the old one."""
    first = launchers.folder()
    monkeypatch.setattr(sys, "executable", "/another/bin/python")
    assert launchers.folder() != first


def test_a_read_only_cache_is_no_hindrance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Then the runtime folder takes them; here a file stands where the cache should be, which stops even root."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KAFKA_LAB_CACHE", str(tmp_path / "file" / "cache"))
    assert launchers.folder().is_relative_to(Path(os.environ["KAFKA_LAB_RUNTIME"]))


def test_paths_with_blanks_and_quotes_and_any_working_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The cache may be in it's "my cache"; a labsupport.py in the reader's folder is not taken for us."""
    monkeypatch.setenv("KAFKA_LAB_CACHE", str(tmp_path / 'it\'s "my $cache"'))
    (tmp_path / "labsupport.py").write_text("raise SystemExit('the wrong one')")
    script = launchers.folder() / "kafka-lab"
    ended = subprocess.run([script, "--version"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "") and ended.stdout.startswith("kafka-lab ")


def test_arguments_pass_unchanged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Blanks, quotes, stars, empty words, options: nothing on the way reads them."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    words = ["--help", "a b", "", "*", "'", '"', "$HOME", "--cluster", "é"]
    script = launchers.folder() / "kafka-topics.sh"
    passed = subprocess.run([script, *words], capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
    assert passed[-len(words) - 3 :] == ["tool", "--as-script", "kafka-topics.sh", *words]
