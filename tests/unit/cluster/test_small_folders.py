"""Log folders of a limited size: really full, seen by the cluster's processes alone, gone with them."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labsupport.cluster.local.disk import LocalDisk
from labsupport.cluster.supervised import Supervised
from labsupport.core.errors import BadInput, LabError
from labsupport.core.wait import wait_until
from tests.marked import wait_until_gone

TRY = "from labsupport.cluster.mounts import *; enter_own_mounts(); mount_small('/mnt', 16)"
ROOT = Path(__file__).parents[3]


def allowed() -> str:
    """Why small file systems cannot be had here; "" if they can."""
    run = subprocess.run([sys.executable, "-c", TRY], capture_output=True, text=True, cwd=ROOT, check=False)
    return run.stderr.strip().splitlines()[-1] if run.returncode else ""


needs_mounts = pytest.mark.skipif(bool(allowed()), reason=f"small file systems cannot be had here: {allowed()}")


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    handle = Supervised.launch("small", tmp_path / "cluster")
    yield handle
    handle.shutdown()


def mounted(supervised: Supervised, name: str = "data-0") -> Path:
    """A new small folder, as it is seen from here."""
    folder = supervised.folder / name
    folder.mkdir()
    supervised.ask("mount", folder=str(folder), size_mb=16)
    return Path(f"/proc/{supervised.ask('status')['pid']}/root{folder}")


@needs_mounts
def test_a_full_folder_refuses_the_next_byte_and_takes_it_when_there_is_space_again(supervised: Supervised) -> None:
    folder = mounted(supervised)
    disk = LocalDisk("broker-1", (folder,), small=True)
    (folder / "before").write_bytes(b"x" * 10**6)
    disk.fill(0)
    with pytest.raises(OSError, match="No space left") as full:
        (folder / "after").write_bytes(b"x" * 10**4)
    assert full.value.errno == errno.ENOSPC
    disk.free(0)
    (folder / "after").write_bytes(b"x" * 10**4)


@needs_mounts
def test_nobody_else_sees_it(supervised: Supervised) -> None:
    folder = mounted(supervised)
    (folder / "inside").touch()
    assert list((supervised.folder / "data-0").iterdir()) == []
    assert str(supervised.folder) not in Path("/proc/mounts").read_text()


@needs_mounts
def test_a_child_sees_it(supervised: Supervised) -> None:
    folder = mounted(supervised)
    argv = [sys.executable, "-c", "open('written', 'w').write('by the child')"]
    what = {"name": "child", "node_id": 1, "argv": argv, "env": {}, "cwd": str(supervised.folder / "data-0")}
    supervised.ask("define", **what, log=str(supervised.folder / "log"), ports=[])
    supervised.ask("start", name="child")
    wait_until((folder / "written").exists, 10, because="the child to write")


@needs_mounts
@pytest.mark.parametrize("end", ["shutdown", "kill -9"])
def test_it_is_gone_with_the_supervisor(supervised: Supervised, end: str) -> None:
    folder = mounted(supervised)
    (folder / "inside").touch()
    if end == "shutdown":
        supervised.shutdown()
    else:
        os.kill(supervised.ask("status")["pid"], signal.SIGKILL)
    wait_until_gone("small")
    wait_until(lambda: not supervised.folder.exists(), 10, because="the folder to be gone")


@needs_mounts
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_somebody_who_is_not_root_gets_one_too_in_a_user_namespace(tmp_path: Path) -> None:
    """As nobody: what a learner is on a laptop."""
    code = (
        "import ctypes, os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: /proc/self is ours again, as after an exec\n"
        f"{TRY}; assert os.statvfs('/mnt').f_blocks * os.statvfs('/mnt').f_frsize == 16 * 2**20\n"
        "open('/mnt/mine', 'w').write('x'); print(os.getuid(), os.stat('/mnt/mine').st_uid)"
    )
    script = tmp_path / "script.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport labsupport.cluster.mounts\n{code}")
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert run.stdout == "65534 65534\n", run.stderr


def test_this_machines_own_disk_is_never_filled(tmp_path: Path) -> None:
    disk = LocalDisk("broker-1", (tmp_path,), small=False)
    with pytest.raises(BadInput, match="log_dir_mb"):
        disk.fill(0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("log_dir", [1, -1, "0", True, None])
def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, log_dir: object) -> None:
    disk = LocalDisk("broker-1", (tmp_path,), small=True)
    for act in (disk.fill, disk.free, disk.take_away, disk.bring_back):
        with pytest.raises(BadInput, match="broker-1 has no log folder"):
            act(log_dir)  # type: ignore[arg-type]


def test_a_folder_taken_away_comes_back_as_it_was(tmp_path: Path) -> None:
    """Whatever the broker made in its place meanwhile is not the disk."""
    folder = tmp_path / "data-1"
    folder.mkdir()
    (folder / "kept").write_text("here")
    disk = LocalDisk("broker-1", (tmp_path / "data-0", folder), small=False)
    disk.take_away(1)
    assert not folder.exists()
    (folder / "t-0").mkdir(parents=True)
    disk.bring_back(1)
    assert [path.name for path in folder.iterdir()] == ["kept"]
    disk.bring_back(1)
    assert (folder / "kept").read_text() == "here"


BATCHES = [b"\0" * 8 + (60 + n).to_bytes(4, "big") + bytes([n]) * (60 + n) for n in (1, 2, 3)]


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """An active segment of three batches, and an older one."""
    folder = tmp_path / "t-0"
    folder.mkdir()
    (folder / "00000000000000000000.log").write_bytes(BATCHES[0])
    active = folder / "00000000000000000007.log"
    active.write_bytes(b"".join(BATCHES))
    return active


def test_a_torn_tail_ends_in_the_middle_of_the_last_batch(segment: Path, tmp_path: Path) -> None:
    LocalDisk("broker-1", (tmp_path,), small=False).tear("t", 0, zeros=False)
    assert segment.read_bytes() == BATCHES[0] + BATCHES[1] + BATCHES[2][: len(BATCHES[2]) // 2]
    assert segment.with_name("00000000000000000000.log").read_bytes() == BATCHES[0]


def test_a_torn_tail_may_be_zeros(segment: Path, tmp_path: Path) -> None:
    LocalDisk("broker-1", (tmp_path,), small=False).tear("t", 0, zeros=True)
    content = segment.read_bytes()
    assert content.startswith(b"".join(BATCHES)) and set(content[len(b"".join(BATCHES)) :]) == {0}


def test_where_nothing_was_written_nothing_can_be_torn(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Write a record first"):
        LocalDisk("broker-1", (tmp_path,), small=False).tear("t", 0, zeros=False)


def test_a_refused_mount_says_so(supervised: Supervised) -> None:
    with pytest.raises(LabError, match="mount"):
        supervised.ask("mount", folder=str(supervised.folder / "not there"), size_mb=16)
