"""What goes into the image of one Kafka version, as one key: an image with another key is not ours any more."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from labsupport.provision import aot
from labsupport.provision.image.scripts import DOCKERFILE, kafka_files
from labsupport.provision.java import java_build
from labsupport.provision.kafka import checked_version
from labsupport.provision.lock import locked

FORMAT = "1"  # goes up when the layout of the image changes in a way that no file below tells
REPOSITORY = "kafka-lab/kafka"
INPUTS_LABEL = "kafka-lab.inputs"
AOT_LABEL = "kafka-lab.aot"


def local_tag(version: str) -> str:
    """The name of the local image. Raises `BadInput` for a version that we do not have."""
    return f"{REPOSITORY}:{checked_version(version)}"


def caches(version: str) -> list[aot.Program]:
    """The programs whose start-up caches are there to go into the image. Those of tools stay outside."""
    programs = [program for program in aot.TRAINED[version] if program != "tool"]
    return [program for program in programs if aot.cache_file(version, program).is_file()]


def inputs_key(version: str) -> str:
    """16 hexadecimal digits that change with the JRE, the jars, the caches, our scripts or this machine's C library."""
    digest = hashlib.sha256()
    for part in _inputs(version):
        digest.update(f"{part}\0".encode())
    return digest.hexdigest()[:16]


def _inputs(version: str) -> Iterator[str]:
    yield FORMAT
    yield DOCKERFILE
    yield java_build()
    yield str(_c_library())
    yield from (artifact.sha256 for artifact in locked().for_user(version))
    yield from (aot.cache_file(version, program).name for program in caches(version))
    for path, content in sorted(kafka_files(version).items()):
        yield f"{path}\0{content}"


def _c_library() -> str | None:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except ValueError:  # not glibc: no local image can be built here
        return None


def labels(version: str) -> dict[str, str]:
    """The labels by which the local image is known again, and which of its programs have start-up caches."""
    return {INPUTS_LABEL: inputs_key(version), AOT_LABEL: ",".join(caches(version)), "kafka-lab.version": version}
