"""What faults on brokers share: whom they hit, and that a broker which was found broken is left so."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial

from labsupport.cluster.broker import Broker, State
from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.faults.breaking import Breaking, Fault, Step
from labsupport.faults.roles import Role


class BreakingBrokers(Breaking):
    """Breaks its brokers when the block begins and mends them when it ends."""

    def __init__(self, targets: tuple[Broker | Role, ...]) -> None:
        if not targets:
            raise BadInput(f"faults.{self.kind}() was given no broker.", fix=_EXAMPLE.format(self.kind))
        for target in targets:
            if not isinstance(target, Role) and not hasattr(target, "node_id"):
                raise BadInput(f"{printable(repr(target), limit=60)} is no broker.", fix=_EXAMPLE.format(self.kind))
        super().__init__()
        self._targets = targets

    def check(self, broker: Broker) -> None:
        """Raise `BadInput` when this one cannot be broken; then nothing is, and nothing has to be mended."""

    @abstractmethod
    def is_broken(self, state: State) -> bool:
        """Is a broker in this state broken already, and so not ours?"""

    @abstractmethod
    def damage(self, broker: Broker) -> None:
        """Break it."""

    @abstractmethod
    def mend(self, broker: Broker, found: State) -> None:
        """Put it back into the state in which it was found."""

    def begin(self) -> tuple[Fault, list[Step]]:
        """The brokers that are well, in the order in which they were named."""
        found = [(broker, broker.state) for broker in self._brokers()]
        ours = [(broker, state) for broker, state in found if not self.is_broken(state)]
        for broker, _ in ours:
            self.check(broker)
        fault = Fault(
            self.kind,
            nodes=tuple(broker.name for broker, _ in ours),
            node_ids=tuple(broker.node_id for broker, _ in ours),
        )
        steps = [
            Step(broker.name, [broker], partial(self.damage, broker), partial(self.mend, broker, state))
            for broker, state in ours
        ]
        return fault, steps

    def _brokers(self) -> list[Broker]:
        brokers: dict[tuple[str, str], Broker] = {}
        for target in self._targets:
            broker = target.resolve() if isinstance(target, Role) else target
            brokers.setdefault((broker.name, broker.address), broker)
        return list(brokers.values())


_EXAMPLE = 'Write faults.{0}(cluster.broker(1)), or faults.{0}(faults.leader_of(cluster, "flights", 0)).'
