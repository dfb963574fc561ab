"""A lab on a real cluster, and its scripts run as a learner runs them: in a shell with Kafka's tools on its PATH."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from labsupport.cli import launchers
from labsupport.teaching import Lab, open_lab
from labsupport.teaching.lab import cluster_name
from labsupport.teaching.scenarios import names
from tests.marked import folders_of, processes_of

LABS = Path(__file__).parents[2] / "labs"
SCRIPT_LIMIT_S = 120
_REFUSED = re.compile(r"^# Refused with: (.+)$", flags=re.MULTILINE)


@dataclass(frozen=True)
class Attempt:
    """A repair: `solution.sh`, or one of `wrong/` with the words in which the checks refuse it."""

    script: Path
    words: str = field(default="")

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
    path = os.pathsep.join([str(launchers.folder()), os.environ.get("PATH", os.defpath)])
    cluster = {"BOOTSTRAP": lab.cluster.bootstrap_servers, "KAFKA_LAB_CLUSTER": lab.cluster.name}
    return {**cluster, "PATH": path}


def wrong(lab: str) -> list[Attempt]:
    """All wrong attempts of a lab, each with its recorded words."""
    scripts = sorted((LABS / lab / "wrong").glob("*.sh"))
    return [Attempt(script, "".join(_REFUSED.findall(script.read_text(encoding="utf-8")))) for script in scripts]


@pytest.fixture(scope="module", params=names())
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Each lab in turn, one cluster for all its attempts; at the end nothing of it is left."""
    opened = open_lab(request.param)
    yield opened
    opened.close()
    assert not processes_of(cluster_name(opened.name)) and not folders_of(cluster_name(opened.name))
