"""The supervisor holds any process: here small ones, so that every way to die can be tried quickly.

Each test first counts what runs, so that "nothing is left" says something.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from labsupport.cluster import registry
from labsupport.cluster.supervised import MARKER, Supervised
from labsupport.core.errors import BadInput, LabError, NotRunning
from labsupport.core.wait import wait_until
from tests.marked import folders_of, kill, processes_of, wait_until_gone

SLEEPER = "import time, sys; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return f"t{abs(hash(request.node.name)) % 10**8}"


@pytest.fixture
def supervised(name: str, tmp_path: Path) -> Iterator[Supervised]:
    handle = Supervised.launch(name, tmp_path / "cluster")
    yield handle
    handle.shutdown()


def define(handle: Supervised, child: str, code: str = SLEEPER, ports: list[int] | None = None) -> None:
    handle.ask(
        "define",
        name=child,
        node_id=1,
        argv=[sys.executable, "-c", code],
        env={MARKER: handle.name},
        cwd="/",
        log=str(handle.folder / f"{child}.log"),
        ports=ports or [],
    )


def start(handle: Supervised, child: str, code: str = SLEEPER, ports: list[int] | None = None) -> int:
    define(handle, child, code, ports)
    pid = int(handle.ask("start", name=child)["pid"])
    wait_until(lambda: (handle.folder / f"{child}.log").read_text() == "up\n", 10, because="the process to be up")
    return pid


def expect_all(name: str, count: int) -> None:
    """Supervisor, janitor and `count` children are really there before anything is killed."""
    assert len(processes_of(name)) == count + 2


def test_a_process_starts_dies_and_starts_again_under_the_same_ports(supervised: Supervised) -> None:
    port = supervised.reserve_ports(1)[0]
    listen = (
        f"import socket,time; s=socket.create_server(('127.0.0.1',{port})); print('up',flush=True); time.sleep(600)"
    )
    first = start(supervised, "child", listen, [port])
    supervised.ask("signal", name="child", signal_name="KILL")
    supervised.ask("wait_for", name="child", states=["stopped"], timeout_s=5)
    with pytest.raises(OSError), socket.socket() as stranger:  # the supervisor holds the dead process's port
        stranger.bind(("127.0.0.1", port))
    second = int(supervised.ask("start", name="child")["pid"])
    assert second != first
    with wait_until(lambda: _connected(port), 10, because="the second process to listen"):
        pass
    assert [(e.what, e.detail) for e in supervised.events(0, 0)] == [
        ("started", ""),
        ("exited", "signal 9"),
        ("started", ""),
    ]


def _connected(port: int) -> socket.socket | None:
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=1)
    except OSError:
        return None


def test_reserved_ports_are_outside_the_ephemeral_range_and_held(supervised: Supervised) -> None:
    ports = supervised.reserve_ports(5)
    assert all(20000 <= port < 30000 for port in ports) and len(set(ports)) == 5
    for port in ports:
        with pytest.raises(OSError), socket.socket() as stranger:
            stranger.bind(("127.0.0.1", port))


def test_a_port_taken_by_a_stranger_is_named(supervised: Supervised) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        define(supervised, "child", ports=[port])
        with pytest.raises(LabError, match=f"port {port} of child is taken"):
            supervised.ask("start", name="child")


def test_a_paused_process_says_so_until_it_is_resumed(supervised: Supervised) -> None:
    pid = start(supervised, "child")
    supervised.ask("signal", name="child", signal_name="STOP")
    wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", 5, because="T")
    assert supervised.states() == {"child": "paused"}
    supervised.ask("signal", name="child", signal_name="CONT")
    assert supervised.states() == {"child": "starting"}  # nobody has said that it is ready


def test_events_wake_a_waiting_reader(supervised: Supervised) -> None:
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(e.what for e in supervised.events(0, 30)))
    reader.start()
    start(supervised, "child")
    reader.join(10)
    assert seen == ["started"]


def test_shutdown_leaves_nothing_even_of_paused_and_stubborn_processes(supervised: Supervised, name: str) -> None:
    start(supervised, "paused")
    supervised.ask("signal", name="paused", signal_name="STOP")
    start(supervised, "stubborn", STUBBORN)
    expect_all(name, 2)
    supervised.shutdown()
    wait_until_gone(name)
    with pytest.raises(NotRunning):
        supervised.states()


def test_a_name_in_use_is_refused_and_the_first_one_lives_on(supervised: Supervised, name: str, tmp_path: Path) -> None:
    start(supervised, "child")
    with pytest.raises(BadInput, match=f"A cluster named {name} is running"):
        Supervised.launch(name, tmp_path / "second")
    assert supervised.states() == {"child": "starting"}
    assert not (tmp_path / "second").exists()


def test_a_killed_supervisor_takes_everything_with_it(supervised: Supervised, name: str) -> None:
    """Its children die by their parent-death signal; the janitor removes the folder."""
    start(supervised, "child")
    start(supervised, "paused")
    supervised.ask("signal", name="paused", signal_name="STOP")
    expect_all(name, 2)
    os.kill(supervised.ask("status")["pid"], signal.SIGKILL)
    wait_until_gone(name)


def test_a_terminated_supervisor_takes_everything_with_it(supervised: Supervised, name: str) -> None:
    start(supervised, "child")
    expect_all(name, 1)
    os.kill(supervised.ask("status")["pid"], signal.SIGTERM)
    wait_until_gone(name)


def test_with_supervisor_and_janitor_killed_the_next_start_sweeps(supervised: Supervised, name: str) -> None:
    start(supervised, "child")
    expect_all(name, 1)
    supervisor = supervised.ask("status")["pid"]
    kill(*(set(processes_of(name)) - {supervised.ask("start", name="child")["pid"], supervisor}), supervisor)
    wait_until(lambda: not processes_of(name), 10, because="the processes to be gone")
    assert folders_of(name)  # nobody was left to remove them
    assert registry.sweep() == [name]
    assert not folders_of(name)


def test_a_stranger_with_a_recycled_pid_is_not_killed_by_the_sweep(name: str, tmp_path: Path) -> None:
    """A record is only believed when the process with its pid began at the same moment."""
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.DEVNULL)
    try:
        record = tmp_path / f"{name}.json"
        record.write_text(f'{{"processes": [{{"pid": {stranger.pid}, "stamp": "12345"}}]}}')
        from labsupport.cluster.supervisor import sweep_dead

        sweep_dead(tmp_path, name, tmp_path / "folder")
        assert stranger.poll() is None and not record.exists()
    finally:
        stranger.kill()
        stranger.wait()


OWNER = """
import os, signal, sys, time
from pathlib import Path
from labsupport.cluster.supervised import MARKER, Supervised
handle = Supervised.launch({name!r}, Path({folder!r}))
for child in ("one", "two"):
    handle.ask("define", name=child, node_id=1, argv=[sys.executable, "-c", {sleeper!r}], env={{MARKER: {name!r}}},
               cwd="/", log=str(handle.folder / child), ports=[])
    handle.ask("start", name=child)
{then}
"""


def run_owner(name: str, tmp_path: Path, then: str) -> subprocess.Popen[str]:
    code = OWNER.format(name=name, folder=str(tmp_path / "c"), sleeper=SLEEPER, then=textwrap.dedent(then))
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert owner.stdout is not None and owner.stdout.readline() == "started\n"
    return owner


def test_kill_9_of_the_owner_leaves_nothing(name: str, tmp_path: Path) -> None:
    owner = run_owner(name, tmp_path, "print('started', flush=True); time.sleep(600)")
    expect_all(name, 2)
    owner.kill()
    owner.wait()
    wait_until_gone(name)


def test_the_owners_end_leaves_nothing_though_a_forked_child_holds_its_pipe(name: str, tmp_path: Path) -> None:
    """`multiprocessing` in a notebook forks: the child keeps the kernel's pipes open after the kernel is dead."""
    owner = run_owner(
        name,
        tmp_path,
        """
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
        print("started", flush=True)
        print(child, flush=True)
        time.sleep(600)
        """,
    )
    assert owner.stdout is not None
    forked = int(owner.stdout.readline())
    try:
        expect_all(name, 2)
        owner.kill()
        owner.wait()
        os.kill(forked, 0)  # it is alive, and the pipe with it
        wait_until_gone(name)
    finally:
        os.kill(forked, signal.SIGKILL)


def test_an_interrupt_of_the_owners_group_does_not_reach_the_brokers(name: str, tmp_path: Path) -> None:
    """Jupyter's "interrupt" signals the kernel as a process group."""
    owner = run_owner(
        name,
        tmp_path,
        """
        signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
        print("started", flush=True)
        while True:
            time.sleep(600)
        """,
    )
    before = processes_of(name)
    os.killpg(owner.pid, signal.SIGINT)
    assert owner.stdout is not None and owner.stdout.readline() == "interrupted\n"
    assert processes_of(name) == before and len(before) == 4
    owner.kill()
    owner.wait()
    wait_until_gone(name)


def test_a_kept_cluster_outlives_its_starter_until_it_is_shut_down(name: str, tmp_path: Path) -> None:
    owner = run_owner(name, tmp_path, "handle.disown(); print('started', flush=True)")
    assert owner.wait(10) == 0
    expect_all(name, 2)
    Supervised(name, tmp_path / "c").shutdown()
    wait_until_gone(name)


def test_the_record_and_the_socket_are_private(supervised: Supervised, name: str) -> None:
    start(supervised, "child")
    supervised.ask("describe", facts={"bootstrap_servers": "127.0.0.1:20001"})
    modes = {path.suffix: path.stat().st_mode & 0o777 for path in folders_of(name) if path.suffix}
    assert modes[".json"] == modes[".sock"] == modes[".env"] == 0o600
    assert supervised.folder.stat().st_mode & 0o777 == 0o700
    assert [record["name"] for record in registry.running()] == [name]
