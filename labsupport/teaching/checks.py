"""A check looks at the cluster, never at the learner's code, and says what should be, what it saw and where to look.

Each runs in a thread of its own and has a deadline of its own: a broker that hangs is nothing that a learner did wrong,
and nothing that may stop the page. What a check could not find out is never held against the learner.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.core.finding import Finding, Outcome
from labsupport.teaching import lab_cards

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster

DEADLINE_S = 30.0
_SLICE_S = 0.1  # an interrupt may reach another thread than the one that waits: it is seen between two slices
_LIBRARIES = frozenset({"kafka", "cimpl"})  # confluent-kafka: its errors are those of its C module
_log = logging.getLogger(__name__)

Looks = Callable[["Cluster"], Finding]


@dataclass(frozen=True)
class Check:
    """`should` is a whole sentence that is true of a cluster that is well. Called, it looks at once and unguarded."""

    should: str
    looks: Looks
    deadline_s: float = DEADLINE_S

    def __call__(self, cluster: Cluster) -> Finding:
        return replace(self.looks(cluster), should=self.should)


def check(should: str, *, deadline_s: float = DEADLINE_S) -> Callable[[Looks], Check]:
    """Make a check of a function that takes a cluster and returns a `Finding`.

    A learner's mistake, such as a topic that was deleted, is "not yet": the function has to expect it. Whatever it
    raises, and an answer that does not come within `deadline_s` seconds, is "could not check".
    """
    return lambda looks: Check(should, looks, deadline_s)


@dataclass(frozen=True)
class Report:
    """What all checks of a lab saw. It shows itself as a card, and as text."""

    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """Solved if all are; could not check if one could not: then nothing is held against anyone."""
        seen = {finding.outcome for finding in self.findings}
        return next(one for one in (Outcome.COULD_NOT_CHECK, Outcome.NOT_YET, Outcome.SOLVED) if one in seen)

    @property
    def solved(self) -> bool:
        return self.outcome is Outcome.SOLVED

    def __str__(self) -> str:
        return "\n".join([f"{self.outcome.value}:", *map(str, self.findings)])

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": lab_cards.report(self.findings, self.outcome)}


def look_at(cluster: Cluster, checks: Sequence[Check]) -> Report:
    """Run all checks at the same time, and wait for each until its deadline. An interrupt ends the waiting at once."""
    began_s = now_s()
    answers = [(check, _begin(check, cluster)) for check in checks]
    return Report(tuple(_answer(check, inbox, began_s + check.deadline_s) for check, inbox in answers))


def _begin(check: Check, cluster: Cluster) -> queue.SimpleQueue[Finding]:
    inbox: queue.SimpleQueue[Finding] = queue.SimpleQueue()
    threading.Thread(target=lambda: inbox.put(_looked(check, cluster)), name="check", daemon=True).start()
    return inbox


def _answer(check: Check, inbox: queue.SimpleQueue[Finding], deadline_s: float) -> Finding:
    while (left_s := deadline_s - now_s()) > 0 or not inbox.empty():
        with suppress(queue.Empty):
            return inbox.get(timeout=max(0.0, min(left_s, _SLICE_S)))
    reason = f"The cluster gave no answer within {check.deadline_s:g} seconds."
    return Finding.could_not_check(reason, should=check.should, look="kafka-lab status")


def _looked(check: Check, cluster: Cluster) -> Finding:
    try:
        return check(cluster)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is not the learner's
        return Finding.could_not_check(_reason(error), should=check.should, look="kafka-lab status")


def _reason(error: Exception) -> str:
    """One sentence: what the infrastructure did, or that the check has a mistake (whose traceback is logged)."""
    if isinstance(error, LabError):
        return printable(error.what, limit=300)
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _LIBRARIES:
        return f"The cluster could not be asked: {printable(error, limit=200).rstrip('.')}."
    _log.error("a check failed", exc_info=error)
    return f"This check has a mistake of its own ({type(error).__name__}: {printable(error, limit=100)})."
