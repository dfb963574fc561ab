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
    DISK = "log folders can be filled, lost and torn"
    LINKS = "links between clients and nodes can be cut, slowed and silenced"
    NETWORK = "a node can be taken off its network"
    PODS = "nodes are pods of Kubernetes"


class Disk(Protocol):
    """The log folders of a broker, numbered from 0, and what can happen to them.

    Each deed is refused with `BadInput` before anything is done; its `check_…` refuses the same, and does nothing.
    """

    def check_fill(self, log_dir: int) -> None: ...

    def check_take_away(self, log_dir: int) -> None: ...

    def check_tear(self, topic: str, partition: int) -> None: ...

    def fill(self, log_dir: int) -> None:
        """Leave no free block on a folder's file system. Refused without `Cluster.start(log_dir_mb=…)`."""

    def free(self, log_dir: int) -> None:
        """Give the space back."""

    def take_away(self, log_dir: int) -> None:
        """Take a folder away under a running broker: whoever opens a file there finds nothing."""

    def bring_back(self, log_dir: int) -> None:
        """Bring it back as it was; no error when it is there."""

    def tear(self, topic: str, partition: int, *, zeros: bool) -> None:
        """Cut the last batch of a partition's active segment in half, or append zeros. For a broker that does not run.

        Refused when the broker has no record there.
        """


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

    @property
    def disk(self) -> Disk:
        """Its log folders. Raises `BadInput` where they cannot be broken."""

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

    @property
    def connected(self) -> bool:
        """Whether it is on its network; only a backend with `Capability.NETWORK` can say no."""

    def disconnect(self) -> None:
        """Take it off its network: nobody reaches it, and it reaches nobody."""

    def reconnect(self) -> None:
        """Put it back, under the same name and port."""

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
