"""What the nodes of every backend have in common: who they are, how they are started, ended and asked."""

from __future__ import annotations

import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from labsupport.clients.connection import Connection
from labsupport.clients.metadata import ClusterMetadata, MetadataReader, NoAnswer
from labsupport.cluster.broker import Capability, Disk, State
from labsupport.cluster.links import Links
from labsupport.cluster.supervised import Supervised
from labsupport.cluster.zookeeper import four_letter_word, has_session
from labsupport.core.errors import BadInput, StartError
from labsupport.core.escape import printable
from labsupport.core.journal import Journal, NullJournal
from labsupport.core.wait import wait_until

OLD_SESSION_TIMEOUT_S = 60  # the longest session time-out that ZooKeeper grants at tickTime 2000 is 40 s


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """What must be remembered of a node to handle it from another process. Backends add their own.

    `address` is where clients reach it, `direct` where the lab's own looks go (with a link proxy between, that
    differs). Both are `host:port` on this machine. `log_dirs` as the node itself sees them.
    """

    name: str
    node_id: int
    roles: frozenset[str]
    address: str
    direct: str
    log_dirs: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {**vars(self), "roles": sorted(self.roles), "log_dirs": list(self.log_dirs)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """Back from `as_data`."""
        return cls(**{**data, "roles": frozenset(data["roles"]), "log_dirs": tuple(data["log_dirs"])})


def last_words_of(log: str) -> str:
    """The last lines of a log that are no stack trace, safe to show."""
    lines = [line for line in log.splitlines() if not line.startswith(("\tat ", "\t..."))]
    return "\n".join(printable(line, limit=400) for line in lines[-5:])


@dataclass
class Node(ABC):
    """One node, whose life the cluster's supervisor knows. See `broker.Broker` for what each method promises."""

    facts: NodeFacts
    supervised: Supervised
    zookeeper: tuple[str, ...] = ()
    linked: Links | None = None
    journal: Journal = field(default_factory=NullJournal)
    can: ClassVar[frozenset[Capability]] = frozenset()

    # -- what each backend does in its own way

    @abstractmethod
    def begin(self) -> None:
        """Have the process start, without waiting for it."""

    @abstractmethod
    def end(self, *, gently: bool, timeout_s: float) -> None:
        """Have the process end, SIGTERM or SIGKILL; return when it has, raise `LabError` when it does not."""

    @abstractmethod
    def freeze(self) -> None:
        """As SIGSTOP does."""

    @abstractmethod
    def thaw(self) -> None:
        """As SIGCONT does."""

    @abstractmethod
    def log(self, tail: int = 20) -> str:
        """The last lines of its log."""

    @abstractmethod
    def sizes(self, topic: str, partition: int) -> dict[str, int]:
        """The files of a partition's log on this broker with their sizes in bytes."""

    @abstractmethod
    def read_file(self, path: str) -> bytes:
        """The bytes of a file below one of the log folders. Raises `FileNotFoundError`."""

    @property
    def disk(self) -> Disk:
        """What can happen to its log folders."""
        raise BadInput(f"The log folders of {self.name} cannot be broken where it runs.", fix="Use backend='local'.")

    @property
    def connected(self) -> bool:
        return True

    def disconnect(self) -> None:
        raise self._stays_on_its_network()

    def reconnect(self) -> None:
        raise self._stays_on_its_network()

    def _stays_on_its_network(self) -> BadInput:
        return BadInput(
            f"{self.name} cannot be taken off its network where it runs.",
            fix="Use faults.link_cut with Cluster.start(links=True), or backend='docker'.",
        )

    # -- who it is

    def __repr__(self) -> str:
        return f"<{self.name} ({', '.join(sorted(self.roles))})>"

    @property
    def node_id(self) -> int:
        return self.facts.node_id

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def roles(self) -> frozenset[str]:
        return self.facts.roles

    @property
    def address(self) -> str:
        return self.facts.address

    @property
    def supports(self) -> frozenset[Capability]:
        return self.can if self.linked is not None else self.can - {Capability.LINKS}

    @property
    def links(self) -> Links:
        if self.linked is None:
            raise BadInput(
                f"The cluster of {self.name} was started without links.", fix="Use Cluster.start(links=True)."
            )
        return self.linked

    # -- how it is

    @property
    def state(self) -> State:
        return self.supervised.states()[self.name]  # type: ignore[return-value]

    @cached_property
    def _reader(self) -> MetadataReader:
        return MetadataReader(Connection(bootstrap_servers=self.facts.direct), timeout_s=1)

    def metadata(self) -> ClusterMetadata:
        """What this very broker says of the cluster; another may know more or less for a moment. Raises `NoAnswer`.

        The lab's own look goes around the link proxy: a link that is cut for clients does not blind it.
        """
        return self._reader.read()

    def last_words(self) -> str:
        """The last lines of the log that are no stack trace."""
        return last_words_of(self.log(200))

    # -- beginning and end

    def start(self, *, timeout_s: float = 60) -> None:
        if self.state == "paused":
            self.resume()
        if self.state == "stopped":
            self.launch()
        if self.state != "running":
            self.wait_until_ready(timeout_s=timeout_s)

    def launch(self) -> None:
        """Start the process without waiting for it; under ZooKeeper, once its dead session is gone."""
        if "broker" in self.roles and self.zookeeper:
            self._wait_for_the_old_session()
        self.begin()

    def _wait_for_the_old_session(self) -> None:
        """A broker is refused while the ephemeral node of its dead session lives (18 s by default)."""
        if not has_session(self.zookeeper, self.node_id):
            return
        self.supervised.ask("note", name=self.name, what="waiting", detail="its old ZooKeeper session has to expire")
        wait_until(
            lambda: not has_session(self.zookeeper, self.node_id),
            OLD_SESSION_TIMEOUT_S,
            because=f"the old session of {self.name} to expire",
        )

    def wait_until_ready(self, *, timeout_s: float = 60, known: int = 1) -> None:
        """Wait until it serves requests, and a broker lists itself and at least `known` brokers."""
        wait_until(
            self._probe(known),
            timeout_s,
            because=f"{self.name} to be ready",
            alive=self.raise_if_dead,
            evidence=self.last_words,
            poll_s=0.02,
        )
        self.supervised.ask("note", name=self.name, what="ready")

    def _probe(self, known: int) -> Callable[[], bool]:
        if "zookeeper" in self.roles:
            return lambda: "Mode:" in four_letter_word(self.facts.direct, "srvr")
        if "broker" not in self.roles:
            return self.is_listening
        return lambda: self._listed(known)

    def is_listening(self) -> bool:
        """Whether its port takes connections."""
        host, _, port = self.facts.direct.rpartition(":")
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return True
        return False

    def _listed(self, known: int) -> bool:
        try:
            brokers = self.metadata().brokers
        except NoAnswer:
            return False
        return self.node_id in brokers and len(brokers) >= known

    def raise_if_dead(self) -> None:
        """Raise `StartError` with the end of the log when the process is not running."""
        if self.state == "stopped":
            raise StartError(f"{self.name} ended while it was starting.", fix=f"Its log says why:\n{self.last_words()}")

    def stop(self) -> None:
        if self.state == "paused":
            self.resume()
        if self.state != "stopped":
            self.end(gently=True, timeout_s=30)

    def kill(self) -> None:
        if self.state != "stopped":
            self.end(gently=False, timeout_s=10)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        self._refuse_when_stopped("paused")
        if Capability.PAUSE not in self.can:
            raise BadInput(f"{self.name} cannot be frozen where it runs.", fix="Kill it instead.")
        self.freeze()

    def resume(self) -> None:
        self._refuse_when_stopped("resumed")
        self.thaw()

    def _refuse_when_stopped(self, wish: str) -> None:
        if self.state == "stopped":
            raise BadInput(f"{self.name} is not running, so it cannot be {wish}.", fix="Start it first.")

    def wait_for_state(self, *states: State, timeout_s: float) -> State:
        """Wait until the supervisor knows of one of the states; returns what it knows then or at the deadline."""
        answer = self.supervised.ask(
            "wait_for", reply_within_s=timeout_s + 5, name=self.name, states=states, timeout_s=timeout_s
        )
        return answer["state"]  # type: ignore[no-any-return]

    # -- its files

    def files(self, topic: str, partition: int) -> list[str]:
        return sorted(self.sizes(topic, partition))

    def read(self, file: str) -> bytes:
        path = os.path.normpath(file)
        if not any(path.startswith(f"{Path(folder).name}/") for folder in self.facts.log_dirs):
            raise BadInput(f"{file!r} is no log file of {self.name}.", fix="Use a name that files() gave.")
        try:
            return self.read_file(path)
        except FileNotFoundError:
            raise BadInput(f"{self.name} has no file {file!r} (any more).", fix="Ask files() again.") from None


def checked_topic(topic: str) -> str:
    """A topic's name that means nothing else to a shell or a glob. Raises `BadInput`."""
    if not topic or not all((c.isalnum() and c.isascii()) or c in "._-" for c in topic):
        raise BadInput(f"{topic!r} is no topic name.", fix="Topic names hold letters, digits, '.', '_' and '-'.")
    return topic
