"""An image that cannot be pulled: a wrong tag, a registry that is down, a credential that has expired."""

from __future__ import annotations

from labsupport.cluster.broker import Broker, State
from labsupport.faults.breaking_pods import BreakingPods, as_pod, put_back
from labsupport.faults.roles import Role


def image_unpullable(*targets: Broker | Role) -> BreakingPods:
    """Have the pods of brokers want an image that nobody has, for the length of the block.

    The container is ended, gracefully, as it is not what is wanted any more, and no other can be started:
    `ErrImagePull`, then `ImagePullBackOff`, with ever longer pauses between the tries. Only the pod is changed; another
    in its place would be well. Raises `BadInput` where brokers are no pods.
    """
    return _ImageUnpullable(targets)


class _ImageUnpullable(BreakingPods):
    kind = "image unpullable"

    def damage(self, broker: Broker) -> None:
        from labsupport.cluster.kubernetes.actions import spoil_image

        spoil_image(as_pod(broker))

    def mend(self, broker: Broker, found: State) -> None:
        from labsupport.cluster.kubernetes.actions import mend_image, wait_until_back

        mend_image(as_pod(broker))
        wait_until_back(as_pod(broker))
        put_back(broker, found)
