"""Which of this machine's shared libraries a program needs, as its own loader tells it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from labsupport.core.errors import ProvisionError

# Loaded by name while running, so that ldd does not tell of them: name look-ups, and what native code in jars needs.
BY_NAME = ("libstdc++.so.6", "libgcc_s.so.1", "libz.so.1", "libresolv.so.2", "libnss_files.so.2", "libnss_dns.so.2")
_FOUND = re.compile(r"(?:=> )?(/\S+) \(0x")


def needed_libraries(programs: Iterable[Path], *, inside: Path) -> list[Path]:
    """Absolute paths of the loader and the libraries; those below `inside` are left out.

    Raises `ProvisionError` where the programs are not Linux's with glibc.
    """
    if sys.platform != "linux":
        raise ProvisionError(
            "The local image can be built on Linux only: it is made of this machine's own programs.",
            fix="Pull a public one: `docker pull apache/kafka:VERSION`, or name one in KAFKA_LAB_IMAGE.",
        )
    found = {Path(path) for path in _FOUND.findall(_said("ldd", *map(str, programs)))}
    found |= {path for path in _by_name() if path.name in BY_NAME}
    return sorted(path for path in found if inside not in path.parents)


def _by_name() -> list[Path]:
    """The libraries in the loader's cache, for this machine's word size only: the others are listed after them."""
    paths: dict[str, Path] = {}
    for line in _said("/sbin/ldconfig", "-p").splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if arrow:
            paths.setdefault(name.split()[0], Path(path))
    return list(paths.values())


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProvisionError(
            f"The local image cannot be built here: {command[0]} does not run ({error}).",
            fix="Pull a public image, or name one in KAFKA_LAB_IMAGE.",
        ) from error
