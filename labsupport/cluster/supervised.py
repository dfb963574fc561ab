"""The other end of the supervisor's socket: start a supervisor, ask it for things, find and sweep what died."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from labsupport.core.errors import BadInput, LabError, NotRunning, StartError
from labsupport.core.folders import runtime_folder

MARKER = "KAFKA_LAB_PROCESS_OF"  # in the environment of every process of a cluster: how tests and sweeps find them
SHUTDOWN_S = 330  # a namespace may take minutes to go
SOCKET_PATH_LIMIT = 100  # sun_path holds 104 bytes on macOS, 108 on Linux


@dataclass(frozen=True, kw_only=True)
class ProcessEvent:
    """Something that happened to a process of a cluster; `t_s` is on the one clock, `pid` 0 before its first start."""

    number: int
    t_s: float
    node: str
    node_id: int
    what: str
    detail: str
    pid: int


@dataclass(frozen=True)
class Supervised:
    """A handle to a cluster's supervisor. One connection a request: safe from any thread and after a fork."""

    name: str
    folder: Path

    @property
    def _socket_path(self) -> Path:
        return runtime_folder() / f"{self.name}.sock"

    @classmethod
    def launch(cls, name: str, folder: Path) -> Supervised:
        """Start the supervisor of a new cluster; it ends with this process, unless it is told to outlive it (`disown`).

        Raises `BadInput` when a living cluster has the name, `StartError` when it does not come up.
        """
        runtime = runtime_folder()
        handle = cls(name, folder)
        if len(os.fsencode(handle._socket_path)) > SOCKET_PATH_LIMIT:
            raise LabError(
                f"The folder {runtime} has too long a name for a socket.",
                fix="Set KAFKA_LAB_RUNTIME to a shorter one, for example /tmp/kl.",
            )
        # -P, and the package's own folder by PYTHONPATH: neither the reader's folder nor a startup file can shadow us.
        argv = [sys.executable, "-S", "-P", "-m", "labsupport.cluster.supervisor"]
        argv += ["--name", name, "--runtime", str(runtime), "--folder", str(folder), "--owner", str(os.getpid())]
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={**os.environ, MARKER: name, "PYTHONPATH": str(Path(__file__).parents[2])},
            start_new_session=True,
        )
        assert process.stdout is not None and process.stderr is not None
        word = process.stdout.readline().strip()
        if word == b"taken":
            process.wait()
            raise BadInput(
                f"A cluster named {name} is running.",
                fix=f"Choose another name, use Cluster.attach({name!r}), or end it with `kafka-lab down {name}`.",
            )
        if word != b"ready":
            trouble = process.stderr.read().decode(errors="replace").strip().splitlines()
            raise StartError(
                f"The supervisor of {name} did not start: {trouble[-1] if trouble else 'it said nothing'}."
            )
        process.stdout.close()
        process.stderr.close()
        _supervisors[name] = process  # keeps our end of its pipe open as long as this process lives
        return handle

    def ask(
        self, do: str, *, reply_within_s: float = 10, until_it_ends: bool = False, **arguments: object
    ) -> dict[str, Any]:
        """One request, one answer; `until_it_ends` waits for the supervisor's end, too.

        Raises `NotRunning` when the supervisor is gone, `LabError` with what it refuses.
        """
        request = {"do": do, **arguments}
        try:
            answer = exchange(self._socket_path, request, reply_within_s=reply_within_s, until_it_ends=until_it_ends)
        except (FileNotFoundError, ConnectionError, TimeoutError) as error:
            raise self._gone() from error
        if "error" in answer:
            raise LabError(f"Cluster {self.name}: {answer['error']}.", fix="`kafka-lab status` shows its processes.")
        return answer

    def _gone(self) -> NotRunning:
        return NotRunning(
            f"The cluster {self.name} is not running any more.", fix="Start a new one with Cluster.start()."
        )

    def reserve_ports(self, count: int) -> list[int]:
        """`count` free loopback ports, held by the supervisor until the processes that use them start."""
        return cast(list[int], self.ask("reserve", count=count)["ports"])

    def events(self, after: int, timeout_s: float) -> list[ProcessEvent]:
        """What happened after event number `after`; waits up to `timeout_s` seconds for something to happen."""
        answer = self.ask("events", reply_within_s=timeout_s + 10, after=after, timeout_s=timeout_s)
        return [ProcessEvent(**event) for event in answer["events"]]

    def states(self) -> Mapping[str, str]:
        """The state of each process by its name."""
        return {child["name"]: child["state"] for child in self.ask("status")["children"]}

    def disown(self) -> None:
        """Let the cluster outlive this process, until somebody shuts it down."""
        self.ask("disown")

    def shutdown(self) -> None:
        """Kill all processes and remove the folder; no error when that is done already."""
        with suppress(NotRunning):
            self.ask("shutdown", reply_within_s=SHUTDOWN_S, until_it_ends=True)
        process = _supervisors.pop(self.name, None)
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)


def exchange(
    path: Path, request: Mapping[str, object], *, reply_within_s: float = 10, until_it_ends: bool = False
) -> dict[str, Any]:
    """One JSON line to the Unix socket at `path`, and one back; `until_it_ends` waits for the other's end, too.

    Raises `FileNotFoundError`, `ConnectionError` or `TimeoutError` when nobody answers.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(reply_within_s)
        connection.connect(str(path))
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as replies:
            line = replies.readline()
            if until_it_ends:
                replies.read()
    if not line:
        raise ConnectionResetError(f"{path} was closed without an answer")
    return cast(dict[str, Any], json.loads(line))


_supervisors: dict[str, subprocess.Popen[bytes]] = {}
