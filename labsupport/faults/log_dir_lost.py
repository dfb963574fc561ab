"""One disk of several is gone: what JBOD is about."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_brokers import BreakingBrokers
from labsupport.faults.disk_full import start_again
from labsupport.faults.roles import Role


def log_dir_lost(broker: Broker | Role, log_dir: int) -> BreakingBrokers:
    """Take one log folder away under a running broker for the length of the block.

    Like a disk that has dropped off its bus: files that are open can still be written, everything else fails. Kafka
    finds out when it next opens a file there, at the latest when it writes the checkpoints of the high watermarks
    (`replica.high.watermark.checkpoint.interval.ms`, 5,000 ms by default). It then gives the folder up: its replicas go
    offline, their partitions get other leaders, and the other folders go on serving (KIP-112; in KRaft KIP-858: the
    broker tells the controller which of its `log.dirs` failed). The first folder holds a KRaft node's metadata log as
    well, unless `metadata.log.dir` names another: without it the node ends itself.

    At the end of the block the folder is there again, and the broker restarted, as Kafka needs that to use it again.
    Raises `BadInput` for a folder that the broker does not have.
    """
    return _LogDirLost((broker,), log_dir)


class _LogDirLost(BreakingBrokers):
    kind = "log dir lost"
    mended = "given its log folder back"

    def __init__(self, targets: tuple[Broker | Role, ...], log_dir: int) -> None:
        super().__init__(targets)
        self._log_dir = log_dir

    def check(self, broker: Broker) -> None:
        broker.disk.check_take_away(self._log_dir)

    def is_broken(self, state: State) -> bool:
        return False

    def damage(self, broker: Broker) -> None:
        broker.disk.take_away(self._log_dir)

    def mend(self, broker: Broker, found: State) -> None:
        broker.disk.bring_back(self._log_dir)
        start_again(broker, found)
