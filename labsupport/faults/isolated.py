"""A broker that policies cut off from all other pods."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_pods import BreakingPods, as_pod
from labsupport.faults.roles import Role


def isolated(*targets: Broker | Role) -> BreakingPods:
    """Forbid brokers all connections with other pods (a NetworkPolicy), for the length of the block.

    Whether policies are enforced depends on the network plugin of a cluster, and one that does not says nothing: so
    another pod tries first, and the fault raises `BadInput` when it still gets through. A plugin may reject connections
    or drop their packets. Most leave open ones alone; on kind the nodes are made to forget those. What comes through a
    port-forward is not stopped: the kubelet brings it into the pod itself. So clients on this machine still reach the
    broker, and no other broker does.
    Raises `BadInput` where brokers are no pods.
    """
    return _Isolated(targets)


class _Isolated(BreakingPods):
    kind = "isolated"
    mended = "let back"

    def damage(self, broker: Broker) -> None:
        from labsupport.cluster.kubernetes.actions import isolate

        isolate(as_pod(broker))

    def mend(self, broker: Broker, found: State) -> None:
        from labsupport.cluster.kubernetes.actions import join

        join(as_pod(broker))
