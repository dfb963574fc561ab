"""The pages, and how one is validated: nbval runs every cell on a real cluster and compares what it shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest

from labsupport.core.errors import LabError
from tests.notebooks.execute import OURS
from tests.notebooks.nbval_rules import FLIPS_VARIABLE, NOTICED

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELL_LIMIT_S = 540
RUN_LIMIT_S = {"": 540, "kubernetes": 1500}  # of a page, by the backend that it needs: pods end and begin at leisure
LONGEST_S = max(RUN_LIMIT_S.values()) + 60
TESTBED_VARIABLE = "KAFKA_LAB_NEEDS_TESTBED"  # set to 1 where a page that cannot run is a failure


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


def require_what_it_needs(page: Path) -> None:
    """Skip the test of a page whose backend is not here, with the reason; fail it where a testbed has been promised."""
    lack = lack_of(needed_backend(page))
    if lack and os.environ.get(TESTBED_VARIABLE) == "1":
        pytest.fail(f"{page.stem} needs it: {lack}")
    if lack:
        pytest.skip(f"{page.stem} needs it: {lack}")


@cache
def lack_of(backend: str) -> str:
    """Why no page can use a backend here; "" when one can."""
    if backend != "kubernetes":
        return ""
    try:
        from labsupport.cluster.kubernetes.access import find_access
        from labsupport.cluster.kubernetes.api import Api

        Api(find_access()).request("GET", "/version", timeout_s=5)
    except (LabError, ImportError) as error:
        return str(error)
    return ""


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
        timeout=RUN_LIMIT_S.get(needed_backend(page), CELL_LIMIT_S),
        check=False,
    )
    failed = {int(number) for number in re.findall(r"^FAILED .*::Cell (\d+)", run.stdout, flags=re.MULTILINE)}
    noticed = re.search(f"^{NOTICED}(.*)$", run.stdout, flags=re.MULTILINE)
    cells = set(json.loads(noticed[1])) if noticed else set()
    return Validation(run.returncode == 0, failed, run.stdout + run.stderr, cells)
