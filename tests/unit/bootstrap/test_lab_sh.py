"""`lab.sh` finds a Python, or says in one sentence what is missing; it needs nothing but a POSIX shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a path with spaces, whose set-up only says which Python it runs on."""
    tools = tmp_path / "a path with spaces" / "tools"
    tools.mkdir(parents=True)
    (tools / "lab.sh").write_bytes((ROOT / "tools" / "lab.sh").read_bytes())
    (tools / "setup_lab.py").write_text("import sys; print(sys.executable, *sys.argv[1:])")
    return tools.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty folder for PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def fake(file: Path, version: str) -> None:
    """A program that claims to be Python `version`."""
    file.write_text(f"#!/bin/sh\necho {version}\n")
    file.chmod(0o755)


def run(checkout: Path, path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run it as make does, with nothing but `path` to find programs in."""
    script = (checkout / "tools" / "lab.sh").read_text().replace("/usr/bin/python3", str(path / "system-python3"))
    (checkout / "tools" / "lab.sh").write_text(script)
    return subprocess.run(
        ["/bin/sh", "tools/lab.sh", "lab", "--no-browser"],
        cwd=checkout, env={"PATH": str(path), **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_no_python(checkout: Path, path: Path) -> None:
    """One sentence with the remedies, exit code not 0."""
    done = run(checkout, path)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("kafka-lab: Python 3.11, 3.12, 3.13 or 3.14 is needed, and no Python was found.")
    assert len(done.stderr.splitlines()) == 1 and "make lab PYTHON=" in done.stderr


def test_only_an_old_python(checkout: Path, path: Path) -> None:
    """What was found is named."""
    fake(path / "python3", "3.9")
    assert "only Python 3.9 (python3) was found" in run(checkout, path).stderr


def test_an_old_python3_and_a_newer_one_beside_it(checkout: Path, path: Path) -> None:
    """`python3` is not the only name."""
    fake(path / "python3", "3.9")
    (path / "python3.12").write_text(
        f'#!/bin/sh\ncase "$2" in -c) echo 3.12;; *) exec "{sys.executable}" "$@";; esac\n'
    )
    (path / "python3.12").chmod(0o755)
    done = run(checkout, path)
    assert done.returncode == 0 and done.stdout.endswith(" lab --no-browser\n")


def test_the_environment_that_is_there_is_used_at_once(checkout: Path, path: Path) -> None:
    """No search, no other process; it works in a path with spaces."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    done = run(checkout, path)
    assert done.stdout.startswith(str(checkout / ".venv")) or done.stdout.startswith(".venv/bin/python")


def test_a_broken_link_to_a_python_that_is_gone(checkout: Path, path: Path) -> None:
    """The Python of the environment was removed: another one is looked for."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python3.11")
    assert "no Python was found" in run(checkout, path).stderr


@pytest.mark.parametrize(("answer", "said"), [("3.10", "is Python 3.10"), (None, "does not run")])
def test_a_python_that_was_named_and_does_not_do(checkout: Path, path: Path, answer: str | None, said: str) -> None:
    """PYTHON=… is taken at its word, and nothing else is tried."""
    if answer:
        fake(path / "mine", answer)
    done = run(checkout, path, PYTHON="mine")
    assert done.returncode == 1
    assert done.stderr == f"kafka-lab: PYTHON=mine {said}. Name a Python 3.11, 3.12, 3.13 or 3.14.\n"


def test_native_windows(checkout: Path, path: Path) -> None:
    """WSL2 is the way."""
    done = run(checkout, path, OS="Windows_NT")
    assert done.returncode == 1 and "WSL2" in done.stderr


@pytest.mark.skipif(not os.path.exists("/bin/dash"), reason="no dash on this machine")  # noqa: PTH110
def test_it_is_plain_posix_shell() -> None:
    """dash reads it without complaint."""
    assert subprocess.run(["/bin/dash", "-n", ROOT / "tools" / "lab.sh"], check=False).returncode == 0
