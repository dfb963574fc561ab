"""Find the processes of a cluster as a stranger would: by the marker in their environment, not by their name."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import psutil

from labsupport.cluster import registry
from labsupport.cluster.supervised import MARKER
from labsupport.core.folders import runtime_folder
from labsupport.core.wait import wait_until


def processes_of(cluster: str) -> list[int]:
    """Pids of all living processes whose environment names `cluster`: JVMs, supervisor, janitor."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARKER) == cluster and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return [pid for pid in found if pid != os.getpid()]


def folders_of(cluster: str) -> list[Path]:
    """What a cluster has on disk: its data folder, and its files in the runtime folder."""
    data = Path(tempfile.gettempdir()).glob(f"kafka-lab-{cluster}-*")
    return [*data, *runtime_folder().glob(f"{cluster}.*")]


def nothing_left(cluster: str) -> bool:
    """Whether there is no process and no file of `cluster` any more."""
    return not processes_of(cluster) and not folders_of(cluster)


def wait_until_gone(cluster: str) -> None:
    """Return when nothing of `cluster` is left: who ended it last needs a moment to end itself."""
    wait_until(lambda: nothing_left(cluster), 10, because=f"nothing of {cluster} to be left")


def kill_keepers(cluster: str, owner: int) -> None:
    """Kill supervisor and janitor, which tidy up, and all that runs here for a cluster but its owner."""
    supervisor = registry.find(cluster)["supervisor_pid"]
    kill(*(set(processes_of(cluster)) - {supervisor, owner}), supervisor)


def kill(*pids: int) -> None:
    """Kill processes in this order, the janitor before its supervisor, and wait until all have let go of their locks.

    A process that ends has no environment for `processes_of` a moment before it closes its files.
    """
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(_has_files(pid) for pid in pids), 10, because="the processes to be gone")


def _has_files(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False
