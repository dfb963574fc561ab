"""No space left on device: the most ordinary end of a broker."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_brokers import BreakingBrokers
from labsupport.faults.roles import Role


def disk_full(*targets: Broker | Role, log_dir: int = 0) -> BreakingBrokers:
    """Fill the file system of one log folder of each broker for the length of the block.

    Nothing happens until something is written there. Then the write fails, and Kafka gives the whole folder up: its
    replicas go offline, their partitions get other leaders, and the folder is not touched again before the broker is
    restarted. A broker whose last folder fails ends itself; so does a KRaft node that cannot write its metadata log
    (`metadata.log.dir`, the first folder unless set). Retention (`log.retention.bytes`, `log.retention.ms`) is what
    should prevent this; it removes whole segments (`log.segment.bytes`, 1 GB by default), never the active one.

    At the end of the block the space is given back, and the broker restarted. Needs `Cluster.start(log_dir_mb=…)`: a
    file system of our own, since this machine's disk is not for filling. Raises `BadInput` without.
    """
    return _DiskFull(targets, log_dir)


class _DiskFull(BreakingBrokers):
    kind = "disk full"
    mended = "given its space back"

    def __init__(self, targets: tuple[Broker | Role, ...], log_dir: int) -> None:
        super().__init__(targets)
        self._log_dir = log_dir

    def check(self, broker: Broker) -> None:
        broker.disk.check_fill(self._log_dir)

    def is_broken(self, state: State) -> bool:
        return False

    def damage(self, broker: Broker) -> None:
        broker.disk.fill(self._log_dir)

    def mend(self, broker: Broker, found: State) -> None:
        broker.disk.free(self._log_dir)
        start_again(broker, found)


def start_again(broker: Broker, found: State) -> None:
    """Restart it, as Kafka needs that to take a log folder up again, or leave it stopped if it was found so."""
    if found == "stopped":
        return
    broker.stop()
    broker.start()
    if found == "paused":
        broker.pause()
