"""An orderly end: what a rolling restart does to each broker."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_brokers import BreakingBrokers
from labsupport.faults.roles import Role


def stopped(*targets: Broker | Role) -> BreakingBrokers:
    """Stop brokers (SIGTERM) for the length of the block, and start them again at its end.

    A broker hands over its leaderships and leaves the ISRs before its process ends (`controlled.shutdown.enable`, true
    by default), so clients hardly notice. Several are stopped one after the other. Raises `BadInput` for what is no
    broker, `LabError` when one could not be started again.
    """
    return _Stopped(targets)


class _Stopped(BreakingBrokers):
    kind = "stopped"
    mended = "started again"

    def is_broken(self, state: State) -> bool:
        return state == "stopped"

    def damage(self, broker: Broker) -> None:
        broker.stop()

    def mend(self, broker: Broker, found: State) -> None:
        broker.start()
        if found == "paused":
            broker.pause()
