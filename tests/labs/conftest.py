"""A lab on a real cluster, and its scripts run as a learner runs them: in a shell with Kafka's tools on its PATH."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from labsupport.cli import launchers
from labsupport.core.wait import wait_until
from labsupport.teaching import Lab, open_lab
from labsupport.teaching.lab import cluster_name
from labsupport.teaching.scenarios import names, scenario
from tests.marked import wait_until_gone

LABS = Path(__file__).parents[2] / "labs"
SCRIPT_LIMIT_S = 240  # pods end and begin at leisure
NAMESPACE_GONE_S = 120
_REFUSED = re.compile(r"^# (Refused|Still refused) with: (.+)$", flags=re.MULTILINE)


@dataclass(frozen=True)
class Attempt:
    """A repair: `solution.sh`, or one of `wrong/` with the words in which the checks refuse it.

    `still`: what it did helps one client only, so that the checks say what they said before.
    """

    script: Path
    words: str = field(default="")
    still: bool = False

    @property
    def name(self) -> str:
        return self.script.stem

    def run(self, lab: Lab) -> subprocess.CompletedProcess[str]:
        """Run it to its end, as in the lab's terminal."""
        return subprocess.run(
            [str(self.script)],
            env={**os.environ, **shell_of(lab)},
            capture_output=True,
            text=True,
            check=False,
            timeout=SCRIPT_LIMIT_S,
        )


def shell_of(lab: Lab) -> Mapping[str, str]:
    """What a terminal of the lab has: the tools on its PATH, and where the cluster is."""
    programs = [str(launchers.folder()), os.environ.get("PATH", os.defpath)]
    if of_pods(lab):
        from labsupport.cluster.kubernetes.access import kubectl

        programs.append(str(Path(kubectl()).parent))
    return {**lab.cluster.exports, "PATH": os.pathsep.join(programs)}


def of_pods(lab: Lab) -> bool:
    """Whether it is a lab about Kubernetes."""
    return lab.scenario.backend == "kubernetes"


def wrong(lab: str) -> list[Attempt]:
    """All wrong attempts of a lab, each with its recorded words."""
    return [_attempt(script) for script in sorted((LABS / lab / "wrong").glob("*.sh"))]


def _attempt(script: Path) -> Attempt:
    said = _REFUSED.findall(script.read_text(encoding="utf-8"))
    return Attempt(script, "".join(words for _, words in said), still=[how for how, _ in said] == ["Still refused"])


def params() -> list[ParameterSet]:
    """Every lab; one that needs a backend runs on that one only."""
    backends = {name: scenario(name).backend for name in names()}
    return [pytest.param(name, marks=[pytest.mark.only_on(b)] if b else [], id=name) for name, b in backends.items()]


@pytest.fixture(scope="module", params=params())
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Each lab in turn, one cluster for all its attempts; at the end nothing of it is left."""
    opened = open_lab(request.param)
    yield opened
    opened.close()
    if of_pods(opened):
        space = opened.cluster.kubernetes
        gone = "its namespace to be gone"
        wait_until(lambda: space.api.find("Namespace", space.namespace) is None, NAMESPACE_GONE_S, because=gone)
    wait_until_gone(cluster_name(opened.name))
