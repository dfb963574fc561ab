"""How long a cluster takes to be ready, and how much memory it holds: ours against plain JVMs with Kafka's own flags.

Both sides are held by the same supervisor and pass the same proof of readiness (every broker lists all of them, one
`acks=all` record makes the round trip), so that only the JVMs and their settings differ. The plain side has the flags
of `kafka-server-start.sh`, `zookeeper-server-start.sh` and `kafka-run-class.sh` (heap included), Kafka's default
settings, and formats its KRaft storage with Kafka's own tool.

    python -m benchmarks.cluster_start [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import psutil

from benchmarks.common import Row, interleaved, print_table, pss_mb
from labsupport.cluster import cluster as cluster_module
from labsupport.cluster import render
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.local import backend as local
from labsupport.cluster.local.node import LocalNode
from labsupport.cluster.supervised import MARKER
from labsupport.core.folders import cache_folder
from labsupport.core.wait import wait_until
from labsupport.provision import KAFKA_VERSIONS, KafkaHome, aot_status, kafka_home
from labsupport.provision.logs import logging_flags
from labsupport.provision.train import main as train

# bin/kafka-run-class.sh, KAFKA_JVM_PERFORMANCE_OPTS; heaps of bin/kafka-server-start.sh and zookeeper-server-start.sh.
PERFORMANCE = (
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
)
HEAP = {"zookeeper": ("-Xmx512M", "-Xms512M"), "broker": ("-Xmx1G", "-Xms1G")}
MODES = {"ZooKeeper + 3 brokers": "zookeeper", "KRaft x 3": "kraft"}
TRAINED_WITHIN_S = 900
START_GOAL = {"zookeeper": "<= 0.33", "kraft": "<= 0.45"}


@dataclass(frozen=True)
class Reading:
    """One start: wall and CPU seconds until ready, and the JVMs' proportional set size in MB."""

    wall_s: float
    cpu_s: float
    pss_mb: float


@dataclass(frozen=True)
class PlainHome(KafkaHome):
    """The same jars and the same JRE, started as Kafka's scripts start them."""

    def flags(self, program: str, *, jmx: bool = False) -> list[str]:
        return [*HEAP["zookeeper" if program == "zookeeper" else "broker"], *PERFORMANCE]


class PlainBuilder(local.Builder):
    """Formats storage as a user does, all nodes at once; its settings are Kafka's own."""

    def build(self) -> list[LocalNode]:
        self.to_format: list[Path] = []
        nodes = super().build()
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._format_with_kafkas_tool, self.to_format))
        return nodes

    def format(self, node_id: int, log_dirs: Sequence[Path], cluster_id: str) -> None:
        self.to_format.append(log_dirs[0].parent)
        self.storage_id = cluster_id

    def _format_with_kafkas_tool(self, home: Path) -> None:
        config = home / "server.properties"
        tool = [str(self.home.java), "-cp", self.home.classpath, *logging_flags(self.spec.version)]
        tool += ["kafka.tools.StorageTool", "format", "-t", self.storage_id, "-c", str(config)]
        subprocess.run(tool, check=True, capture_output=True)


def plain_home(version: str, **_: object) -> KafkaHome:
    home = kafka_home(version)
    return PlainHome(version=home.version, java=home.java, classpath=home.classpath)


@contextmanager
def plain_kafka() -> Iterator[None]:
    """Inside the block `Cluster.start` starts plain JVMs."""
    with (
        mock.patch.object(local, "kafka_home", plain_home),
        mock.patch.object(local, "Builder", PlainBuilder),
        mock.patch.object(render, "SMALL", {}),
    ):
        yield


def read_start(coordination: str) -> Reading:
    """Start a cluster, read its clock, CPU and memory at the moment when it is ready, and close it."""
    began_s = time.monotonic()
    with Cluster.start(brokers=3, coordination=coordination) as running:
        wall_s = time.monotonic() - began_s
        processes = [p for p in psutil.process_iter() if _belongs_to(p, running.name)]
        cpu_s = sum(sum(p.cpu_times()[:4]) for p in processes)
        memory_mb = sum(pss_mb(p) for p in processes if p.name() == "java")
    return Reading(wall_s, cpu_s, memory_mb)


def _belongs_to(process: psutil.Process, name: str) -> bool:
    try:
        return process.environ().get(MARKER) == name
    except psutil.Error:
        return False


def read_plain_start(coordination: str) -> Reading:
    with plain_kafka():
        return read_start(coordination)


@contextmanager
def without_start_up_caches() -> Iterator[None]:
    """A user's cache as it is on the first day: everything is fetched, nothing is trained. Hard links, not copies."""
    with tempfile.TemporaryDirectory(dir=cache_folder().parent) as folder:
        fresh = Path(folder) / "kafka-lab"
        shutil.copytree(cache_folder(), fresh, copy_function=os.link, ignore=shutil.ignore_patterns("aot*", "*.lock"))
        with mock.patch.dict(os.environ, KAFKA_LAB_CACHE=str(fresh)):
            yield


def measure(name: str, coordination: str, rounds: int, goals: Mapping[str, str]) -> list[Row]:
    """One row a quantity; `goals` by quantity."""
    readings = interleaved(
        {"ours": lambda: read_start(coordination), "plain": lambda: read_plain_start(coordination)}, rounds
    )
    rows = []
    for quantity, unit in (("wall_s", "s"), ("cpu_s", "CPU s"), ("pss_mb", "MB PSS")):
        ours, plain = ([getattr(reading, quantity) for reading in readings[side]] for side in ("ours", "plain"))
        rows.append(Row(f"{name}, {unit}", ours, plain, goals.get(quantity, "")))
    return rows


def have_trained(version: str) -> None:
    """Return once the start-up caches are there; a trainer of an earlier start may be at work."""

    def done() -> bool:
        return "untrained" not in aot_status(version).values()

    if not done():
        train([version])
    wait_until(done, TRAINED_WITHIN_S, because=f"the start-up caches of Kafka {version}", poll_s=1)


def measured(rounds: int) -> list[Row]:
    """All rows: each mode on its very first start, then with trained start-up caches."""
    rows: list[Row] = []
    with mock.patch.object(cluster_module, "train_in_background", lambda version: None):
        for version in KAFKA_VERSIONS:
            have_trained(version)
        for name, coordination in MODES.items():
            rows += measure(name, coordination, rounds, {"wall_s": START_GOAL[coordination], "pss_mb": "<= 0.50"})
        with without_start_up_caches():
            for name, coordination in MODES.items():
                rows += measure(f"{name}, the very first start", coordination, rounds, {})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    print_table(measured(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
