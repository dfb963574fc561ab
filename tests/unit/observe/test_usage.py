"""What processes use: read from the kernel, whatever their names, and without an error when they are gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labsupport.core.wait import wait_until
from labsupport.observe import usage
from labsupport.observe.usage import usage_of

HERE = {"me": os.getpid()}


@pytest.fixture(params=["proc", "ps"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Linux tells in /proc; macOS does not, and `ps` is asked."""
    if request.param == "ps":
        monkeypatch.setattr("labsupport.observe.usage.PROC", tmp_path)
    return str(request.param)


def test_processor_time_grows_with_work_and_memory_is_some(source: str) -> None:
    """In seconds and megabytes, of this very process."""
    before = usage_of(HERE)["me"]
    assert before.memory_mb is not None and 5 < before.memory_mb < 5000

    def worked() -> bool:
        end_s = time.process_time() + 0.3
        while time.process_time() < end_s:
            pass
        return usage_of(HERE)["me"].cpu_s > before.cpu_s

    wait_until(worked, 30, because="some processor time")
    assert usage_of(HERE)["me"].cpu_s == pytest.approx(time.process_time(), abs=2)


def test_a_process_that_is_gone_is_left_out(source: str) -> None:
    """Together with one that is there."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert usage_of({"gone": ended.pid, **HERE}).keys() == {"me"}
    assert usage_of({}) == {}


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="no /proc: names are not read with the figures")
def test_a_name_cannot_mislead() -> None:
    """A process may be called `) 1 (`: its figures stand behind the last bracket."""
    rename = "import sys; open('/proc/self/comm', 'w').write(') 1 2 ('); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as odd:
        assert odd.stdout is not None
        odd.stdout.readline()
        seen = usage_of({"odd": odd.pid})["odd"]
        assert 0 <= seen.cpu_s < 60 and seen.memory_mb is not None and seen.memory_mb > 1


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc: ps tells all at once")
def test_memory_is_asked_for_only_when_wanted() -> None:
    """The kernel walks through all pages for it."""
    assert usage_of(HERE, memory=False)["me"].memory_mb is None


@pytest.mark.parametrize(
    ("said", "seconds"), [("0:00.52", 0.52), ("12:03", 723), ("01:02:03", 3723), ("2-01:00:00", 176_400)]
)
def test_times_of_ps_are_understood(said: str, seconds: float) -> None:
    """Of macOS and Linux."""
    assert usage._seconds(said) == pytest.approx(seconds)
