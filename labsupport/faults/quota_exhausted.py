"""A namespace that may have no more pods: whoever is gone does not come back."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_pods import BreakingPods, as_pod, put_back
from labsupport.faults.roles import Role


def quota_exhausted(*targets: Broker | Role) -> BreakingPods:
    """Lower the namespace's quota so that a broker's pod cannot be made again, and delete the pod.

    The StatefulSet is refused (`FailedCreate`: exceeded quota) and tries ever less often. At the end of the block the
    quota is what it was, and the StatefulSet is made to look again. Raises `BadInput` where brokers are no pods.
    """
    return _QuotaExhausted(targets)


class _QuotaExhausted(BreakingPods):
    kind = "quota exhausted"

    def __init__(self, targets: tuple[Broker | Role, ...]) -> None:
        super().__init__(targets)
        self._quotas: dict[str, str] = {}

    def damage(self, broker: Broker) -> None:
        from labsupport.cluster.kubernetes.actions import exhaust_quota, quota_of

        self._quotas[broker.name] = quota_of(as_pod(broker))  # kept before it is lowered: half broken is mended too
        exhaust_quota(as_pod(broker))

    def mend(self, broker: Broker, found: State) -> None:
        from labsupport.cluster.kubernetes.actions import nudge, set_quota, wait_until_back

        pod = as_pod(broker)
        if broker.name in self._quotas:
            set_quota(pod.api, pod.facts.namespace, {"pods": self._quotas.pop(broker.name)})
        nudge(pod)
        wait_until_back(pod)
        put_back(broker, found)
