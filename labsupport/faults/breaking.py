"""What all faults on brokers share: whom they hit, what is written down, and that they are undone on every exit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar

from labsupport.cluster.broker import Broker, State
from labsupport.core.clock import now_s
from labsupport.core.errors import BadInput, LabError
from labsupport.core.escape import printable
from labsupport.faults.roles import Role


@dataclass
class Fault:
    """What happened, for plots: they shade `began_s` to `healed_s` (`core.clock.now_s()`; None while it lasts).

    `nodes` are the names of the brokers that this fault broke; one that was found broken is not among them.
    """

    kind: str
    nodes: tuple[str, ...] = ()
    node_ids: tuple[int, ...] = ()
    began_s: float = 0.0
    healed_s: float | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"{', '.join(self.nodes) or 'nobody'} {self.kind}"


class Breaking(AbstractContextManager[Fault], ABC):
    """Breaks its brokers when the block begins and mends them when it ends.

    Raises `BadInput` at once when what it is given is no broker, and `LabError` when a broker could not be mended; the
    others are mended all the same. After a Ctrl-C while mending, mending goes on; a second one gives up.
    """

    kind: ClassVar[str]
    mended: ClassVar[str]
    """Completes "broker-1 could not be …"."""

    def __init__(self, targets: tuple[Broker | Role, ...]) -> None:
        if not targets:
            raise BadInput(f"faults.{self.kind}() was given no broker.", fix=_EXAMPLE.format(self.kind))
        for target in targets:
            if not isinstance(target, Role) and not hasattr(target, "node_id"):
                raise BadInput(f"{printable(repr(target), limit=60)} is no broker.", fix=_EXAMPLE.format(self.kind))
        self._targets = targets
        self._broken: list[tuple[Broker, State]] = []
        self._fault = Fault(self.kind)

    # -- what a fault has to say -----------------------------------------------------------------------------------

    @abstractmethod
    def is_broken(self, state: State) -> bool:
        """Is a broker in this state broken already, and so not ours?"""

    @abstractmethod
    def damage(self, broker: Broker) -> None:
        """Break it."""

    @abstractmethod
    def mend(self, broker: Broker, found: State) -> None:
        """Put it back into the state in which it was found."""

    # -- what all have in common -----------------------------------------------------------------------------------

    def __enter__(self) -> Fault:
        found = [(broker, broker.state) for broker in self._brokers()]
        ours = [(broker, state) for broker, state in found if not self.is_broken(state)]
        fault = self._fault = Fault(
            self.kind,
            nodes=tuple(broker.name for broker, _ in ours),
            node_ids=tuple(broker.node_id for broker, _ in ours),
            began_s=now_s(),
        )
        try:
            self._write("fault began", ours, fault.began_s)
            for broker, state in ours:
                self._broken.append((broker, state))  # before it is broken: half broken must be mended too
                self.damage(broker)
        except BaseException as error:
            self._mend_all(error)
            raise
        return fault

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mend_all(error)

    def _brokers(self) -> list[Broker]:
        brokers: dict[tuple[str, str], Broker] = {}
        for target in self._targets:
            broker = target.resolve() if isinstance(target, Role) else target
            brokers.setdefault((broker.name, broker.address), broker)
        return list(brokers.values())

    def _mend_all(self, error: BaseException | None) -> None:
        """Mend in reverse order. `error` is what ended the block; an interruption is never hidden behind a failure."""
        broken, self._broken = self._broken[::-1], []
        interruption: KeyboardInterrupt | None = None
        failures: list[tuple[Broker, Exception]] = []
        left = list(broken)
        while left:
            broker, found = left.pop(0)
            try:
                self.mend(broker, found)
            except KeyboardInterrupt as interrupted:
                if interruption is not None:
                    raise
                interruption = interrupted
                left.append((broker, found))
            except Exception as failure:  # noqa: BLE001 - whatever it is, the others are mended first
                failures.append((broker, failure))
        self._fault.healed_s = now_s()
        if broken:
            self._write("fault healed", [pair for pair in broken if pair[0] not in [b for b, _ in failures]], now_s())
        problem = _as_error(failures, self.mended)
        ended_by = interruption or (error if not isinstance(error, Exception) else None)
        if problem is not None and ended_by is not None:
            ended_by.add_note(str(problem))
        if interruption is not None:
            raise interruption
        if problem is not None and ended_by is None:
            raise problem from failures[0][1]

    def _write(self, what: str, pairs: list[tuple[Broker, State]], t_s: float) -> None:
        journals = {id(broker.journal): broker.journal for broker, _ in pairs}
        for journal in journals.values():
            names = [broker.name for broker, _ in pairs if broker.journal is journal]
            journal.event(what, t_s=t_s, fault=self.kind, nodes=names)


_EXAMPLE = 'Write faults.{0}(cluster.broker(1)), or faults.{0}(faults.leader_of(cluster, "flights", 0)).'


def _as_error(failures: list[tuple[Broker, Exception]], mended: str) -> LabError | None:
    if not failures:
        return None
    names = ", ".join(broker.name for broker, _ in failures)
    reasons = " ".join(printable(failure, limit=500) for _, failure in failures)
    return LabError(f"{names} could not be {mended}.", fix=f"The reason: {reasons}")
