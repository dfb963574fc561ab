"""A pod that somebody deleted: the StatefulSet makes another of the same name."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.core.errors import BadInput
from labsupport.faults.breaking_pods import BreakingPods, as_pod, put_back
from labsupport.faults.roles import Role


def pod_deleted(*targets: Broker | Role, force: bool = False) -> BreakingPods:
    """Delete the pods of brokers. Kubernetes makes others at once: the name and the volume stay, the address does not.

    Gracefully, Kafka is asked to end (SIGTERM) and has `terminationGracePeriodSeconds` (30) for its controlled
    shutdown. With `force` Kubernetes forgets the pod at once and starts the next one, whether the process of the first
    has ended or not: on a node that does not answer, two may run, and only the lock in Kafka's log folder stands
    between them. At the end of the block the broker serves again. Raises `BadInput` where brokers are no pods.
    """
    return _PodDeleted(targets, force=force)


class _PodDeleted(BreakingPods):
    kind = "pod deleted"
    mended = "started again"

    def __init__(self, targets: tuple[Broker | Role, ...], *, force: bool) -> None:
        if not isinstance(force, bool):
            raise BadInput(f"force is {force!r}.", fix="Use True or False.")
        super().__init__(targets)
        self._force = force

    def damage(self, broker: Broker) -> None:
        from labsupport.cluster.kubernetes.actions import delete_pod

        delete_pod(as_pod(broker), force=self._force)

    def mend(self, broker: Broker, found: State) -> None:
        from labsupport.cluster.kubernetes.actions import wait_until_back

        wait_until_back(as_pod(broker))
        put_back(broker, found)
