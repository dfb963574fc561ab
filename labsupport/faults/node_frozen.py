"""A Kubernetes node that is there and does not answer: a hung hypervisor, a machine that swaps."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_pods import BreakingMachines, as_pod, put_back
from labsupport.faults.roles import Role


def node_frozen(*targets: Broker | Role) -> BreakingMachines:
    """Freeze the Kubernetes nodes on which brokers are, for the length of the block: connections stay, nobody answers.

    Kubernetes takes such a node for lost after `node-monitor-grace-period` (50 s by default, 16 s in our kind.yaml) and
    marks its pods for deletion after their toleration of 300 s (10 s in ours). A StatefulSet makes no other pod
    before the first is known to be gone, which only that node could say: so the broker stays away until the end of
    the block. Kafka does not wait for any of this: it gives the broker up after its own session time-out.

    Only where the nodes are kind's, on this machine; raises `BadInput` elsewhere.
    """
    return _NodeFrozen(targets)


class _NodeFrozen(BreakingMachines):
    kind = "node frozen"
    mended = "thawed"

    def check(self, broker: Broker) -> None:
        super().check(broker)
        from labsupport.cluster.kubernetes.actions import check_machine_is_ours

        check_machine_is_ours(as_pod(broker))

    def damage(self, broker: Broker) -> None:
        from labsupport.cluster.kubernetes.actions import freeze_machine

        freeze_machine(self.machine(broker))

    def mend(self, broker: Broker, found: State) -> None:
        from labsupport.cluster.kubernetes.actions import thaw_machine, wait_for_machine, wait_until_back

        thaw_machine(self.machine(broker))
        wait_for_machine(as_pod(broker), self.machine(broker), ready=True)
        wait_until_back(as_pod(broker))
        put_back(broker, found)
