"""A Kubernetes node that is switched off: a dead power supply, a spot instance that was taken back."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_pods import BreakingMachines, as_pod, put_back
from labsupport.faults.roles import Role


def node_gone(*targets: Broker | Role) -> BreakingMachines:
    """Cut the power of the Kubernetes nodes on which brokers are, for the length of the block.

    Connections to what ran there are refused or time out at once. Kubernetes finds out as with `node_frozen`, and as
    there a StatefulSet makes no other pod before somebody says that the first is gone. At the end of the block the
    node is started, and its pods with it, on their old volumes.

    Only where the nodes are kind's, on this machine; raises `BadInput` elsewhere.
    """
    return _NodeGone(targets)


class _NodeGone(BreakingMachines):
    kind = "node gone"
    mended = "switched on again"

    def check(self, broker: Broker) -> None:
        super().check(broker)
        from labsupport.cluster.kubernetes.actions import check_machine_is_ours

        check_machine_is_ours(as_pod(broker))

    def damage(self, broker: Broker) -> None:
        from labsupport.cluster.kubernetes.actions import stop_machine

        stop_machine(self.machine(broker))

    def mend(self, broker: Broker, found: State) -> None:
        from labsupport.cluster.kubernetes.actions import start_machine, wait_for_machine, wait_until_back

        start_machine(self.machine(broker))
        wait_for_machine(as_pod(broker), self.machine(broker), ready=True)
        wait_until_back(as_pod(broker))
        put_back(broker, found)
