"""How a command may end: one message, one exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labsupport.cli import edge, main
from labsupport.core.errors import LabError


def _ends_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def dispatch(_arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(edge, "_dispatch", dispatch)


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """`kafka-lab` alone is a question, not a mistake."""
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("up", "status", "env", "tool", "down", "doctor", "reset", "restore"))


@pytest.mark.parametrize("command", ["up", "status", "env", "tool", "down", "doctor", "reset", "restore"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`kafka-lab COMMAND --help` names the command and its options."""
    assert main([command, "--help"]) == 0
    assert f"Usage: kafka-lab {command}" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`kafka-lab --version` is one line."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("kafka-lab ")


def test_a_mistake_of_the_user_is_its_two_sentences(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, exit code 1, and nothing on stdout."""
    _ends_with(monkeypatch, LabError("The door is shut.", fix="Open it."))
    assert main(["up"]) == 1
    assert capsys.readouterr() == ("", "The door is shut. Open it.\n")


def test_a_message_cannot_command_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text that came from a broker's log is escaped, line by line."""
    _ends_with(monkeypatch, LabError("It said \x1b[2J\nand left.", fix="Read its log."))
    main(["up"])
    assert capsys.readouterr().err == "It said \\x1b[2J\nand left. Read its log.\n"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EMFILE, errno.EIO])
def test_what_the_system_refuses_has_a_remedy(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk or a read-only home: what, where, and what to do."""
    _ends_with(monkeypatch, OSError(number, os.strerror(number), "/some where/file"))
    assert main(["up"]) == 1
    message = capsys.readouterr().err
    assert os.strerror(number) in message and "/some where/file" in message
    assert message.count("\n") == 1 and message.rstrip().endswith(".")


def test_an_interrupt_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends with 130, as a shell expects."""
    _ends_with(monkeypatch, KeyboardInterrupt())
    assert main(["up"]) == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_a_bug_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only mistakes of the user are sentences; ours must be seen."""
    _ends_with(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["up"])


def test_a_reader_that_stops_reading_is_no_error(tmp_path: Path) -> None:
    """`kafka-lab --help | head -0`: quiet, whatever was still to be written."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "labsupport.cli", "--help"]
    ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_status_needs_none_of_the_heavy_libraries() -> None:
    """What makes Python slow to start is not imported to answer `status`."""
    program = (
        "import sys; from labsupport.cli import main; main(['status']);"
        "print([m for m in ('confluent_kafka', 'kafka', 'IPython', 'rich', 'plotly', 'psutil') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
