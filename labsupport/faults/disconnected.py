"""A broker whose network is gone: a pulled cable, a switch that died."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, Capability, State
from labsupport.core.errors import BadInput
from labsupport.faults.breaking_brokers import BreakingBrokers
from labsupport.faults.roles import Role


def disconnected(*targets: Broker | Role) -> BreakingBrokers:
    """Take brokers off their network for the length of the block: they run, reach nobody, and nobody reaches them.

    Unlike `paused`, the broker goes on working and notices that it is alone. The cluster gives it up after
    `broker.session.timeout.ms` (KRaft, 9,000 ms by default) or `zookeeper.session.timeout.ms` (18,000 ms). Raises
    `BadInput` for what is no broker, is not running, or cannot be taken off its network on its backend.
    """
    return _Disconnected(targets)


class _Disconnected(BreakingBrokers):
    kind = "disconnected"
    mended = "connected again"

    def is_broken(self, state: State) -> bool:
        return False  # a state does not tell; `_brokers` does

    def _brokers(self) -> list[Broker]:
        brokers = super()._brokers()
        for broker in brokers:
            self.check(broker)
        return [broker for broker in brokers if broker.connected]

    def check(self, broker: Broker) -> None:
        if Capability.NETWORK not in broker.supports:
            raise BadInput(
                f"{broker.name} cannot be taken off its network where it runs.",
                fix="Use faults.link_cut with Cluster.start(links=True), or backend='docker'.",
            )
        if broker.state == "stopped":
            raise BadInput(f"{broker.name} is not running, so it cannot be disconnected.", fix="Start it first.")

    def damage(self, broker: Broker) -> None:
        broker.disconnect()

    def mend(self, broker: Broker, found: State) -> None:
        broker.reconnect()
