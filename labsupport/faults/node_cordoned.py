"""A Kubernetes node that takes no new pods."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_pods import BreakingMachines, as_pod
from labsupport.faults.roles import Role


def node_cordoned(*targets: Broker | Role) -> BreakingMachines:
    """Cordon the Kubernetes nodes on which brokers are, for the length of the block: what runs there goes on.

    A pod that is made meanwhile and can be nowhere else, since its volume is there, stays Pending. Raises `BadInput`
    where brokers are no pods, and `LabError` where one may not change nodes.
    """
    return _NodeCordoned(targets)


class _NodeCordoned(BreakingMachines):
    kind = "node cordoned"
    mended = "uncordoned"

    def is_down(self, broker: Broker, machine: str) -> bool:
        from labsupport.cluster.kubernetes.actions import is_cordoned

        return is_cordoned(as_pod(broker), machine)

    def damage(self, broker: Broker) -> None:
        from labsupport.cluster.kubernetes.actions import cordon

        cordon(as_pod(broker), self.machine(broker), cordoned=True)

    def mend(self, broker: Broker, found: State) -> None:
        from labsupport.cluster.kubernetes.actions import cordon

        cordon(as_pod(broker), self.machine(broker), cordoned=False)
