"""The pages, and how one is validated: nbval runs every cell on a real cluster and compares what it shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from _pytest.mark.structures import ParameterSet

from tests.notebooks.execute import OURS
from tests.notebooks.nbval_rules import FLIPS_VARIABLE, NOTICED

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELL_LIMIT_S = 540
RUN_LIMIT_S = {"local": 540, "docker": 540, "kubernetes": 1500}  # pods end and begin at leisure
LONGEST_S = max(RUN_LIMIT_S.values()) + 60
FIRST_PAGE = "00-start-here"


@dataclass(frozen=True)
class Validation:
    """What nbval said: the numbers of the code cells that failed, from 0, and its whole output.

    `noticed`: the numbers of those whose comparison noticed another story as well, where one was given.
    """

    ok: bool
    failed_cells: set[int]
    output: str
    noticed: set[int]


def needed_backend(page: Path) -> str:
    """The backend without which a page makes no sense, as its metadata say; "" for the others, which ask for none."""
    ours = nbformat.read(page, as_version=4).metadata.get(OURS, {})
    return str(ours.get("backend", ""))


def params() -> list[ParameterSet]:
    """Every page, with the mark that says on which backends it is run."""
    return [pytest.param(page, marks=marks_of(page), id=page.stem) for page in PAGES]


def marks_of(page: Path) -> list[pytest.MarkDecorator]:
    """A page that needs a backend runs on that one only; the first page runs on all of them."""
    if backend := needed_backend(page):
        return [pytest.mark.only_on(backend)]
    return [pytest.mark.contract] if page.stem == FIRST_PAGE else []


def validate(page: Path, state: Path, flips: Mapping[str, tuple[str, str]] | None = None) -> Validation:
    """Run a page in a process and with a state folder of its own (no earlier prediction, no recording).

    `flips`: by cell id, a fact that is promised and what would be another story (see `nbval_rules`).
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.notebooks.nbval_rules"]
    command += ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_LIMIT_S}", f"--rootdir={ROOT}"]
    run = subprocess.run(
        [*command, "--color=no", "-rf", str(page)],
        cwd=ROOT,
        env={
            **os.environ,
            "KAFKA_LAB_STATE": str(state),
            "PYTEST_ADDOPTS": "",
            FLIPS_VARIABLE: json.dumps(flips or {}),
        },
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S[os.environ.get("KAFKA_LAB_BACKEND", "local")],
        check=False,
    )
    failed = {int(number) for number in re.findall(r"^FAILED .*::Cell (\d+)", run.stdout, flags=re.MULTILINE)}
    noticed = re.search(f"^{NOTICED}(.*)$", run.stdout, flags=re.MULTILINE)
    cells = set(json.loads(noticed[1])) if noticed else set()
    return Validation(run.returncode == 0, failed, run.stdout + run.stderr, cells)
