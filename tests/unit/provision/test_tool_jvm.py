"""What a tool prints comes back, and a tool that fails says why."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from labsupport.core.errors import LabError
from labsupport.provision import tool_jvm


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python in the place of a JVM: the tool's first argument is the program."""

    def command_line(name: str, arguments: list[str], *_: Any) -> list[str]:
        return [sys.executable, "-c", *arguments]

    monkeypatch.setattr(tool_jvm, "command_line", command_line)


@pytest.mark.usefixtures("python")
def test_what_was_typed_is_read_and_what_was_printed_comes_back() -> None:
    assert tool_jvm.output_of("t", ["print(input() + '!')"], version="4.3.1", typed="héllo\n") == "héllo!\n"


@pytest.mark.usefixtures("python")
def test_a_failure_is_told_in_the_tools_own_words() -> None:
    """Without obeying them."""
    with pytest.raises(LabError, match=r"Kafka's tool t failed\. It said: no \\x1b\[2J") as refused:
        tool_jvm.output_of("t", ["import sys; sys.exit('no \\x1b[2J')"], version="4.3.1")
    assert "\x1b" not in str(refused.value)


@pytest.mark.usefixtures("python")
def test_a_tool_that_does_not_end_is_given_up() -> None:
    with pytest.raises(LabError, match=r"took longer than 0\.5 s"):
        tool_jvm.output_of("t", ["import time; time.sleep(60)"], version="4.3.1", timeout_s=0.5)
