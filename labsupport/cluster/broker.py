"""What every backend's broker can do, and what only some can."""

from __future__ import annotations

from enum import Enum
from typing import Literal, Protocol

from labsupport.cluster.links import Links
from labsupport.core.journal import Journal

State = Literal["starting", "running", "paused", "stopped"]


class Capability(Enum):
    """What a backend may or may not offer; a page declares what it needs."""

    PAUSE = "brokers can be frozen and thawed"
    FILES = "a broker's log files can be read"
    JMX = "a broker's JMX port can be reached"
    ZOOKEEPER = "clusters can be coordinated by ZooKeeper"
    SEVERAL_LOG_DIRS = "a broker can have several log folders"
    RACKS = "brokers can be told their rack"
    LINKS = "links between clients and nodes can be cut, slowed and silenced"


class Broker(Protocol):
    """One node of a cluster: a broker, a separate KRaft controller or a ZooKeeper server. No paths, pids or signals."""

    @property
    def node_id(self) -> int: ...

    @property
    def name(self) -> str:
        """`broker-1`, `controller-101`, `zookeeper-1`."""

    @property
    def roles(self) -> frozenset[str]:
        """Of "broker", "controller", "zookeeper"; a combined KRaft node is both of the first two."""

    @property
    def address(self) -> str:
        """`host:port` where clients reach it."""

    @property
    def state(self) -> State: ...

    @property
    def supports(self) -> frozenset[Capability]: ...

    @property
    def journal(self) -> Journal:
        """Where what happens to this broker is written down."""

    @property
    def links(self) -> Links:
        """The links of its cluster. Raises `BadInput` when it was started without `links=True`."""

    def start(self, *, timeout_s: float = 60) -> None:
        """Return when it serves requests and knows the living brokers; nothing happens when it runs already."""

    def stop(self) -> None:
        """Controlled shutdown: leadership moves first. Returns when the process has ended."""

    def kill(self) -> None:
        """No farewell (SIGKILL). Returns when the process has ended."""

    def pause(self) -> None:
        """Freeze it: its sockets stay open and nobody answers."""

    def resume(self) -> None:
        """Thaw it."""

    def restart(self) -> None:
        """`stop`, then `start`."""

    def log(self, tail: int = 20) -> str:
        """The last lines of its log."""

    def files(self, topic: str, partition: int) -> list[str]:
        """The files of a partition's log on this broker, segments and indexes, as names for `read`."""

    def sizes(self, topic: str, partition: int) -> dict[str, int]:
        """The same files with their sizes in bytes, without reading them."""

    def read(self, file: str) -> bytes:
        """The bytes of a file that `files` named."""
