"""`reset` asks first and deletes nothing; `restore` lays one page out anew."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from labsupport.cli import down, main
from labsupport.teaching import workspace

ROOT = Path(__file__).parents[3]


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order, in place of doing it to the real checkout."""
    steps: list[str] = []

    def stop_all() -> int:
        steps.append("clusters stopped")
        return 0

    def reset() -> Path:
        steps.append("put aside")
        return Path("/aside/2026-01-01")

    monkeypatch.setattr(down, "stop_all", stop_all)
    monkeypatch.setattr(workspace, "reset", reset)
    return steps


def test_clusters_are_stopped_before_pages_move(done: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`--yes` does not ask; the dated folder is named."""
    assert main(["reset", "--yes"]) == 0
    assert done == ["clusters stopped", "put aside"]
    assert "/aside/2026-01-01" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "code"), [("n\n", 0), ("\n", 0), ("", 1)])
def test_nothing_is_done_without_a_yes(
    answer: str, code: int, done: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No, the default, and an input that is closed: in each case all stays as it is."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert main(["reset"]) == code
    assert done == []
    assert capsys.readouterr().out == ""


def test_a_yes_is_enough(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked once."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["reset"]) == 0
    assert done == ["clusters stopped", "put aside"]


def test_a_script_without_input_is_told_how() -> None:
    """In a pipe nobody can answer: one sentence names `--yes`."""
    command = [sys.executable, "-m", "labsupport.cli", "reset"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == 1 and "`--yes`" in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("saved", "words"), [(Path("/home/me/saved/00.ipynb"), "/home/me/saved/00.ipynb"), (None, "you had no copy")]
)
def test_restore_says_where_the_copy_is(
    saved: Path | None, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or that there was none."""
    monkeypatch.setattr(workspace, "restore", lambda _name: saved)
    assert main(["restore", "00-start-here"]) == 0
    assert words in capsys.readouterr().out
