"""A power cut in the middle of a write: the end of a segment is not what was sent."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.cluster.topic import Topic
from labsupport.core.errors import BadInput
from labsupport.faults.breaking_brokers import BreakingBrokers
from labsupport.faults.roles import Role


def tail_torn(broker: Broker | Role, topic: Topic | str, partition: int = 0, *, zeros: bool = False) -> BreakingBrokers:
    """Kill a broker and tear the end of a partition's active segment; start it again at the end of the block.

    The last batch is cut in half, or (`zeros`) followed by zeros, as a journaling file system leaves a file whose
    length was written and whose blocks were not. `killed` alone tears nothing: what a process has written, the kernel
    keeps.

    After an unclean end Kafka reads all segments from the recovery point on, checks each batch, and cuts the log where
    the first bad one begins (its log: "Corruption found in segment …, truncating to offset …"). A follower fetches what
    it lacks from the leader. A broker that leads without anybody else in sync has nobody to ask: what was acknowledged
    there is lost. Kafka leaves durability to replication, and `flush.messages` and `flush.ms` at never.

    Raises `BadInput` for a broker that does not run or has no record of the partition.
    """
    return _TailTorn((broker,), str(topic), partition, zeros)


class _TailTorn(BreakingBrokers):
    kind = "tail torn"
    mended = "started again"

    def __init__(self, targets: tuple[Broker | Role, ...], topic: str, partition: int, zeros: bool) -> None:
        super().__init__(targets)
        self._topic, self._partition, self._zeros = topic, partition, zeros

    def check(self, broker: Broker) -> None:
        if broker.state == "stopped":
            raise BadInput(
                f"{broker.name} is stopped, and after an orderly end Kafka would not look for torn records.",
                fix="Start it first.",
            )
        broker.disk.check_tear(self._topic, self._partition)

    def is_broken(self, state: State) -> bool:
        return False

    def damage(self, broker: Broker) -> None:
        broker.kill()
        broker.disk.tear(self._topic, self._partition, zeros=self._zeros)

    def mend(self, broker: Broker, found: State) -> None:
        broker.start()
        if found == "paused":
            broker.pause()
