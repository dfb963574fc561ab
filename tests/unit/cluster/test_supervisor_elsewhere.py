"""What the supervisor does for backends whose nodes are not its children: helpers kept alive, states told, an end.

The program of the end is a small one that writes a file, so that "it ran" can be seen.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from labsupport.cluster import registry
from labsupport.cluster.supervised import MARKER, Supervised
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.core.wait import wait_until
from tests.marked import folders_of, kill, processes_of

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return f"e{abs(hash(request.node.name)) % 10**8}"


@pytest.fixture
def supervised(name: str, tmp_path: Path) -> Iterator[Supervised]:
    handle = Supervised.launch(name, tmp_path / "cluster")
    yield handle
    handle.shutdown()


def define_helper(handle: Supervised, code: str = SLEEPER, ports: Sequence[int] = ()) -> int:
    """A helper that is kept; returns its first pid."""
    handle.ask(
        "define",
        name="helper",
        node_id=0,
        argv=[sys.executable, "-c", code],
        env={MARKER: handle.name},
        log=str(handle.folder / "helper.log"),
        ports=list(ports),
        told=False,
        kept=True,
    )
    return int(handle.ask("start", name="helper")["pid"])


def helper_pid(handle: Supervised) -> int | None:
    (child,) = handle.ask("status")["children"]
    return child["pid"]  # type: ignore[no-any-return]


def see(handle: Supervised, state: str, **more: object) -> str:
    return str(handle.ask("seen", name="far", state=state, **more)["state"])


def told(handle: Supervised) -> list[tuple[str, str]]:
    return [(event.what, event.detail) for event in handle.events(0, 0)]


@pytest.fixture
def far(supervised: Supervised) -> Supervised:
    """With one process that runs elsewhere, under a reserved port."""
    supervised.ask("define", name="far", node_id=1, elsewhere=True, ports=supervised.reserve_ports(1))
    return supervised


# -- kept


def test_a_kept_helper_that_dies_is_back_within_two_seconds_however_often(supervised: Supervised) -> None:
    pids = {define_helper(supervised)}
    for _ in range(3):
        old = helper_pid(supervised)
        assert old is not None
        died_s = now_s()
        os.kill(old, signal.SIGKILL)
        new = wait_until(lambda old=old: (pid := helper_pid(supervised)) not in (None, old) and pid, 10, because="it")
        assert now_s() - died_s < 2
        pids.add(int(new))
    assert len(pids) == 4
    assert told(supervised) == []  # its life is no part of the cluster's


def test_a_kept_helper_that_cannot_live_is_started_ever_less_often(supervised: Supervised) -> None:
    """Not in a loop that eats a core: within two seconds it gets four or five lives."""
    define_helper(supervised, "print('life', flush=True)")
    log = supervised.folder / "helper.log"
    began_s = now_s()
    wait_until(lambda: now_s() - began_s > 2, 10, because="two seconds to pass")
    assert 2 <= log.read_text().count("life") <= 6


def test_a_kept_helper_whose_port_a_stranger_took_is_back_once_it_is_free(supervised: Supervised) -> None:
    """It does not come up meanwhile, and is not given up."""
    (port,) = supervised.reserve_ports(1)
    pid = define_helper(supervised, ports=[port])
    with socket.create_server(("127.0.0.1", port)):
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: helper_pid(supervised) is None, 10, because="the helper to be gone")
        with pytest.raises(LabError, match="is taken by another process"):
            supervised.ask("start", name="helper")
        first = now_s()
        wait_until(lambda: now_s() > first + 1, 10, because="the first try, which is due after a fifth of a second")
        assert helper_pid(supervised) is None
    wait_until(lambda: helper_pid(supervised), 10, because="the helper to be back")


def test_a_process_that_is_not_kept_stays_dead(supervised: Supervised) -> None:
    """The positive control."""
    supervised.ask("define", name="plain", node_id=1, argv=[sys.executable, "-c", "pass"], env={MARKER: "x"})
    supervised.ask("start", name="plain")
    wait_until(lambda: supervised.states()["plain"] == "stopped", 10, because="its end")
    began_s = now_s()
    wait_until(lambda: now_s() - began_s > 0.5, 10, because="half a second to pass")
    assert [what for what, _ in told(supervised)] == ["started", "exited"]


# -- seen


def test_what_is_seen_of_a_process_elsewhere_becomes_its_state_and_events(far: Supervised) -> None:
    assert far.states() == {"far": "stopped"}
    assert see(far, "running", life="1") == "starting"
    far.ask("note", name="far", what="ready")
    assert far.states() == {"far": "running"}
    assert see(far, "paused", life="1") == "paused"
    assert see(far, "running", life="1") == "running"
    assert see(far, "stopped", life="1", detail="signal 9") == "stopped"
    assert told(far) == [("started", ""), ("ready", ""), ("paused", ""), ("resumed", ""), ("exited", "signal 9")]


def test_the_same_report_twice_is_one_event(far: Supervised) -> None:
    """A helper that looks again after a while must not make news."""
    for state in ("running", "running", "stopped", "stopped"):
        see(far, state, life="1")
    assert [what for what, _ in told(far)] == ["started", "exited"]


def test_another_life_means_that_an_end_was_missed(far: Supervised) -> None:
    see(far, "running", life="1")
    far.ask("note", name="far", what="ready")
    assert see(far, "running", life="2") == "starting"
    assert [what for what, _ in told(far)] == ["started", "ready", "exited", "started"]


def test_a_life_that_was_over_before_anybody_looked_is_told_whole(far: Supervised) -> None:
    """A program that fails at once has begun and ended between two looks."""
    for life in ("1", "1", "2"):
        see(far, "stopped", life=life, detail="exit code 1")
    assert told(far) == [("started", ""), ("exited", "exit code 1")] * 2


def test_the_pid_elsewhere_is_told_with_the_events_and_nothing_else(far: Supervised) -> None:
    """It serves samples of the processor; nobody may take it for a child."""
    see(far, "running", life="1", pid=4711)
    assert [event.pid for event in far.events(0, 0)] == [4711]
    assert far.ask("status")["children"][0]["pid"] is None


def test_a_process_elsewhere_cannot_be_started_or_signalled_from_here(far: Supervised) -> None:
    see(far, "running", life="1", pid=os.getpid())
    with pytest.raises(LabError, match="does not run here"):
        far.ask("start", name="far")
    with pytest.raises(LabError, match="is not running"):
        far.ask("signal", name="far", signal_name="KILL")


# -- wait_for


def test_whoever_waits_for_a_state_is_answered_when_it_is_seen(far: Supervised) -> None:
    answers: list[str] = []
    ask = {"name": "far", "states": ["starting", "running"], "timeout_s": 30}
    waiter = threading.Thread(target=lambda: answers.append(far.ask("wait_for", reply_within_s=35, **ask)["state"]))  # type: ignore[arg-type]
    waiter.start()
    see(far, "running", life="1")
    waiter.join(10)
    assert answers == ["starting"]


def test_whoever_waits_in_vain_is_told_what_is_so(far: Supervised) -> None:
    assert far.ask("wait_for", name="far", states=["running"], timeout_s=0.2)["state"] == "stopped"


# -- ports


def is_free(port: int) -> bool:
    try:
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def test_a_port_is_held_until_it_is_let_go_and_again_after_the_end(supervised: Supervised) -> None:
    """So that nobody else has it while the process elsewhere does not run."""
    (port,) = supervised.reserve_ports(1)
    supervised.ask("define", name="far", node_id=1, elsewhere=True, ports=[port])
    assert not is_free(port)
    supervised.ask("let_go", name="far")
    assert is_free(port)
    see(supervised, "running", life="1")
    see(supervised, "stopped", life="1")
    assert not is_free(port)


def test_a_process_elsewhere_can_move_to_another_port(supervised: Supervised) -> None:
    first, second = supervised.reserve_ports(2)
    supervised.ask("define", name="far", node_id=1, elsewhere=True, ports=[first])
    supervised.ask("let_go", name="far", ports=[second])
    assert is_free(first) and is_free(second)
    see(supervised, "running", life="1")
    see(supervised, "stopped", life="1")
    assert is_free(first) and not is_free(second)


# -- at_end


@pytest.fixture
def mark(supervised: Supervised, tmp_path: Path) -> Path:
    """The file that the program of the end writes; it is not there yet."""
    mark = tmp_path / "ended"
    code = f"from pathlib import Path; Path({str(mark)!r}).write_text('ended')"
    supervised.ask("at_end", argv=[sys.executable, "-c", code], env={})
    assert not mark.exists()
    return mark


def test_the_end_runs_at_shutdown_before_the_supervisor_is_gone(supervised: Supervised, mark: Path) -> None:
    supervised.shutdown()
    assert mark.read_text() == "ended"


def test_the_janitor_runs_the_end_of_a_killed_supervisor(supervised: Supervised, mark: Path) -> None:
    os.kill(supervised.ask("status")["pid"], signal.SIGKILL)
    wait_until(mark.exists, 10, because="the program of the end")
    wait_until(lambda: not folders_of(supervised.name), 10, because="nothing left")


def test_the_sweep_runs_the_end_when_the_janitor_was_killed_too(supervised: Supervised, mark: Path) -> None:
    supervisor = supervised.ask("status")["pid"]
    kill(*(set(processes_of(supervised.name)) - {supervisor}), supervisor)
    assert not mark.exists()
    assert registry.sweep() == [supervised.name]
    assert mark.read_text() == "ended" and not folders_of(supervised.name)


def test_an_end_that_cannot_be_run_does_not_hold_up_the_supervisors(supervised: Supervised) -> None:
    supervised.ask("at_end", argv=["/does/not/exist"], env={})
    supervised.shutdown()
    wait_until(lambda: not folders_of(supervised.name), 10, because="nothing left")
