"""A crash: the process is gone without a farewell."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_brokers import BreakingBrokers
from labsupport.faults.roles import Role


def killed(*targets: Broker | Role) -> BreakingBrokers:
    """Kill brokers (SIGKILL) for the length of the block, and start them again at its end.

    Nothing is flushed and nobody is told. Their sockets close at once, and yet the cluster believes in them until
    their session ends: `broker.session.timeout.ms` (KRaft, 9,000 ms by default) or `zookeeper.session.timeout.ms`
    (18,000 ms). Raises `BadInput` for what is no broker, `LabError` when one could not be started again.
    """
    return _Killed(targets)


class _Killed(BreakingBrokers):
    kind = "killed"
    mended = "started again"

    def is_broken(self, state: State) -> bool:
        return state == "stopped"

    def damage(self, broker: Broker) -> None:
        broker.kill()

    def mend(self, broker: Broker, found: State) -> None:
        broker.start()
        if found == "paused":
            broker.pause()
