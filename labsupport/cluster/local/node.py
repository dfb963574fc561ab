"""A node of the local backend: one JVM, held by the supervisor."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from labsupport.cluster.broker import Capability
from labsupport.cluster.local.disk import LocalDisk
from labsupport.cluster.node import Node, NodeFacts, checked_topic
from labsupport.core.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class LocalFacts(NodeFacts):
    """`home` is the node's folder, which holds its log folders.

    `seen_under`: where the file systems of the cluster are seen, if they have small ones of their own (`mounts.py`).
    """

    home: str
    jmx_port: int = 0
    seen_under: str = ""

    def outside(self, path: str) -> Path:
        """A path of the node's, as a process outside of the cluster's mount namespace sees it."""
        return Path(f"{self.seen_under}{path}")


@dataclass(repr=False)
class LocalNode(Node):
    """See `broker.Broker` for what each method promises."""

    facts: LocalFacts
    can: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.NETWORK, Capability.PODS}

    @property
    def log_file(self) -> Path:
        """Where its standard output goes. The local backend's own; not part of `Broker`."""
        return Path(self.facts.home) / "log"

    @property
    def disk(self) -> LocalDisk:
        """What can happen to its log folders."""
        if "broker" not in self.roles:
            raise BadInput(f"{self.name} is no broker.", fix="Name a broker: cluster.broker(1).")
        folders = tuple(self.facts.outside(folder) for folder in self.facts.log_dirs)
        return LocalDisk(self.name, folders, small=bool(self.facts.seen_under))

    def begin(self) -> None:
        self.supervised.ask("start", name=self.name)

    def end(self, *, gently: bool, timeout_s: float) -> None:
        self._signal("TERM" if gently else "KILL")
        if self.wait_for_state("stopped", timeout_s=timeout_s) != "stopped":
            self._signal("KILL")  # a combined KRaft node can hang in its own shutdown
            self.wait_for_state("stopped", timeout_s=timeout_s)

    def freeze(self) -> None:
        self._signal("STOP")

    def thaw(self) -> None:
        self._signal("CONT")

    def _signal(self, name: str) -> None:
        self.supervised.ask("signal", name=self.name, signal_name=name)

    def log(self, tail: int = 20) -> str:
        try:
            text = self.log_file.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-tail:])

    @property
    def _home(self) -> Path:
        return self.facts.outside(self.facts.home)

    def sizes(self, topic: str, partition: int) -> dict[str, int]:
        found: dict[str, int] = {}
        for folder in map(self.facts.outside, self.facts.log_dirs):
            for file in folder.glob(f"{checked_topic(topic)}-{int(partition)}/*"):
                with suppress(FileNotFoundError):  # deleted meanwhile
                    if file.is_file():
                        found[str(file.relative_to(self._home))] = file.stat().st_size
        return found

    def read_file(self, path: str) -> bytes:
        return (self._home / path).read_bytes()
