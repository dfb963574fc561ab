"""What faults on pods share: they are refused where brokers are no pods, and for a broker that does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from labsupport.cluster.broker import Broker, Capability, State
from labsupport.core.errors import BadInput
from labsupport.faults.breaking_brokers import BreakingBrokers
from labsupport.faults.roles import Role

if TYPE_CHECKING:
    from labsupport.cluster.kubernetes.node import KubernetesNode


class BreakingPods(BreakingBrokers):
    """Breaks pods, or what they stand on, when the block begins and mends them when it ends."""

    mended = "mended"

    def is_broken(self, state: State) -> bool:
        return False

    def check(self, broker: Broker) -> None:
        if Capability.PODS not in broker.supports:
            raise BadInput(
                f"{broker.name} is no pod where it runs.",
                fix="Start the cluster with backend='kubernetes' (KAFKA_LAB_BACKEND=kubernetes).",
            )
        if broker.state == "stopped":
            raise BadInput(f"{broker.name} is not running.", fix="Start it first.")


class BreakingMachines(BreakingPods):
    """Breaks the Kubernetes nodes on which brokers are, each once."""

    def __init__(self, targets: tuple[Broker | Role, ...]) -> None:
        super().__init__(targets)
        self._machines: dict[str, str] = {}

    def _brokers(self) -> list[Broker]:
        """One broker a machine: the others on it share its fate."""
        from labsupport.cluster.kubernetes.actions import machine_of

        found: dict[str, Broker] = {}
        for broker in super()._brokers():
            self.check(broker)
            machine = machine_of(as_pod(broker))
            self._machines[broker.name] = machine
            if not self.is_down(broker, machine):
                found.setdefault(machine, broker)
        return list(found.values())

    def is_down(self, broker: Broker, machine: str) -> bool:
        """Whether the machine was found broken, and so is not ours to mend."""
        return False

    def machine(self, broker: Broker) -> str:
        """On which the broker was when the block began."""
        return self._machines[broker.name]


def as_pod(broker: Broker) -> KubernetesNode:
    """The same broker, of which `check` has seen that it is a pod."""
    return cast("KubernetesNode", broker)


def put_back(broker: Broker, found: State) -> None:
    """Return when the broker serves again, if it did before."""
    if found in ("running", "starting"):
        broker.start(timeout_s=BACK_WITHIN_S)


BACK_WITHIN_S = 240
