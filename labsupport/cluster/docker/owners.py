"""Whose a container is: the supervisor's process, in words that only that process matches on this machine.

For what no record tells of any more (a runtime folder that was emptied, a machine that was started anew): each start
removes the clusters whose supervisor is dead. Those of other machines that share an engine are left alone.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from labsupport.cluster.docker.engine import engine, told_plainly
from labsupport.cluster.docker.names import CLUSTER_LABEL, OWNER_LABEL
from labsupport.cluster.docker.reaper import remove_all
from labsupport.core.processes import is_same_process, start_stamp


def label(pid: int) -> str:
    """The owner as a label: machine, process id, the moment of its start."""
    return f"{_machine()} {pid} {start_stamp(pid)}"


def is_dead(owner: str) -> bool:
    """Whether an owner was a process of this machine and is gone."""
    machine, _, rest = owner.partition(" ")
    pid, _, stamp = rest.partition(" ")
    return machine == _machine() and pid.isdecimal() and not is_same_process(int(pid), stamp)


def sweep() -> list[str]:
    """Remove what belongs to dead owners; returns the names of their clusters."""
    with told_plainly("The engine does not tell what it has"):
        filters = {"label": OWNER_LABEL}
        found = [c["Labels"] for c in engine().api.containers(all=True, filters=filters)]
        found += [n["Labels"] for n in engine().api.networks(filters=filters)]
        dead = sorted({labels[CLUSTER_LABEL] for labels in found if is_dead(labels[OWNER_LABEL])})
        for cluster in dead:
            remove_all(engine(), f"{CLUSTER_LABEL}={cluster}")
    return dead


def _machine() -> str:
    """Its name, and the namespace in which its process ids mean something."""
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()}/{namespace}"
