"""The locks can be installed on every platform and Python that the project names: wheels only, by hash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.prefix) / "bin" / "uv"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin"])
def test_a_lock_installs(platform: str, python: str, lock: str, tmp_path: Path) -> None:
    """Nothing is built, nothing is missing, every hash is known."""
    target = ["--target", tmp_path, "--python-platform", platform, "--python-version", python]
    checks = ["--dry-run", "--only-binary", ":all:", "--require-hashes"]
    command = [UV, "pip", "install", *target, *checks, "-r", ROOT / lock]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "Would install" in run.stderr
