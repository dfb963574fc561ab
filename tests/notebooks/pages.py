"""The pages, and how one is validated: nbval runs every cell on a real cluster and compares what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))
RUN_LIMIT_S = 540


@dataclass(frozen=True)
class Validation:
    """What nbval said: the numbers of the code cells that failed, from 0, and its whole output."""

    ok: bool
    failed_cells: set[int]
    output: str


def validate(page: Path, state: Path) -> Validation:
    """Run a page in a process and with a state folder of its own (no earlier prediction, no recording)."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.notebooks.nbval_rules"]
    command += ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={RUN_LIMIT_S}", f"--rootdir={ROOT}"]
    run = subprocess.run(
        [*command, "--color=no", "-rf", str(page)],
        cwd=ROOT,
        env={**os.environ, "KAFKA_LAB_STATE": str(state), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )
    failed = {int(number) for number in re.findall(r"^FAILED .*::Cell (\d+)", run.stdout, flags=re.MULTILINE)}
    return Validation(run.returncode == 0, failed, run.stdout + run.stderr)
