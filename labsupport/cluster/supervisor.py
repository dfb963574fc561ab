"""One small process a cluster: it starts the JVMs, watches its owner, and leaves nothing behind.

It runs in a session of its own, so that an "interrupt" of the notebook's kernel does not reach the brokers. It holds
a pipe from its owner and watches its parent's id (a forked child of the kernel may keep the pipe open). A *janitor*,
forked before anything else is started, holds a pipe from the supervisor and does the same if the supervisor is killed.

Only the standard library is imported here: the supervisor must be up in a blink. It knows processes, ports and folders,
and nothing of Kafka. Requests are JSON lines on a private Unix socket; `supervised.py` is the other end.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import json
import os
import random
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labsupport.cluster.mounts import enter_own_mounts, mount_small, unmount
from labsupport.core.private import write_private
from labsupport.core.processes import dies_with_parent, is_same_process, start_stamp

PORTS = range(20000, 30000)  # outside the ephemeral range: a `bind(0)` port can connect to itself
TICK_S = 0.1
EVENTS_KEPT = 10_000
BRIEF_S, MOST_PAUSE_S = 5, 1.6  # a helper that keeps ending is started again ever less often, at least this often
AT_END_S = 300


@dataclass
class Child:
    """A process we were told about; `popen` is None until it is started for the first time.

    `told`: its life is part of the cluster's events. That of a helper such as the link proxy is not. `kept`: it is
    started again when it ends by itself. `elsewhere`: it runs in a container or a pod; we never start or signal it, and
    know of it what a helper of the backend reports (`do_seen`).
    """

    name: str
    node_id: int
    argv: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    log: str = os.devnull
    ports: list[int] = field(default_factory=list)
    told: bool = True
    kept: bool = False
    elsewhere: bool = False
    runs_elsewhere: bool = False
    pid_elsewhere: int = 0  # what this machine knows it by, if it does; nothing is ever signalled by that
    life: str = ""  # which of its lives elsewhere this is
    due_s: float | None = None
    brief_lives: int = 0
    began_s: float = 0.0
    popen: subprocess.Popen[bytes] | None = None
    stamp: str = ""
    ready: bool = False
    paused: bool = False
    holders: list[socket.socket] = field(default_factory=list)

    @property
    def state(self) -> str:
        if not self.runs_elsewhere and self.pid is None:
            return "stopped"
        if self.paused:
            return "paused"
        return "running" if self.ready else "starting"

    @property
    def pid(self) -> int | None:
        return self.popen.pid if self.popen is not None and self.popen.returncode is None else None


@dataclass
class Waiting:
    """A reply that is due when `done` says something, or at the deadline."""

    connection: socket.socket
    done: Callable[[], dict[str, Any] | None]
    deadline_s: float
    late: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Janitor:
    """The process that does the supervisor's duty when it is killed; it listens at the other end of `pipe`."""

    pid: int
    pipe: int

    def dismiss(self) -> None:
        """All is tidy: let it go, and see it gone."""
        with contextlib.suppress(BrokenPipeError):  # it was killed
            os.write(self.pipe, b".")
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


class Supervisor:
    """The main loop. Every JVM is forked by this thread: the parent-death signal is tied to it."""

    def __init__(self, name: str, runtime: Path, folder: Path, owner_pid: int, janitor: Janitor) -> None:
        self.name, self.runtime, self.folder = name, runtime, folder
        self.owner_pid: int | None = owner_pid
        self.janitor = janitor
        self.children: dict[str, Child] = {}
        self.reserved: dict[int, socket.socket] = {}
        self.events: list[dict[str, Any]] = []
        self.events_dropped = 0
        self.facts: dict[str, Any] = {}
        self.mounts: list[str] = []
        self.at_end: dict[str, Any] | None = None
        self.waiting: list[Waiting] = []
        self.buffers: dict[socket.socket, bytes] = {}
        self.selector = selectors.DefaultSelector()
        self.asked_to_stop = False
        self.finished: dict[str, Any] | None = None

    # -- the loop

    def run(self) -> None:
        listener = self._listen()
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._ask_to_stop())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.selector.register(listener, selectors.EVENT_READ, "listener")
        self.selector.register(wake_read, selectors.EVENT_READ, "wake")
        self.selector.register(0, selectors.EVENT_READ, "owner")
        self._write_record()
        print("ready", flush=True)
        self._turn_output_to_a_file()
        while self.finished is None:
            for key, _ in self.selector.select(TICK_S):
                if key.data == "listener":
                    self._accept(listener)
                elif key.data == "wake":
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake_read, 4096)
                elif key.data == "owner":
                    if not os.read(0, 4096):
                        self._finish()
                else:
                    self._receive(key.fileobj)  # type: ignore[arg-type]
            if self.owner_pid is not None and os.getppid() != self.owner_pid:
                self._finish()
            self._reap()
            self._start_again()
            if self.asked_to_stop:
                self._finish()
            self._answer_waiting()

    def _turn_output_to_a_file(self) -> None:
        """From here on nobody reads our pipes; a traceback of ours must land where it can be found."""
        log = os.open(self.folder / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = self.runtime / f"{self.name}.sock"
        path.unlink(missing_ok=True)
        previous = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(previous)
        listener.listen(64)
        listener.setblocking(False)
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = listener.accept()
            connection.setblocking(False)
            self.buffers[connection] = b""
            self.selector.register(connection, selectors.EVENT_READ, "client")

    def _receive(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        buffer = self.buffers[connection] + data
        *lines, self.buffers[connection] = buffer.split(b"\n")
        for line in lines:
            self._handle(connection, json.loads(line))

    def _drop(self, connection: socket.socket) -> None:
        self.selector.unregister(connection)
        self.buffers.pop(connection, None)
        self.waiting = [w for w in self.waiting if w.connection is not connection]
        connection.close()

    def _reply(self, connection: socket.socket, answer: dict[str, Any]) -> None:
        if connection not in self.buffers:
            return
        try:
            connection.setblocking(True)
            connection.settimeout(5)
            connection.sendall(json.dumps(answer).encode() + b"\n")
            connection.setblocking(False)
        except OSError:
            self._drop(connection)

    # -- requests

    def _handle(self, connection: socket.socket, request: dict[str, Any]) -> None:
        operation = getattr(self, f"do_{request.pop('do')}", None)
        if operation is None:
            self._reply(connection, {"error": "unknown request"})
            return
        try:
            answer = operation(connection, **request)
        except (OSError, KeyError, ValueError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        if answer is not None:
            self._reply(connection, answer)

    def _wait(
        self,
        connection: socket.socket,
        done: Callable[[], dict[str, Any] | None],
        timeout_s: float,
        late: Callable[[], dict[str, Any]],
    ) -> None:
        self.waiting.append(Waiting(connection, done, time.monotonic() + timeout_s, late))

    def _answer_waiting(self) -> None:
        now = time.monotonic()
        still: list[Waiting] = []
        for waiting in self.waiting:
            answer = waiting.done()
            if answer is None and now >= waiting.deadline_s:
                answer = waiting.late()
            if answer is None:
                still.append(waiting)
            else:
                self._reply(waiting.connection, answer)
        self.waiting = [w for w in still if w.connection in self.buffers]

    def do_reserve(self, _: socket.socket, count: int) -> dict[str, Any]:
        """Bind `count` free ports and keep them bound, so that nobody else can take them before their owner starts."""
        ports: list[int] = []
        for port in random.sample(PORTS, len(PORTS)):
            if len(ports) == count:
                break
            holder = _hold(port)
            if holder is not None:
                self.reserved[port] = holder
                ports.append(port)
        if len(ports) < count:
            return {"error": f"only {len(ports)} of {count} ports between {PORTS.start} and {PORTS.stop - 1} are free"}
        return {"ports": ports}

    def do_mount(self, _: socket.socket, folder: str, size_mb: int) -> dict[str, Any]:
        """Give a folder a small file system of its own, seen by the processes that are started from now on."""
        if not self.mounts:
            enter_own_mounts()
        mount_small(folder, size_mb)
        self.mounts.append(folder)
        return {}

    def do_define(self, _: socket.socket, **what: Any) -> dict[str, Any]:
        child = Child(**what)
        child.holders = [self.reserved.pop(port) for port in child.ports if port in self.reserved]
        self.children[child.name] = child
        self._write_record()
        return {}

    def do_start(self, _: socket.socket | None, name: str) -> dict[str, Any]:
        child = self.children[name]
        if child.elsewhere:
            return {"error": f"{name} does not run here"}
        if child.pid is not None:
            return {"pid": child.pid}
        taken = [port for port in child.ports if not self._let_go(child, port)]
        if taken:
            return {"error": f"port {taken[0]} of {name} is taken by another process"}
        with Path(child.log).open("ab") as log:
            child.popen = subprocess.Popen(
                child.argv,
                env=child.env,
                cwd=child.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=dies_with_parent(os.getpid()),  # noqa: PLW1509 -- this process has one thread
            )
        child.stamp, child.ready, child.paused = start_stamp(child.popen.pid), False, False
        child.began_s, child.due_s = time.monotonic(), None
        self._write_record()
        self._event(child, "started")
        return {"pid": child.popen.pid}

    def do_signal(self, _: socket.socket, name: str, signal_name: str) -> dict[str, Any]:
        child = self.children[name]
        if child.pid is None:
            return {"error": f"{name} is not running"}
        os.kill(child.pid, getattr(signal, f"SIG{signal_name}"))
        if signal_name in ("STOP", "CONT") and child.paused != (signal_name == "STOP"):
            child.paused = signal_name == "STOP"
            self._event(child, "paused" if child.paused else "resumed")
        return {"t_s": time.monotonic()}

    def do_seen(
        self, _: socket.socket, name: str, state: str, life: str = "", detail: str = "", pid: int = 0
    ) -> dict[str, Any]:
        """What a backend's helper sees of a process elsewhere: it is "running", "paused" or "stopped".

        `life` tells one start of it from the next: a change means that an end was missed. `pid`: what this machine
        knows it by, if it does. The ports of one that is stopped are held for its next start (`do_let_go`).
        """
        child = self.children[name]
        if state == "stopped" and not child.runs_elsewhere and life and child.life != life:  # a whole life was missed
            child.runs_elsewhere, child.life, child.pid_elsewhere = True, life, pid
            self._event(child, "started")
        if child.runs_elsewhere and (state == "stopped" or child.life != life):
            child.runs_elsewhere = child.paused = child.ready = False
            self._event(child, "exited", detail)
            if state == "stopped":
                self._hold_ports(child)
        if state != "stopped" and not child.runs_elsewhere:
            child.runs_elsewhere, child.life, child.pid_elsewhere = True, life, pid
            self._event(child, "started")
        if state != "stopped" and child.paused != (state == "paused"):
            child.paused = state == "paused"
            self._event(child, "paused" if child.paused else "resumed")
        return {"state": child.state}

    def do_let_go(self, _: socket.socket, name: str, ports: list[int] | None = None) -> dict[str, Any]:
        """Release the ports of a process elsewhere, just before they are bound there; `ports` takes their place."""
        child = self.children[name]
        if ports is not None:
            child.ports = ports
            child.holders += [self.reserved.pop(port) for port in ports if port in self.reserved]
        for holder in child.holders:
            holder.close()
        child.holders = []
        return {}

    def do_wait_for(self, connection: socket.socket, name: str, states: list[str], timeout_s: float) -> None:
        child = self.children[name]
        self._wait(
            connection,
            lambda: {"state": child.state} if child.state in states else None,
            timeout_s,
            lambda: {"state": child.state},
        )

    def do_note(self, _: socket.socket, name: str, what: str, detail: str = "") -> dict[str, Any]:
        """Something that a client knows of a process: it is "ready", or "waiting" for something."""
        child = self.children[name]
        if what == "ready" and child.ready:  # somebody else has seen it, too
            return {}
        child.ready = child.ready or what == "ready"
        self._event(child, what, detail)
        return {}

    def do_events(self, connection: socket.socket, after: int, timeout_s: float) -> None:
        def newer() -> dict[str, Any] | None:
            found = self.events[max(0, after - self.events_dropped) :]
            return {"events": found} if found else None

        self._wait(connection, newer, timeout_s, lambda: {"events": []})

    def do_describe(self, _: socket.socket, facts: dict[str, Any]) -> dict[str, Any]:
        self.facts.update(facts)
        self._write_record()
        return {}

    def do_at_end(self, _: socket.socket, argv: list[str], env: dict[str, str]) -> dict[str, Any]:
        """A program that removes what the cluster has elsewhere; it is run at the end, and by whoever sweeps for us."""
        self.at_end = {"argv": argv, "env": env}
        self._write_record()
        return {}

    def do_disown(self, _: socket.socket) -> dict[str, Any]:
        """From now on the cluster lives until it is asked to end."""
        if self.owner_pid is not None:
            self.owner_pid = None
            self.selector.unregister(0)
            self._write_record()
        return {}

    def do_status(self, _: socket.socket) -> dict[str, Any]:
        children = [
            {
                "name": c.name,
                "node_id": c.node_id,
                "state": c.state,
                "pid": c.pid,
                "exit": c.popen and c.popen.returncode,
            }
            for c in self.children.values()
        ]
        return {"pid": os.getpid(), "children": children}

    def do_shutdown(self, _: socket.socket) -> dict[str, Any]:
        return self._finish()

    # -- processes

    def _event(self, child: Child, what: str, detail: str = "") -> None:
        if not child.told:
            return
        number = self.events_dropped + len(self.events) + 1
        self.events.append(
            {
                "number": number,
                "t_s": time.monotonic(),
                "node": child.name,
                "node_id": child.node_id,
                "what": what,
                "detail": detail,
                "pid": child.popen.pid if child.popen else child.pid_elsewhere,
            }
        )
        if len(self.events) > EVENTS_KEPT:
            self.events_dropped += len(self.events) - EVENTS_KEPT
            del self.events[:-EVENTS_KEPT]

    def _reap(self) -> None:
        for child in self.children.values():
            if child.popen is None or child.popen.returncode is not None or child.popen.poll() is None:
                continue
            child.paused = False
            code = child.popen.poll() or 0
            self._hold_ports(child)
            self._event(child, "exited", f"signal {-code}" if code < 0 else f"exit code {code}")
            if child.kept:
                lived_s = time.monotonic() - child.began_s
                child.brief_lives = child.brief_lives + 1 if lived_s < BRIEF_S else 0
                child.due_s = time.monotonic() + min(MOST_PAUSE_S, TICK_S * 2**child.brief_lives)

    def _hold_ports(self, child: Child) -> None:
        child.holders = [holder for port in child.ports if (holder := _hold(port, lingering=True))]

    def _start_again(self) -> None:
        for child in self.children.values():
            if child.due_s is not None and time.monotonic() >= child.due_s:
                child.due_s = None
                if "error" in self.do_start(None, child.name):  # a stranger has its port at the moment
                    child.due_s = time.monotonic() + MOST_PAUSE_S

    def _let_go(self, child: Child, port: int) -> bool:
        """Release our hold on `port` just before its owner binds it; False if a stranger has it."""
        for holder in child.holders:
            if holder.getsockname()[1] == port:
                child.holders.remove(holder)
                holder.close()
                return True
        free = _hold(port, lingering=True)
        if free is not None:
            free.close()
        return free is not None

    # -- the end

    def _ask_to_stop(self) -> None:
        self.asked_to_stop = True

    def _finish(self) -> dict[str, Any]:
        """KILL everything and remove every trace: the data go with the cluster, so there is nothing to save.

        An orderly end of all brokers at once is none: the last ones wait in vain for somebody to take their
        partitions over (seen: 5 s in both modes, and minutes with combined KRaft nodes).
        """
        if self.finished is None:
            _signal_all(self.children.values(), signal.SIGKILL)
            for child in self.children.values():
                if child.popen is not None:
                    child.popen.wait()
            for folder in self.mounts:
                with contextlib.suppress(OSError):
                    unmount(folder)
            run_at_end(self.at_end)
            remove_traces(self.runtime, self.name, self.folder)
            self.janitor.dismiss()
            self.finished = {"state": "gone"}
        return self.finished

    def _write_record(self) -> None:
        """The 0600 file by which `attach`, `status` and a later sweep find this cluster."""
        record = {
            **self.facts,
            "name": self.name,
            "folder": str(self.folder),
            "owner_pid": self.owner_pid,
            "supervisor_pid": os.getpid(),
            "at_end": self.at_end,
            "processes": [
                {"name": c.name, "node_id": c.node_id, "pid": c.pid, "stamp": c.stamp, "log_file": c.log}
                for c in self.children.values()
            ],
        }
        write_private(self.runtime / f"{self.name}.json", json.dumps(record))
        bootstrap = self.facts.get("bootstrap_servers")
        if bootstrap:
            exports = {"BOOTSTRAP": bootstrap, **self.facts.get("exports", {})}
            lines = [f"export {name}={shlex.quote(value)}\n" for name, value in exports.items()]
            write_private(self.runtime / f"{self.name}.env", "".join(lines))


def _signal_all(children: Iterable[Child], number: int) -> None:
    for child in children:
        if child.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, number)


def _hold(port: int, *, lingering: bool = False) -> socket.socket | None:
    """Bind `port` on loopback without listening: nobody else can have it, and whoever connects is refused.

    `lingering`: the port was ours a moment ago, so connections of the dead broker may still be in TIME_WAIT. The option
    that tolerates them is taken back after the bind, else a second holder could share the port.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(lingering))
    try:
        holder.bind(("127.0.0.1", port))
    except OSError as error:
        holder.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return holder


def run_at_end(program: dict[str, Any] | None) -> None:
    """Have a backend remove what a cluster has elsewhere. What it says goes to our own output, the supervisor's log."""
    if program is not None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(program["argv"], env=program["env"], stdin=subprocess.DEVNULL, timeout=AT_END_S, check=False)


def remove_traces(runtime: Path, name: str, folder: Path) -> None:
    """Remove a cluster's folder and its files in the runtime folder; the lock file last."""
    shutil.rmtree(folder, ignore_errors=True)
    for suffix in ("json", "json.part", "env", "env.part", "sock", "link", "lock"):
        (runtime / f"{name}.{suffix}").unlink(missing_ok=True)


def sweep_dead(runtime: Path, name: str, folder: Path) -> None:
    """Kill what a dead supervisor left running (same pid *and* same start), and remove its traces."""
    with contextlib.suppress(OSError, ValueError):
        record = json.loads((runtime / f"{name}.json").read_text())
        for process in record.get("processes", []):
            if process["pid"] and is_same_process(process["pid"], process["stamp"]):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process["pid"], signal.SIGKILL)
        run_at_end(record.get("at_end"))
    remove_traces(runtime, name, folder)


def take_lock(runtime: Path, name: str) -> int | None:
    """Lock `name` for as long as this process (and its janitor) lives; None if a living cluster has it."""
    path = runtime / f"{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    with contextlib.suppress(FileNotFoundError):
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            return descriptor
    os.close(descriptor)  # the file was removed under us by a cluster that ended this moment
    return take_lock(runtime, name)


def start_janitor(runtime: Path, name: str, folder: Path) -> Janitor:
    """Fork the janitor. A byte in its pipe means "all is tidy"; the pipe's end, with our own, means "sweep"."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid != 0:
        os.close(read_end)
        return Janitor(pid, write_end)
    os.close(write_end)
    os.setsid()
    for descriptor in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not os.read(read_end, 1):
        sweep_dead(runtime, name, folder)
    os._exit(0)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--runtime", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--owner", type=int, required=True)
    arguments = parser.parse_args()
    os.umask(0o077)
    if take_lock(arguments.runtime, arguments.name) is None:
        print("taken", flush=True)
        return 1
    arguments.folder.mkdir(mode=0o700, exist_ok=True)
    janitor = start_janitor(arguments.runtime, arguments.name, arguments.folder)
    Supervisor(arguments.name, arguments.runtime, arguments.folder, arguments.owner, janitor).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
