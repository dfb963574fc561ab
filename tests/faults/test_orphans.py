"""Nothing is left behind: a real kernel with a real cluster, hit at random moments.

Every round counts the cluster's processes *before* it strikes: "nothing is left" of nothing would prove nothing.
"""

from __future__ import annotations

import os
import random
import signal
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from labsupport.core.wait import wait_until
from tests.marked import nothing_left, processes_of

EXPECTED = 5  # two brokers, one ZooKeeper or separate controller, the supervisor and its janitor
STRIKES = ("kill -9 kernel", "restart kernel", "interrupt kernel", "kill -9 supervisor", "crash in the cell")
GONE_WITHIN_S = 10


@dataclass(frozen=True)
class Round:
    """One entry of a schedule. `delay_s`: seconds after the cell began, or None: when the cluster is ready."""

    number: int
    strike: str
    coordination: str
    delay_s: float | None
    paused: bool
    forked: bool
    links: bool

    @property
    def processes(self) -> int:
        """How many a running cluster of this round has."""
        return EXPECTED + self.links  # the link proxy

    @property
    def name(self) -> str:
        return f"round-{self.number}-{os.getpid()}"

    @property
    def cell(self) -> str:
        lines = ["from labsupport import Cluster"]
        start = f"Cluster.start(2, {self.coordination!r}, controllers=1, links={self.links}, name={self.name!r})"
        if self.strike == "crash in the cell":
            lines += [f"with {start} as cluster:", "    raise RuntimeError('a mistake of the reader')"]
        else:
            lines += [f"cluster = {start}"]
            lines += ["cluster.broker(1).pause()"] if self.paused else []
            if self.forked:
                lines += ["import multiprocessing, time"]
                lines += ["child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(20,))"]
                lines += ["child.start()"]
        return "\n".join(lines)


def schedule(seed: int, rounds: int) -> list[Round]:
    """Every strike comes equally often; mode, moment, pause and fork are random."""
    chance = random.Random(seed)
    return [
        Round(
            number=number,
            strike=STRIKES[number % len(STRIKES)],
            coordination=chance.choice(["kraft", "zookeeper"]),
            delay_s=chance.uniform(0.3, 6) if chance.random() < 0.5 else None,
            paused=chance.random() < 0.4,
            forked=chance.random() < 0.4,
            links=chance.random() < 0.4,
        )
        for number in range(rounds)
    ]


@pytest.fixture
def kernel() -> Iterator[KernelManager]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(Path(__file__).parents[2]))
    yield manager
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)


def run_cell(manager: KernelManager, code: str) -> tuple[BlockingKernelClient, str]:
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    return client, client.execute(code)


def wait_for_reply(client: BlockingKernelClient, message: str) -> dict[str, object]:
    while True:
        reply = client.get_shell_msg(timeout=180)
        if reply["parent_header"].get("msg_id") == message:
            return dict(reply["content"])


@pytest.mark.timeout(9000)
def test_nothing_is_left_after_kills_restarts_interrupts_and_crashes(seed: int, rounds: int) -> None:
    """Half of the strikes fall into the start of a cluster, half on a running one."""
    for entry in schedule(seed, rounds):
        print(entry, flush=True)
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel(cwd=str(Path(__file__).parents[2]))
        try:
            strike(manager, entry)
            wait_until(lambda name=entry.name: nothing_left(name), GONE_WITHIN_S, because=f"nothing left of {entry}")  # type: ignore[misc]
        finally:
            manager.shutdown_kernel(now=True)
        assert nothing_left(entry.name)


def strike(manager: KernelManager, entry: Round) -> None:
    client, message = run_cell(manager, entry.cell)
    try:
        wait_until(lambda: len(processes_of(entry.name)) >= 2, 60, because="the supervisor and its janitor")
        if entry.strike == "crash in the cell":
            assert "a mistake of the reader" in str(wait_for_reply(client, message))
            return
        if entry.delay_s is None:
            reply = wait_for_reply(client, message)
            assert reply["status"] == "ok", reply
            assert len(processes_of(entry.name)) == entry.processes
        else:
            time.sleep(entry.delay_s)  # the schedule's random moment, not a wait for something
        print(f"  {len(processes_of(entry.name))} processes before the strike", flush=True)
        assert processes_of(entry.name)
        STRIKE[entry.strike](manager, client, entry)
    finally:
        client.stop_channels()


def kill_kernel(manager: KernelManager, client: BlockingKernelClient, entry: Round) -> None:
    os.kill(manager.provisioner.process.pid, signal.SIGKILL)  # type: ignore[union-attr]


def restart_kernel(manager: KernelManager, client: BlockingKernelClient, entry: Round) -> None:
    manager.restart_kernel(now=False)


def kill_supervisor(manager: KernelManager, client: BlockingKernelClient, entry: Round) -> None:
    for pid in processes_of(entry.name):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if b"labsupport.cluster.supervisor" in command and parent == manager.provisioner.process.pid:  # type: ignore[union-attr]
            os.kill(pid, signal.SIGKILL)
            return
    raise AssertionError("the supervisor was not found")


def interrupt_kernel(manager: KernelManager, client: BlockingKernelClient, entry: Round) -> None:
    """On a running cluster an interrupt must do nothing; in a start it must undo the start."""
    before = set(processes_of(entry.name))
    if entry.delay_s is None:
        message = client.execute("import time\ntime.sleep(60)")
        wait_until(lambda: _is_busy(client), 30, because="the cell to run")
        manager.interrupt_kernel()
        assert "KeyboardInterrupt" in str(wait_for_reply(client, message))
        assert set(processes_of(entry.name)) == before
        kill_kernel(manager, client, entry)
        return
    manager.interrupt_kernel()
    if _finished_before(client):
        kill_kernel(manager, client, entry)


def _is_busy(client: BlockingKernelClient) -> bool:
    message = client.get_iopub_msg(timeout=30)
    return message["msg_type"] == "execute_input" and "time.sleep" in message["content"]["code"]


def _finished_before(client: BlockingKernelClient) -> bool:
    """Whether the cell had ended before the interrupt came: then the cluster is alive, and rightly so."""
    reply = client.get_shell_msg(timeout=180)
    while reply["msg_type"] != "execute_reply":
        reply = client.get_shell_msg(timeout=180)
    return str(reply["content"]["status"]) == "ok"


STRIKE = {
    "kill -9 kernel": kill_kernel,
    "restart kernel": restart_kernel,
    "interrupt kernel": interrupt_kernel,
    "kill -9 supervisor": kill_supervisor,
}


def test_a_failed_start_leaves_nothing(kernel: KernelManager) -> None:
    """A broker refuses its configuration and ends; the other processes of the cluster are gone too."""
    name = f"failed-{os.getpid()}"
    cell = f"""
    from labsupport import Cluster
    Cluster.start(2, name={name!r}, config={{"num.io.threads": "many"}})
    """
    client, message = run_cell(kernel, textwrap.dedent(cell))
    wait_until(lambda: processes_of(name), 60, because="something to run")
    assert wait_for_reply(client, message)["ename"] == "StartError"
    client.stop_channels()
    assert nothing_left(name)


def test_clusters_start_from_a_worker_thread_and_under_asyncio_and_outlive_the_thread(kernel: KernelManager) -> None:
    """The parent-death signal is tied to a thread: the supervisor's main one, never the reader's."""
    names = [f"{kind}-{os.getpid()}" for kind in ("thread", "asyncio")]
    cell = f"""
    import asyncio, threading
    from labsupport import Cluster
    made = []
    thread = threading.Thread(target=lambda: made.append(Cluster.start(1, name={names[0]!r})))
    thread.start(); thread.join()
    made.append(await asyncio.to_thread(Cluster.start, 1, name={names[1]!r}))
    made.append(Cluster.start(1, name="loop-{os.getpid()}"))  # blocks the event loop, and works
    assert [cluster.broker(1).state for cluster in made] == ["running"] * 3
    """
    client, message = run_cell(kernel, textwrap.dedent(cell))
    reply = wait_for_reply(client, message)
    assert reply["status"] == "ok", reply
    client.stop_channels()
    assert all(len(processes_of(name)) == 3 for name in names)
    kernel.shutdown_kernel(now=False)
    wait_until(lambda: all(nothing_left(name) for name in names), GONE_WITHIN_S, because="nothing left")


def test_a_cell_run_again_ends_the_cluster_of_its_first_run(kernel: KernelManager) -> None:
    """`cluster = Cluster.start()` run twice would leave the first cluster running without a name to close it by."""
    first, second = f"first-{os.getpid()}", f"second-{os.getpid()}"
    client, message = run_cell(kernel, "from labsupport import Cluster")
    wait_for_reply(client, message)
    for name in (first, second):
        assert run_in_cell(client, "one-cell", f"cluster = Cluster.start(1, name={name!r})")["status"] == "ok"
    wait_until(lambda: nothing_left(first), GONE_WITHIN_S, because="the first cluster to end")
    assert len(processes_of(second)) == 3
    assert run_in_cell(client, "another-cell", f"other = Cluster.start(1, name={first!r})")["status"] == "ok"
    assert len(processes_of(first)) == len(processes_of(second)) == 3
    client.stop_channels()


def run_in_cell(client: BlockingKernelClient, cell: str, code: str) -> dict[str, object]:
    """Execute as JupyterLab does, which names the cell in the request's metadata."""
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    request = client.session.msg("execute_request", content, metadata={"cellId": cell})
    client.shell_channel.send(request)
    return wait_for_reply(client, request["header"]["msg_id"])
