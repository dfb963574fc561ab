"""A volume that is gone with all that was on it: a dead disk, a claim deleted by mistake."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_pods import BreakingPods, as_pod, put_back
from labsupport.faults.roles import Role


def volume_lost(*targets: Broker | Role) -> BreakingPods:
    """Delete the volume claims of brokers, and their pods: they come back under their names with empty disks.

    What was on no other replica is lost for good, as it would be; the rest is copied from the leaders, which is why a
    broker that led a partition must not lead it again before. At the end of the block the broker serves again, which
    does not mean that it is in sync. Raises `BadInput` where brokers are no pods.
    """
    return _VolumeLost(targets)


class _VolumeLost(BreakingPods):
    kind = "volume lost"
    mended = "started with an empty volume"

    def damage(self, broker: Broker) -> None:
        from labsupport.cluster.kubernetes.actions import lose_volume

        lose_volume(as_pod(broker))

    def mend(self, broker: Broker, found: State) -> None:
        from labsupport.cluster.kubernetes.actions import wait_until_back

        wait_until_back(as_pod(broker))
        put_back(broker, found)
