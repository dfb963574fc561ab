"""The first start: what it needs is named if it is not there, and an interrupted one goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.setup.checkout import LIMIT_S, Checkout

ERROR = "kafka-lab: "


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What was wrong: said once, without a traceback, and with an exit code that is not 0."""
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith(ERROR)]
    assert len(told) == 1, done.stderr
    return told[0]


def test_nothing_is_left_half_done_without_a_network(unshare: tuple[str, ...], elsewhere: Path) -> None:
    """The cause is named; with the network back, the same command works (here: it would begin anew)."""
    checkout = Checkout(folder=elsewhere / "c", home=elsewhere / "h", empty_caches=True)
    done = checkout.make("lab", "ARGS=--no-browser", prefix=(*unshare, "-n"), PIP_NO_CACHE_DIR="1", PIP_RETRIES="0")
    assert "the package registry cannot be reached" in one_sentence(done)
    assert not (checkout.folder / ".venv" / "kafka-lab.json").exists()
    assert not (checkout.folder / "workspace").exists()


def test_a_small_disk_is_noticed_before_anything_is_fetched(unshare: tuple[str, ...], bare: Checkout) -> None:
    """Need against have."""
    disk = bare.home / "run"
    script = f'mount -t tmpfs -o size=200m none "{disk}" && cp -r . "{disk}/c" && cd "{disk}/c"'
    done = bare.make("lab", prefix=(*unshare, "sh", "-c", f'{script} && exec "$@"', "sh"))
    assert "needs 1300 MB of free disk space" in one_sentence(done)


def test_a_read_only_checkout(unshare: tuple[str, ...], bare: Checkout) -> None:
    """On a medium or share that cannot be written."""
    script = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"'
    done = bare.make("lab", prefix=(*unshare, "sh", "-c", script, "sh"))
    assert "Nothing can be written to" in one_sentence(done)


def test_a_python_without_venv(unshare: tuple[str, ...], bare: Checkout) -> None:
    """Debian keeps it in a package; without the right to install that, the command is named."""
    python = shutil.which("python3", path="/usr/bin")
    if python is None:
        pytest.skip("this machine has no system Python")
    folder = subprocess.run(
        [python, "-c", "import ensurepip; print(ensurepip.__path__[0])"], capture_output=True, text=True, check=False
    ).stdout.strip()
    hide = f"mount -t tmpfs none {folder} && exec" if folder else "exec"
    programs = bare.home / "programs"
    programs.mkdir()
    for name in ("make", "sh", "python3"):
        (programs / name).symlink_to(shutil.which(name, path="/usr/bin:/bin") or "")
    done = bare.make("lab", prefix=(*unshare, "sh", "-c", f'{hide} env PATH="{programs}" "$@"', "sh"))
    assert "-venv`" in one_sentence(done) and "`sudo apt-get install python3." in done.stderr


def test_no_python_at_all(elsewhere: Path) -> None:
    """Only `make` and a shell."""
    bare = Checkout(folder=elsewhere / "c", home=elsewhere / "h")
    programs = bare.home / "nothing"
    programs.mkdir()
    for name in ("make", "sh"):
        (programs / name).symlink_to(shutil.which(name) or "")
    if Path("/usr/bin/python3").exists():
        script = (bare.folder / "tools" / "lab.sh").read_text()
        (bare.folder / "tools" / "lab.sh").write_text(script.replace("/usr/bin/python3", ""))
    assert "no Python was found" in one_sentence(bare.make("lab", PATH=str(programs)))


def test_an_interrupted_start_goes_on(elsewhere: Path) -> None:
    """Ctrl-C at three moments, each time with the same command after it; then everything is there."""
    checkout = Checkout(folder=elsewhere / "a path with spaces", home=elsewhere / "h")
    for sign in (".venv/pyvenv.cfg", ".venv/bin/uv", ".venv/bin/jupyter-lab"):
        process = subprocess.Popen(
            ["make", "lab", "ARGS=--help"],
            cwd=checkout.folder, env=checkout.env, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        end = time.monotonic() + LIMIT_S
        while not (checkout.folder / sign).exists() and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.01)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=LIMIT_S)[0].decode()
        assert "Traceback" not in said
    done = checkout.make("lab", "ARGS=--help")
    assert done.returncode == 0, done.stderr
    stamp = json.loads((checkout.folder / ".venv" / "kafka-lab.json").read_text())
    assert stamp.keys() == {"root", "python", "lab", "provision"}


def test_a_moved_checkout_is_set_up_anew(ready: Checkout, elsewhere: Path) -> None:
    """An environment has absolute paths; said in one sentence."""
    shutil.copytree(ready.folder, elsewhere / "moved", symlinks=True)
    moved = Checkout(folder=elsewhere / "moved", home=elsewhere / "h")
    done = moved.make("lab", "ARGS=--help")
    assert done.returncode == 0, done.stderr
    assert "The folder was moved: the Python environment is made anew." in done.stderr.splitlines()
    run = subprocess.run([moved.folder / ".venv" / "bin" / "kafka-lab", "--help"], capture_output=True, check=False)
    assert run.returncode == 0


def test_a_second_start_sets_nothing_up(ready: Checkout) -> None:
    """And says nothing about it."""
    done = ready.make("lab", "ARGS=--help")
    assert done.returncode == 0 and done.stderr == ""


def test_two_first_starts_at_once(elsewhere: Path) -> None:
    """One waits for the other; both end well."""
    checkout = Checkout(folder=elsewhere / "c", home=elsewhere / "h")
    both = [
        subprocess.Popen(
            ["make", "lab", "ARGS=--help"], cwd=checkout.folder, env=checkout.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=LIMIT_S)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Setting up kafka-lab" in text for text in said) == 1
