"""A broker that is there and does not answer: a long garbage collection, a frozen virtual machine."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, Capability, State
from labsupport.core.errors import BadInput
from labsupport.faults.breaking_brokers import BreakingBrokers
from labsupport.faults.roles import Role


def paused(*targets: Broker | Role) -> BreakingBrokers:
    """Freeze brokers (SIGSTOP) for the length of the block: their sockets stay open and nobody answers.

    The cluster gives such a broker up after `broker.session.timeout.ms` (KRaft, 9,000 ms by default) or
    `zookeeper.session.timeout.ms` (18,000 ms); clients wait for their own time-outs. Raises `BadInput` for what is no
    broker, is not running, or cannot be frozen on its backend.
    """
    return _Paused(targets)


class _Paused(BreakingBrokers):
    kind = "paused"
    mended = "resumed"

    def is_broken(self, state: State) -> bool:
        return state == "paused"

    def check(self, broker: Broker) -> None:
        if Capability.PAUSE not in broker.supports:
            raise BadInput(f"{broker.name} cannot be frozen where it runs.", fix="Use faults.killed instead.")

    def damage(self, broker: Broker) -> None:
        broker.pause()

    def mend(self, broker: Broker, found: State) -> None:
        if broker.state == "paused":  # stopped or killed within the block, it has nothing left to thaw
            broker.resume()
