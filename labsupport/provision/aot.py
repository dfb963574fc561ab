"""Start-up caches of the JVM (JEP 483, 514, 515): where they are, what keys them, whether the JVM accepts them.

The JVM of JDK 25 does not compare the class path of an application with that of its cache, so the key has to: it is
made of the JVM's build, the hashes of the jars in their order, and the flags. A cache that is refused does no harm.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Literal

from labsupport.core.folders import cache_folder
from labsupport.provision.java import QUICK, java, java_build
from labsupport.provision.lock import locked

log = logging.getLogger(__name__)

Program = Literal["zookeeper", "broker-zookeeper", "broker-kraft", "tool"]
Status = Literal["accepted", "rejected", "untrained"]

TRAINED: dict[str, tuple[Program, ...]] = {
    "3.9.2": ("zookeeper", "broker-zookeeper", "broker-kraft", "tool"),
    "4.3.1": ("broker-kraft", "tool"),
}
# The JVM reports a cache that it refuses, and trifles about one that it accepts, on standard output: a broker's log.
QUIET = "-Xlog:aot*=off,cds*=off"
ASK_TIMEOUT_S = 60


def folder() -> Path:
    """Where the caches are."""
    return cache_folder().resolve() / "aot"


def key(version: str, *, jvm: str | None = None, flags: tuple[str, ...] = QUICK) -> str:
    """16 hexadecimal digits: another JVM, another jar, another order or another flag make another key."""
    digest = hashlib.sha256()
    for part in (jvm or java_build(), *(a.sha256 for a in locked().for_user(version)), *flags):
        digest.update(f"{part}\0".encode())
    return digest.hexdigest()[:16]


@cache
def _key(version: str) -> str:
    return key(version)


def cache_file(version: str, program: Program) -> Path:
    """Where the cache of this program is, or would be once trained."""
    return folder() / f"{version}-{program}-{_key(version)}.aot"


def rejected_mark(cache_file: Path) -> Path:
    """Says that the JVM refuses even what has just been trained, so that it is not trained again and again."""
    return cache_file.with_suffix(".rejected")


def flags(version: str, program: Program) -> list[str]:
    """The flags that use the program's cache; none if there is no cache."""
    path = cache_file(version, program)
    if not path.is_file():
        return []
    return [f"-XX:AOTCache={path}", "-XX:AOTMode=auto", QUIET]


def untrained(version: str) -> list[Program]:
    """The programs of this version that have no cache yet."""
    paths = ((program, cache_file(version, program)) for program in TRAINED[version])
    return [program for program, path in paths if not path.is_file() and not rejected_mark(path).exists()]


def is_accepted(path: Path, classpath: str, jvm_flags: tuple[str, ...] = QUICK) -> bool:
    """Ask the JVM: with AOTMode=on it does not start with a cache that it refuses."""
    command = [str(java()), *jvm_flags, f"-XX:AOTCache={path}", "-XX:AOTMode=on", QUIET, "-cp", classpath, "-version"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=ASK_TIMEOUT_S, cwd=os.sep
    )
    return done.returncode == 0


def aot_status(version: str) -> dict[Program, Status]:
    """For each program that can have a cache: does this JVM accept it? Takes a tenth of a second each.

    A rejected cache is reported to the log and removed, so that it is reported once and trained anew.
    """
    from labsupport.provision.kafka import kafka_home

    home = kafka_home(version)
    return {program: _status(cache_file(version, program), home.classpath) for program in TRAINED[version]}


def _status(path: Path, classpath: str) -> Status:
    if rejected_mark(path).exists():
        return "rejected"
    if not path.is_file():
        return "untrained"
    if is_accepted(path, classpath):
        return "accepted"
    log.warning("The JVM refuses the start-up cache %s: programs start without it, some seconds slower.", path.name)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # a read-only cache: the JVM will refuse it again, which is harmless
        log.debug("cannot remove %s: %s", path, error)
    return "rejected"
