"""What the testbed remembers, and puts back. Needs no cluster and no engine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from testbed import cluster, engine, kernel, stamps


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc/sys of our own with what a machine without kubelets has, and a place for what is remembered."""
    root = tmp_path / "sys"
    for name, value in (("vm/overcommit_memory", "0"), ("kernel/panic", "1"), ("fs/protected_fifos", "0")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{value}\n")
    monkeypatch.setattr(kernel, "PROC_SYS", root)
    monkeypatch.setattr(cluster, "KERNEL_BEFORE", tmp_path / "state" / "kernel.json")
    monkeypatch.setattr(cluster, "STATE", tmp_path / "state")
    monkeypatch.setattr(cluster, "ask", lambda *_: "")  # no other kind cluster
    return root


def test_kernel_settings_come_back_as_they_were_before_the_first_cluster(settings: Path) -> None:
    """Also when a second cluster was made after the first had changed them."""
    cluster.remember_kernel()
    (settings / "vm/overcommit_memory").write_text("1\n")
    (settings / "kernel/panic").write_text("10\n")
    cluster.remember_kernel()
    cluster.restore_kernel()
    assert (settings / "vm/overcommit_memory").read_text() == "0\n"
    assert (settings / "kernel/panic").read_text() == "1\n"
    assert not cluster.KERNEL_BEFORE.exists()


def test_what_was_remembered_before_a_reboot_is_forgotten(settings: Path) -> None:
    """The new boot has the owner's settings: nothing of ours is left to undo."""
    cluster.remember_kernel()
    record = json.loads(cluster.KERNEL_BEFORE.read_text())
    cluster.KERNEL_BEFORE.write_text(json.dumps({**record, "boot": "another"}))
    (settings / "kernel/panic").write_text("7\n")
    cluster.restore_kernel()
    assert (settings / "kernel/panic").read_text() == "7\n"


def test_settings_stay_while_another_kind_cluster_runs(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are its kubelets' too."""
    cluster.remember_kernel()
    (settings / "kernel/panic").write_text("10\n")
    monkeypatch.setattr(cluster, "ask", lambda *_: "0123456789ab")
    cluster.restore_kernel()
    assert (settings / "kernel/panic").read_text() == "10\n"
    assert cluster.KERNEL_BEFORE.exists()


def test_a_step_is_done_again_when_an_input_changed_or_an_output_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not otherwise."""
    monkeypatch.setattr(stamps, "STATE", tmp_path / "state")
    out = tmp_path / "out"
    made = stamps.Stamp("step", inputs=("a", "b"), outputs=(out,))
    assert not made.is_fresh()
    out.write_text("x")
    made.mark()
    assert made.is_fresh()
    assert not stamps.Stamp("step", inputs=("ab",), outputs=(out,)).is_fresh()
    out.unlink()
    assert not made.is_fresh()


@pytest.mark.parametrize("pid", [os.getpid(), 2**22 + 1], ids=["a stranger's", "nobody's"])
def test_a_stale_pid_file_does_not_keep_dockerd_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pid: int
) -> None:
    """It names a process that is no dockerd, or none at all."""
    pid_file = tmp_path / "docker.pid"
    pid_file.write_text(str(pid))
    monkeypatch.setattr(engine, "PID_FILE", pid_file)
    engine.forget_stale_pid_file()
    assert not pid_file.exists()


def test_a_living_dockerd_keeps_its_pid_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above."""
    pid_file = tmp_path / "docker.pid"
    pid_file.write_text(str(os.getpid()))
    monkeypatch.setattr(engine, "PID_FILE", pid_file)
    monkeypatch.setattr(engine, "command_of", lambda _: "dockerd")
    engine.forget_stale_pid_file()
    assert pid_file.exists()


def test_an_engine_that_is_not_ours_is_not_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of the same pid that began at another time is somebody else's."""
    monkeypatch.setattr(engine, "STARTED", tmp_path / "engine.json")
    assert engine.ours() is None
    engine.STARTED.write_text(json.dumps({"pid": os.getpid(), "began": "another time"}))
    assert engine.ours() is None
    engine.STARTED.write_text(json.dumps({"pid": os.getpid(), "began": engine.began(os.getpid())}))
    assert engine.ours() == os.getpid()
