"""`.ci/run` on a checkout of its own whose programs only say that they were called: nothing is left out or forgiven."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ALL = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
ALL -= {name for name in ALL if name.startswith("tests/kubernetes/")}  # that suite needs a Kubernetes
SAY = """#!/bin/sh
echo "${0##*/}" "$@" >> said
! echo "$*" | grep -qE "$FAILS"
"""


@dataclass(frozen=True)
class Done:
    """How `.ci/run` ended, what it showed, and which programs it called, with their arguments."""

    code: int
    output: str
    calls: list[list[str]]

    def of(self, *words: str) -> list[list[str]]:
        """The further arguments of the calls that begin so."""
        return [call[len(words) :] for call in self.calls if call[: len(words)] == list(words)]


def ci_run(folder: Path, fails: str = "nothing of all") -> Done:
    """Run it; a program fails whose arguments match this pattern."""
    for name in ("bin/make", "tools/lab.sh", ".venv/bin/python", "testbed/testbed.sh"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(SAY)
        (folder / name).chmod(0o755)
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    (folder / "tests").symlink_to(ROOT / "tests")
    env = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "FAILS": fails}
    done = subprocess.run([folder / ".ci" / "run"], env=env, capture_output=True, text=True, check=False)
    said = (folder / "said").read_text().splitlines()
    return Done(done.returncode, done.stdout + done.stderr, [line.replace("ARGS=", "").split() for line in said])


def selected(words: list[str]) -> list[str]:
    """The files of tests that pytest would take."""
    ignored = {word.removeprefix("--ignore=") for word in words if word.startswith("--ignore=")}
    named = [word for word in words if not word.startswith("--")]
    assert named and all((ROOT / word).exists() for word in [*named, *ignored])
    return [name for name in ALL - ignored for word in named if name == word or name.startswith(f"{word}/")]


def test_every_test_is_run_once(tmp_path: Path) -> None:
    """In one lane or the other, and the linters, the site, the caches and the other backend are not forgotten."""
    done = ci_run(tmp_path)
    assert done.code == 0, done.output
    taken = [name for target in ("test", "slow") for words in done.of("make", target) for name in selected(words)]
    assert sorted(taken) == sorted(ALL)
    assert [done.of("make", target) for target in ("lint", "docs", "docker-test")] == [[[]]] * 3
    assert done.of("python", "-m", "labsupport.provision.train") == [["3.9.2"], ["4.3.1"]]


@pytest.mark.parametrize("built", [True, False])
def test_the_evidence_is_looked_at_and_a_testbed_that_is_built_is_used(built: bool, tmp_path: Path) -> None:
    done = ci_run(tmp_path, fails="nothing of all" if built else "built")
    assert done.code == 0, done.output
    assert done.of("python", "tools/kubernetes_evidence.py") == [["check"]]
    parts = [["testbed", "pages"], ["backend", "-k", "test_contract"]]
    assert done.of("make", "kubernetes-test") == (parts if built else [])


def test_evidence_that_is_too_old_makes_all_of_it_fail(tmp_path: Path) -> None:
    done = ci_run(tmp_path, fails="built|check")
    assert done.code == 1
    assert "kubernetes_evidence.py check" in done.output.split("Failed", 1)[1]


FAILING = ["lint", "docs", "tests/unit", "tests/browser ", "tests/cluster", "docker-test", "kubernetes-test", "train 4"]


@pytest.mark.parametrize("fails", FAILING)
def test_whatever_fails_makes_all_of_it_fail_and_the_rest_is_run(tmp_path: Path, fails: str) -> None:
    """In both lanes, and it is named in the last lines."""
    done = ci_run(tmp_path, fails)
    assert done.code == 1
    assert "Failed" in done.output and fails.strip() in done.output.split("Failed", 1)[1]
    assert len(done.of("make", "slow")) == len(done.of("make", "test")) == 2
