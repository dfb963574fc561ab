"""Debian's packages: what is missing is installed, once, when we are root."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from testbed.paths import LOGS
from testbed.report import TestbedError, ask, run, succeeds

LOG = LOGS / "apt.log"


def install(packages: Iterable[str]) -> None:
    """Install those of `packages` that are missing; `TestbedError` when we may not."""
    missing = [package for package in packages if not installed(package)]
    if not missing:
        return
    command = "apt-get install --no-install-recommends " + " ".join(missing)
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise TestbedError(f"Missing on this machine: {' '.join(missing)}.", fix=f"As root of a Debian 12: {command}.")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-q", env=env, log=LOG)
    run("apt-get", "install", "-y", "-q", "--no-install-recommends", *missing, env=env, log=LOG)


def installed(package: str) -> bool:
    """Whether dpkg has the package installed."""
    return (
        succeeds("dpkg-query", "-W", package)
        and "installed" in ask("dpkg-query", "-W", "-f", "${db:Status-Status}\n", package).split()
    )
