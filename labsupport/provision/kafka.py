"""A Kafka on disk, ready to be started: the class path and the flags of its programs."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from labsupport.core.errors import BadInput
from labsupport.core.folders import cache_folder
from labsupport.provision import aot
from labsupport.provision.aot import Program
from labsupport.provision.fetch import fetch
from labsupport.provision.java import QUICK, java
from labsupport.provision.lock import locked
from labsupport.provision.progress import Progress

KAFKA_VERSIONS = ("3.9.2", "4.3.1")


@dataclass(frozen=True)
class KafkaHome:
    """One version of Kafka. `classpath` always has the same order: it keys the start-up caches."""

    version: str
    java: Path
    classpath: str

    def flags(self, program: Program, *, jmx: bool = False) -> list[str]:
        """The JVM flags of the quick profile: small heap, quick start, and the start-up cache if there is one.

        `jmx` changes nothing: the modules that it needs are always there, so that the cache is accepted with it too.
        """
        return [*QUICK, *aot.flags(self.version, program)]


def checked_version(version: str) -> str:
    """`version` if we have it; raises `BadInput` with the nearest one else."""
    if version in KAFKA_VERSIONS:
        return version
    near = difflib.get_close_matches(str(version), KAFKA_VERSIONS, n=1, cutoff=0.3)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise BadInput(f"There is no Kafka {version!r} here.{hint}", fix=f"Choose one of {', '.join(KAFKA_VERSIONS)}.")


def kafka_home(version: str, *, progress: Progress | None = None) -> KafkaHome:
    """Kafka `version` with tools, Connect, MirrorMaker (and ZooKeeper in 3.9.2); fetches what is missing.

    Raises `BadInput` for another version, `ProvisionError` when something cannot be had.
    """
    artifacts = locked().for_user(checked_version(version))
    fetch(artifacts, progress=progress)
    folder = cache_folder().resolve()
    return KafkaHome(version=version, java=java(), classpath=os.pathsep.join(str(folder / a.place) for a in artifacts))
