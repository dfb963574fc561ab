"""Programs that belong to a running cluster and are no nodes of it, such as the consumer that a lab is about.

The cluster's supervisor runs them: they have no terminal, no kernel's interrupt reaches them, and they end with the
cluster. Their output goes to a file in the cluster's folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labsupport.cluster import registry
from labsupport.cluster.supervised import MARKER, Supervised
from labsupport.core.errors import BadInput, LabError
from labsupport.core.escape import printable

SERVICE = -1  # in place of a node id
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Service:
    """A handle to one program; every method asks the supervisor anew. Raises `NotRunning` when the cluster is gone."""

    name: str
    supervised: Supervised

    @property
    def state(self) -> str:
        """`running` or `stopped`."""
        return "stopped" if self.supervised.states()[self.name] == "stopped" else "running"

    def start(self) -> None:
        """Start it; nothing happens when it runs already."""
        self.supervised.ask("start", name=self.name)

    def stop(self, *, patience_s: float = 10) -> None:
        """Ask it to end (SIGTERM), and end it when it does not within `patience_s` seconds."""
        for signal_name in ("TERM", "KILL"):
            if self.state == "stopped":
                return
            self.supervised.ask("signal", name=self.name, signal_name=signal_name)
            self.supervised.ask(
                "wait_for", reply_within_s=patience_s + 5, name=self.name, states=["stopped"], timeout_s=patience_s
            )

    def log(self, tail: int = 20) -> str:
        """The last lines of its output."""
        try:
            text = log_file(self.supervised, self.name).read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-tail:])


def log_file(supervised: Supervised, name: str) -> Path:
    """Where the output of a service goes."""
    return supervised.folder / f"{name}.log"


def define(cluster: str, name: str, argv: Sequence[str]) -> Service:
    """Tell a running cluster of a program, which is not started yet; $BOOTSTRAP will name the cluster's brokers.

    What an earlier program of that name had written is gone.
    """
    record = registry.find(cluster)
    supervised = Supervised(record["name"], Path(record["folder"]))
    log_file(supervised, name).unlink(missing_ok=True)
    kept = {variable: os.environ[variable] for variable in _KEPT if variable in os.environ}
    supervised.ask(
        "define",
        name=name,
        node_id=SERVICE,
        argv=list(argv),
        env={**kept, MARKER: record["name"], "BOOTSTRAP": record["bootstrap_servers"], "PYTHONUNBUFFERED": "1"},
        cwd=record["folder"],
        log=str(log_file(supervised, name)),
        ports=[],
        told=False,
    )
    return Service(name, supervised)


def services(cluster: str | None = None) -> list[Service]:
    """All services of a running cluster; its name may be left out when exactly one runs. Raises `NotRunning`."""
    record = registry.find(cluster)
    supervised = Supervised(record["name"], Path(record["folder"]))
    return [Service(row["name"], supervised) for row in record["processes"] if row["node_id"] == SERVICE]


def service(name: str, cluster: str | None = None) -> Service:
    """The service of that name. Raises `LabError` when the cluster has none, `BadInput` when it has others."""
    known = services(cluster)
    for one in known:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in known)
    if not names:
        raise LabError("No service belongs to the running cluster.", fix="A lab that has one says so.")
    raise BadInput(f"There is no service {printable(name)}.", fix=f"There are: {names}.")
