"""How long a cluster takes to be ready in Docker and on Kubernetes, and how much memory a broker holds there.

Docker and Kubernetes are compared with processes of this machine, and Kubernetes also with what a reader does by hand:
`kubectl apply -k deploy/manifests/MODE`, `kubectl rollout status`, one `kubectl port-forward` a broker, the same image.
Every side passes the same proof of readiness: each broker lists all of them, one `acks=all` record makes the round
trip. The engine and the Kubernetes must be there (`make testbed`), and on this machine: their JVMs are looked at.

    python -m benchmarks.backends [--rounds N]
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import psutil

from benchmarks.common import Row, interleaved, print_table, pss_mb
from labsupport.clients.connection import Connection
from labsupport.clients.metadata import MetadataReader, NoAnswer
from labsupport.cluster import cluster as cluster_module
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.kubernetes.access import find_access, kubectl
from labsupport.cluster.kubernetes.api import Api
from labsupport.cluster.kubernetes.images import PUBLIC, choose
from labsupport.cluster.ready import round_trip
from labsupport.cluster.spec import DEFAULT_VERSION, Coordination
from labsupport.core.wait import wait_until

MANIFESTS = Path(__file__).parents[1] / "deploy" / "manifests"
NAMESPACE = "kafka"  # of the manifests as they lie
READY_WITHIN_S = 300.0
BROKERS = 3
HAND_PORTS = {broker: 19090 + broker for broker in range(1, BROKERS + 1)}  # as config.yaml advertises them
SETS = {"kraft": ("controller", "broker"), "zookeeper": ("zookeeper", "broker")}
BROKER_CLASS = "kafka.Kafka"


@dataclass(frozen=True)
class Reading:
    """One start: wall seconds until ready, CPU seconds of the whole machine in them, and MB (PSS) a broker."""

    wall_s: float
    cpu_s: float
    broker_mb: float


@contextmanager
def ours(backend: str, coordination: str, controllers: int | None = None) -> Iterator[None]:
    """A cluster as `Cluster.start` makes it."""
    with Cluster.start(
        brokers=BROKERS, coordination=coordination, controllers=controllers, backend=backend, timeout_s=READY_WITHIN_S
    ):
        yield


@contextmanager
def by_hand(mode: Coordination, image: str) -> Iterator[None]:
    """The manifests as they lie, and a port-forward to each broker."""
    with ExitStack() as stack:
        text = _kubectl("kustomize", str(MANIFESTS / mode))
        version = DEFAULT_VERSION[mode]
        stack.callback(_kubectl, "delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=true")
        _kubectl("apply", "-f", "-", stdin=text.replace(f"{PUBLIC}:{version}", image))
        for workload in SETS[mode]:
            _kubectl("-n", NAMESPACE, "rollout", "status", f"statefulset/{workload}", f"--timeout={READY_WITHIN_S:g}s")
        for broker, port in HAND_PORTS.items():
            stack.enter_context(forwarded(broker, port))
        addresses = [f"127.0.0.1:{port}" for port in HAND_PORTS.values()]
        for address in addresses:
            wait_until(partial(_lists_all, address), READY_WITHIN_S, because=f"the broker at {address} to list all")
        round_trip(Connection(bootstrap_servers=",".join(addresses)), replicas=BROKERS, timeout_s=READY_WITHIN_S)
        yield


@contextmanager
def forwarded(broker: int, port: int) -> Iterator[None]:
    """A port-forward, as long as the block lasts."""
    argv = [kubectl(), "-n", NAMESPACE, "port-forward", f"pod/broker-{broker}", f"{port}:9092"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def _lists_all(address: str) -> bool:
    reader = MetadataReader(Connection(bootstrap_servers=address), timeout_s=1)
    try:
        return len(reader.read().brokers) == BROKERS
    except NoAnswer:
        return False


def _kubectl(*arguments: str, stdin: str | None = None) -> str:
    return subprocess.run([kubectl(), *arguments], check=True, capture_output=True, text=True, input=stdin).stdout


def read_start(start: Callable[[], AbstractContextManager[None]]) -> Reading:
    """Enter a side, read the clocks and the memory at the moment when it is ready, and leave it."""
    before, began_s, began_cpu_s = set(psutil.pids()), time.monotonic(), machine_cpu_s()
    with start():
        wall_s, cpu_s = time.monotonic() - began_s, machine_cpu_s() - began_cpu_s
        brokers = [p for p in psutil.process_iter() if p.pid not in before and is_broker(p)]
        if len(brokers) != BROKERS:
            raise SystemExit(
                f"{len(brokers)} new brokers are on this machine, not {BROKERS}: is anything else started?"
            )
        broker_mb = sum(map(pss_mb, brokers)) / BROKERS
    return Reading(wall_s, cpu_s, broker_mb)


def machine_cpu_s() -> float:
    """Processor seconds of everything on this machine since it came up: API server, kubelets and engine count, too."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def is_broker(process: psutil.Process) -> bool:
    """Whether it is a JVM of Kafka that is no separate controller, wherever it runs."""
    try:
        argv = process.cmdline()
    except psutil.Error:
        return False
    return BROKER_CLASS in argv and "controller" not in argv[-1]


def compare(what: str, sides: Mapping[str, Callable[[], Reading]], against: str, rounds: int) -> list[Row]:
    """For each side but the last, a row a quantity; all sides are measured in each round."""
    readings = interleaved(sides, rounds)
    rows = []
    for side in (side for side in sides if side != against):
        for quantity, unit in (("wall_s", "s"), ("cpu_s", "CPU s"), ("broker_mb", "MB PSS a broker")):
            mine, other = (_values(readings[name], quantity) for name in (side, against))
            rows.append(Row(f"{what}: {side} against {against}, {unit}", mine, other))
    return rows


def _values(readings: Sequence[Reading], quantity: str) -> list[float]:
    return [getattr(reading, quantity) for reading in readings]


def measured(rounds: int) -> list[Row]:
    """All rows, in both modes."""
    api, rows = Api(find_access()), list[Row]()
    for mode, title in (("zookeeper", "ZooKeeper + 3 brokers"), ("kraft", "KRaft x 3")):
        sides = {
            backend: partial(read_start, partial(ours, backend, mode)) for backend in ("docker", "kubernetes", "local")
        }
        rows += compare(title, sides, "local", rounds)
    separate: tuple[tuple[Coordination, str, int | None], ...]
    separate = (("zookeeper", "ZooKeeper + 3 brokers", None), ("kraft", "KRaft 3 + 3", 3))
    for mode, title, controllers in separate:
        image = choose(DEFAULT_VERSION[mode], api).name
        sides = {
            "kubernetes": partial(read_start, partial(ours, "kubernetes", mode, controllers)),
            "manifests by hand": partial(read_start, partial(by_hand, mode, image)),
        }
        rows += compare(title, sides, "manifests by hand", rounds)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with mock.patch.object(cluster_module, "train_in_background", lambda version: None):
        print_table(measured(rounds))


if __name__ == "__main__":
    main()
