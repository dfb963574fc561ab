"""Started by the supervisor and kept alive by it: tells it how the containers of its cluster are.

    python -m labsupport.cluster.docker.watcher --name NAME --folder FOLDER --cluster CLUSTER

It is the only one that does. After each event of the engine, at its own start and every few seconds it inspects the
containers and reports their states; so an event that was missed is made up for.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labsupport.cluster.docker.names import CLUSTER_LABEL, NODE_LABEL
from labsupport.cluster.supervised import Supervised
from labsupport.core.errors import LabError, NotRunning

if TYPE_CHECKING:
    from docker import DockerClient

EVERY_S = 3.0
ENGINE_GONE_S = 1.0
TOLD = ("start", "die", "pause", "unpause", "oom", "destroy")
ENDED_ITSELF = (129, 130, 143)  # a JVM's own codes after HUP, INT and TERM, which it handles
PROC = Path("/proc")


class Watcher:
    """Reports the containers of one cluster."""

    def __init__(self, supervised: Supervised, client: DockerClient, cluster: str) -> None:
        self._supervised, self._client = supervised, client
        self._label = f"{CLUSTER_LABEL}={cluster}"
        self._lock = threading.Lock()  # what was inspected first must be reported first
        self._nodes: dict[str, str] = {}  # by the id of the container
        self._over = threading.Event()

    def run(self) -> None:
        """Until the supervisor is gone."""
        threading.Thread(target=self._resync, daemon=True).start()
        threading.Thread(target=self._follow, daemon=True).start()
        self._over.wait()

    def _follow(self) -> None:
        from docker.errors import DockerException
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        while not self._over.is_set():
            try:
                for event in self._events():
                    self.look(event["Actor"]["ID"], event["Actor"]["Attributes"].get(NODE_LABEL, ""))
            except (DockerException, RequestException, HTTPError, OSError, ValueError, KeyError) as error:
                print(f"no events: {error!r}", file=sys.stderr, flush=True)
            self._over.wait(ENGINE_GONE_S)

    def _events(self) -> Iterator[dict[str, Any]]:
        events: Iterator[dict[str, Any]] = self._client.events(
            decode=True, filters={"type": "container", "label": [self._label], "event": list(TOLD)}
        )
        return events

    def _resync(self) -> None:
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        while not self._over.is_set():
            try:
                for listed in self._client.api.containers(all=True, filters={"label": [self._label]}):
                    self.look(listed["Id"], listed["Labels"].get(NODE_LABEL, ""))
                for container in list(self._nodes):
                    self.look(container, self._nodes[container])
            except (DockerException, RequestException, OSError) as error:
                print(f"no list: {error!r}", file=sys.stderr, flush=True)
            self._over.wait(EVERY_S)

    def look(self, container: str, node: str) -> None:
        """Inspect one container and report it."""
        from docker.errors import NotFound

        if not node:
            return
        with self._lock:
            try:
                state = self._client.api.inspect_container(container)["State"]
                self._nodes[container] = node
            except NotFound:
                if self._nodes.pop(container, None) is None:
                    return
                state = {"Status": "removed"}
            found = seen(state)
            if found is not None:
                self._report(node, {**found, "pid": pid_here(state.get("Pid", 0), container)})

    def _report(self, node: str, report: Mapping[str, Any]) -> None:
        try:
            self._supervised.ask("seen", name=node, **report)
        except NotRunning:
            self._over.set()
        except LabError as error:
            print(error, file=sys.stderr, flush=True)


def seen(state: Mapping[str, Any]) -> dict[str, object] | None:
    """What the supervisor is told of a container in this state of the engine's; None for one that never started."""
    status = state["Status"]
    if status == "created":
        return None
    if status in ("running", "paused"):
        return {"state": status, "life": state["StartedAt"]}
    return {"state": "stopped", "life": state.get("StartedAt", ""), "detail": ending(state)}


def ending(state: Mapping[str, Any]) -> str:
    """How it ended, in the words of the local backend."""
    if state["Status"] == "removed":
        return "its container was removed"
    if state.get("OOMKilled"):
        return "out of memory"
    code = int(state.get("ExitCode", 0))
    if code > 128 and code not in ENDED_ITSELF:
        return f"signal {code - 128}"
    return f"exit code {code}"


def pid_here(pid: int, container: str) -> int:
    """The process id by which *this* machine knows a container's program; 0 when the engine runs on another one.

    Asked for samples of processor time and memory: nothing is signalled by it.
    """
    with suppress(OSError):
        if pid and container in (PROC / str(pid) / "cgroup").read_text():
            return pid
    return 0


def main() -> int:
    import docker

    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--cluster", required=True)
    arguments = parser.parse_args()
    client = docker.from_env(timeout=60)
    Watcher(Supervised(arguments.name, arguments.folder), client, arguments.cluster).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
