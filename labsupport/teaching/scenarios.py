"""The labs on disk: `labs/NAME/` with what breaks the cluster, what "well" means, hints and a solution.

Always those of the checkout, never the learner's copy: in the workspace there is only the page.
"""

from __future__ import annotations

import difflib
import importlib
import random
import sys
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from labsupport.core.errors import BadInput, LabError
from labsupport.core.escape import printable
from labsupport.teaching.checks import Check
from labsupport.teaching.workspace import repository

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster

HINTS = ("where", "what", "how")


class Script(Protocol):
    """What a lab's `scenario.py` has."""

    CLUSTER: Mapping[str, Any]  # the arguments of Cluster.start
    ALERT: str  # one sentence: what the page on call said

    def prepare(self, cluster: Cluster) -> None:
        """From an empty cluster to the neutral state, in which nothing is wrong yet. The same state every time."""

    def break_cluster(self, cluster: Cluster, chance: random.Random) -> None:
        """One cause; returns when its symptom can be seen."""

    def symptom(self, cluster: Cluster) -> str:
        """What whoever is on call sees first, as lines; the same on every machine."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A lab as it is on disk."""

    name: str
    folder: Path
    script: Script
    checks: Sequence[Check]
    hints: Sequence[str]

    @property
    def backend(self) -> str:
        """The backend without which this lab makes no sense; "" for most, which run on any."""
        return str(self.script.CLUSTER.get("backend", ""))

    def tidy_up(self, cluster: Cluster) -> None:
        """Take back what a learner did beyond the cluster, where a lab leads there, such as to a Kubernetes node."""
        tidy_up = getattr(self.script, "tidy_up", None)
        if tidy_up is not None:
            tidy_up(cluster)

    @property
    def solution(self) -> str:
        """What a Kafka operator would type, and why."""
        return (self.folder / "solution.sh").read_text(encoding="utf-8")


def names() -> list[str]:
    """The names of all labs."""
    return sorted(path.parent.name for path in (repository() / "labs").glob("*/scenario.py"))


def scenario(name: str) -> Scenario:
    """The lab of that name. Raises `BadInput`, which names the nearest, if there is none."""
    if name not in names():
        near = difflib.get_close_matches(str(name), names(), n=2, cutoff=0.3) or names()
        raise BadInput(f"There is no lab `{printable(name)}`.", fix=f"Did you mean {' or '.join(near)}?")
    folder = repository() / "labs" / name
    script, checks = (_module(folder, part) for part in ("scenario", "checks"))
    return Scenario(
        name=name,
        folder=folder,
        script=cast(Script, script),
        checks=[value for value in vars(checks).values() if isinstance(value, Check)],
        hints=_hints(folder / "hints.toml"),
    )


def _module(folder: Path, part: str) -> types.ModuleType:
    """`labs/NAME/PART.py`. A folder's name is no name for Python; the two files find each other as `.scenario`."""
    package = f"labs_{folder.name.replace('-', '_')}"
    if package not in sys.modules:
        made = types.ModuleType(package)
        made.__path__ = [str(folder)]
        sys.modules[package] = made
    return importlib.import_module(f"{package}.{part}")


def _hints(file: Path) -> tuple[str, ...]:
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    if tuple(written) != HINTS:
        raise LabError(f"{file.name} of the lab {file.parent.name} has other hints than where, what and how.")
    return tuple(" ".join(str(text).split()) for text in written.values())
