"""Maintenance: a Kubernetes node whose pods are evicted, and which takes no new ones."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.core.errors import BadInput
from labsupport.faults.breaking_pods import BreakingMachines, as_pod, put_back
from labsupport.faults.roles import Role

PATIENCE_S = 60


def node_drained(*targets: Broker | Role, timeout_s: float = PATIENCE_S) -> BreakingMachines:
    """Drain the Kubernetes nodes on which brokers are, for the length of the block: cordon them, and evict our pods.

    Evictions ask the disruption budgets (`kubectl delete` does not): one that would leave too few pods ready is refused
    and tried again for `timeout_s` seconds; then `LabError` names the budget, and all is undone. Pods of other
    namespaces are left alone. A pod whose volume is on the node stays Pending until the end of the block. Raises
    `BadInput` where brokers are no pods.
    """
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not 0 < timeout_s <= 3600:
        raise BadInput(f"timeout_s is {timeout_s!r}.", fix="Use seconds, more than 0 and at most 3600.")
    return _NodeDrained(targets, timeout_s)


class _NodeDrained(BreakingMachines):
    kind = "node drained"
    mended = "put back to work"

    def __init__(self, targets: tuple[Broker | Role, ...], timeout_s: float) -> None:
        super().__init__(targets)
        self._timeout_s = timeout_s

    def is_down(self, broker: Broker, machine: str) -> bool:
        from labsupport.cluster.kubernetes.actions import is_cordoned

        return is_cordoned(as_pod(broker), machine)

    def damage(self, broker: Broker) -> None:
        from labsupport.cluster.kubernetes.actions import cordon, drain

        cordon(as_pod(broker), self.machine(broker), cordoned=True)
        drain(as_pod(broker), self.machine(broker), timeout_s=self._timeout_s)

    def mend(self, broker: Broker, found: State) -> None:
        from labsupport.cluster.kubernetes.actions import cordon, wait_until_back

        cordon(as_pod(broker), self.machine(broker), cordoned=False)
        wait_until_back(as_pod(broker))
        put_back(broker, found)
