"""A lab: a cluster that is wrong in one real way, checks that look at it, hints one at a time, a solution when asked.

Its cluster has a name, `lab-NAME`, and outlives the notebook's kernel: opened again, the lab goes on where it stood.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labsupport.core.errors import LabError, NotRunning
from labsupport.teaching import lab_cards, neutral, progress
from labsupport.teaching.checks import Report, look_at
from labsupport.teaching.scenarios import HINTS, Scenario, names, scenario

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster

DEFAULT_SEED = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shown:
    """Something to read: as text, and as a card."""

    text: str
    html: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}


class Lab:
    """An open lab. `open_lab` makes one."""

    def __init__(self, what: Scenario, cluster: Cluster, *, seed: int, resumed: bool) -> None:
        self.scenario, self.cluster, self.seed, self.resumed = what, cluster, seed, resumed
        _point_shells_at(cluster)

    @property
    def name(self) -> str:
        return self.scenario.name

    def symptom(self) -> Shown:
        """What whoever is on call sees first; asked of the cluster now."""
        seen = self.scenario.script.symptom(self.cluster)
        return Shown(seen, lab_cards.preformatted("What you see", seen))

    def check(self) -> Report:
        """Look at the cluster: solved, not yet, or could not check, which is never held against you."""
        report = look_at(self.cluster, self.scenario.checks)
        progress.checked(self.name, report.outcome)
        return report

    def hint(self) -> Shown:
        """The next hint: where to look, then what it is, then how to mend it. At the end, the last one again."""
        taken = len(progress.load().of(self.name).hints)
        number = min(taken + 1, len(self.scenario.hints))
        kept = progress.hint_taken(self.name, number)
        title = f"Hint {number} of {len(self.scenario.hints)}: {HINTS[number - 1]}"
        text = self.scenario.hints[number - 1]
        more = "The next call shows the next one." if number < len(self.scenario.hints) else "That was the last one."
        return Shown(f"{title}\n{text}", lab_cards.words(title, text, " ".join([more, kept.note]).strip()))

    def solution(self) -> Shown:
        """What a Kafka operator would type, behind a fold."""
        progress.solution_shown(self.name)
        text = self.scenario.solution
        return Shown("The solution is behind the fold.", lab_cards.folded("The solution", "Show it", text))

    def reset(self) -> Lab:
        """Begin anew: back to the neutral state, proven by its digest, and broken again. Hints taken stay taken.

        A cluster that cannot be brought back, whatever became of it, is replaced by a new one.
        """
        self.cluster = _made_ready(self.scenario, self.seed, self.cluster)
        self.resumed = False
        _point_shells_at(self.cluster)
        return self

    def close(self) -> None:
        """End the lab's cluster and remove its data; progress stays. Doing it twice does no harm."""
        self.scenario.tidy_up(self.cluster)
        self.cluster.shutdown()
        progress.ready(self.name, {})
        _open.pop(self.name, None)
        _point_shells_back()

    def __str__(self) -> str:
        return f"{self.name}: {self.scenario.script.ALERT}"

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        went_on = "It goes on where you left it; `lab.reset()` begins anew. " if self.resumed else ""
        name = self.cluster.name
        pods = ", and `kubectl` works in its namespace" if self.scenario.backend == "kubernetes" else ""
        how = (
            f"{went_on}Its cluster is `{name}`. In a `%%bash` cell, and in a terminal while no other cluster runs, "
            f'`$BOOTSTRAP` is its address{pods}; otherwise `eval "$(kafka-lab env {name})"` sets it. It runs until '
            f"`lab.close()` or `kafka-lab down {name}`, even if the kernel restarts."
        )
        html = lab_cards.words(f"Lab: {self.name}", self.scenario.script.ALERT, how)
        return {"text/plain": str(self), "text/html": html}


_open: dict[str, Lab] = {}


def open_lab(name: str, *, seed: int = DEFAULT_SEED) -> Lab:
    """Open a lab: start its cluster and break it, or go on with the one that is there, in whatever state it is.

    `seed` chooses the details of what is wrong. Raises `BadInput` for an unknown lab, and what `Cluster.start` raises.
    """
    what = scenario(name)
    already = _open.get(name)
    if already is not None and _is_ready(already.cluster, name):
        return already
    running = _running(what)
    if running is not None and _is_ready(running, name):
        kept = progress.load().of(name).cluster
        lab = Lab(what, running, seed=int(kept["seed"]), resumed=True)
    else:
        lab = Lab(what, _made_ready(what, seed, running), seed=seed, resumed=False)
    _open[name] = lab
    return lab


def cluster_name(lab: str) -> str:
    """The name of a lab's cluster: at most 30 characters, as clusters' names are."""
    return f"lab-{lab}"[:30].rstrip("-")


def tidy_up_after(cluster: str) -> None:
    """Before a cluster is ended from elsewhere: take back what its lab led to beyond it. Of no lab's: does nothing."""
    for name in names():
        if cluster_name(name) == cluster:
            from labsupport.cluster.cluster import Cluster

            scenario(name).tidy_up(Cluster.attach(cluster))


def _running(what: Scenario) -> Cluster | None:
    from labsupport.cluster.cluster import Cluster

    try:
        return Cluster.attach(cluster_name(what.name))
    except NotRunning:
        return None


def _is_ready(cluster: Cluster, name: str) -> bool:
    """Whether this very cluster was broken for the lab, and runs. An opening that was interrupted leaves another id."""
    from labsupport.cluster import registry

    try:
        record = registry.find(cluster.name)
    except NotRunning:
        return False
    return bool(record["cluster_id"] == cluster.cluster_id == progress.load().of(name).cluster.get("id"))


def _made_ready(what: Scenario, seed: int, cluster: Cluster | None) -> Cluster:
    """A cluster that was in the lab's neutral state a moment ago, and is broken now."""
    expected = progress.load().of(what.name).cluster.get("neutral") if cluster is not None else None
    progress.ready(
        what.name, {}
    )  # until it is: an opening that is interrupted must not be taken up as if it were whole
    cluster, neutral_digest = _neutral(what, cluster, expected)
    what.script.break_cluster(cluster, random.Random(seed))
    progress.ready(what.name, {"id": cluster.cluster_id, "seed": str(seed), "neutral": neutral_digest})
    return cluster


def _neutral(what: Scenario, cluster: Cluster | None, expected: str | None) -> tuple[Cluster, str]:
    """The cluster, or a new one in its place, in the state whose digest is `expected`; and that digest."""
    if cluster is not None:
        found = _brought_back(what, cluster, neutral.wipe_pods if what.backend == "kubernetes" else neutral.wipe)
        if found is not None and expected in (None, found):
            return cluster, found
        cluster.shutdown()
    cluster = _started(what)
    found = _brought_back(what, cluster, neutral.wipe)
    if found is None or expected not in (None, found):
        cluster.shutdown()
        raise LabError(f"The lab {what.name} cannot be brought into its neutral state.", fix="Please report it.")
    return cluster, found


def _brought_back(what: Scenario, cluster: Cluster, wipe: Callable[[Cluster], None]) -> str | None:
    """Empty the cluster and prepare it anew; the digest of what then is, or None when that cannot be done."""
    try:
        what.tidy_up(cluster)
        wipe(cluster)
        what.script.prepare(cluster)
        return neutral.digest(neutral.state_of(cluster))
    except Exception:  # noqa: BLE001 -- whatever is wrong with it: a new cluster may be well
        _log.exception("the cluster %s cannot be brought back", cluster.name)
        return None


def _started(what: Scenario) -> Cluster:
    from labsupport.cluster.cluster import Cluster

    return Cluster.start(**what.script.CLUSTER, name=cluster_name(what.name), keep=True)


_users: dict[str, str | None] = {}  # variables as they were before a lab set them


def _point_shells_at(cluster: Cluster) -> None:
    """What `%%bash` cells of this kernel find: Kafka's tools, and kubectl, ask this cluster, even if others run."""
    for name, value in cluster.exports.items():
        _users.setdefault(name, os.environ.get(name))
        os.environ[name] = value


def _point_shells_back() -> None:
    """Kafka's tools ask no cluster any more, and kubectl works where the user has it work."""
    for name, value in _users.items():
        if value is None or name in ("BOOTSTRAP", "KAFKA_LAB_CLUSTER"):
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _users.clear()
