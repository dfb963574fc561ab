"""What all faults share: what they write down, and that they are undone on every exit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar

from labsupport.cluster.broker import Broker
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.core.escape import printable


@dataclass
class Fault:
    """What happened, for plots: they shade `began_s` to `healed_s` (`core.clock.now_s()`; None while it lasts).

    `nodes` are the names of the nodes that this fault broke, or at the ends of links that it broke; one that was found
    broken is not among them. `between`: the two sides of a broken link, "clients" among their ends.
    """

    kind: str
    nodes: tuple[str, ...] = ()
    node_ids: tuple[int, ...] = ()
    began_s: float = 0.0
    healed_s: float | None = field(default=None, compare=False)
    between: tuple[tuple[str, ...], ...] = ()

    def __repr__(self) -> str:
        if self.between:
            return f"{self.kind} between {' and '.join(', '.join(side) for side in self.between)}"
        return f"{', '.join(self.nodes) or 'nobody'} {self.kind}"


@dataclass(frozen=True)
class Step:
    """One thing to break and to mend. `what` completes "… could not be mended"; `nodes` are those that it hits."""

    what: str
    nodes: Sequence[Broker]
    damage: Callable[[], None]
    mend: Callable[[], None]


class Breaking(AbstractContextManager[Fault], ABC):
    """Breaks things when the block begins and mends them when it ends.

    Raises `BadInput` at once when what it is given cannot be broken, and `LabError` when something could not be mended;
    all else is mended all the same. After a Ctrl-C while mending, mending goes on; a second one gives up.
    """

    kind: ClassVar[str]
    mended: ClassVar[str]
    """Completes "broker-1 could not be …"."""

    def __init__(self) -> None:
        self._broken: list[Step] = []
        self._fault = Fault(self.kind)

    @abstractmethod
    def begin(self) -> tuple[Fault, list[Step]]:
        """Who and what is hit at this moment; nothing is broken yet."""

    def __enter__(self) -> Fault:
        fault, steps = self.begin()
        fault.began_s = now_s()
        self._fault = fault
        try:
            self._write("fault began", steps, fault.began_s)
            for step in steps:
                self._broken.append(step)  # before it is broken: half broken must be mended too
                step.damage()
        except BaseException as error:
            self._mend_all(error)
            raise
        return fault

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mend_all(error)

    def _mend_all(self, error: BaseException | None) -> None:
        """Mend in reverse order. `error` is what ended the block; an interruption is never hidden behind a failure."""
        broken, self._broken = self._broken[::-1], []
        interruption: KeyboardInterrupt | None = None
        failures: list[tuple[Step, Exception]] = []
        left = list(broken)
        while left:
            step = left.pop(0)
            try:
                step.mend()
            except KeyboardInterrupt as interrupted:
                if interruption is not None:
                    raise
                interruption = interrupted
                left.append(step)
            except Exception as failure:  # noqa: BLE001 - whatever it is, the others are mended first
                failures.append((step, failure))
        self._fault.healed_s = now_s()
        failed = [step for step, _ in failures]
        if broken:
            self._write("fault healed", [step for step in broken if step not in failed], self._fault.healed_s)
        problem = _as_error(failures, self.mended)
        ended_by = interruption or (error if not isinstance(error, Exception) else None)
        if problem is not None and ended_by is not None:
            ended_by.add_note(str(problem))
        if interruption is not None:
            raise interruption
        if problem is not None and ended_by is None:
            raise problem from failures[0][1]

    def _write(self, what: str, steps: list[Step], t_s: float) -> None:
        nodes = {node.name: node for step in steps for node in step.nodes}
        between = {"between": [list(side) for side in self._fault.between]} if self._fault.between else {}
        journals = {id(node.journal): node.journal for node in nodes.values()}
        for journal in journals.values():
            names = [name for name, node in nodes.items() if node.journal is journal]
            journal.event(what, t_s=t_s, fault=self.kind, nodes=names, **between)


def _as_error(failures: list[tuple[Step, Exception]], mended: str) -> LabError | None:
    if not failures:
        return None
    names = ", ".join(step.what for step, _ in failures)
    reasons = " ".join(printable(failure, limit=500) for _, failure in failures)
    return LabError(f"{names} could not be {mended}.", fix=f"The reason: {reasons}")
