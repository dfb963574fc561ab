"""Records a second of our load generator against Kafka's own `ProducerPerformance`, at equal settings.

Both send the same number of random records of the same size to the same topic of the same cluster (three brokers,
three replicas, profile "throughput"), as fast as they can, each in a process of its own. Both count every record's
outcome and latency. Records a second are what each program says of itself, from its first record to its last
acknowledgement, so that neither the JVM's nor Python's start counts; CPU seconds are of the whole process.
ProducerPerformance gets the flags of `kafka-producer-perf-test.sh`. In the row "each send recorded" ours also gives
every record an id in a header and writes its end to a Recording, which the other side does not do.

    python -m benchmarks.load_generator [--rounds N] [--scale S] [--case TEXT] [--brokers N]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common import Row, interleaved, print_table
from labsupport.clients.connection import Connection
from labsupport.clients.load import Load
from labsupport.cluster.cluster import Cluster
from labsupport.core.journal import Journal
from labsupport.provision import kafka_home

# What is equal: Kafka's defaults, written out because librdkafka has others. One memory budget for waiting records.
EQUAL = {"batch.size": "16384", "linger.ms": "5", "max.in.flight.requests.per.connection": "5"}
BUFFER_BYTES = 32 * 2**20
# bin/kafka-producer-perf-test.sh and bin/kafka-run-class.sh
JVM_FLAGS = ("-Xmx512M", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35")
VERSION = "4.3.1"


@dataclass(frozen=True)
class Case:
    """One comparison."""

    name: str
    records: int
    size_bytes: int
    acks: str = "all"
    idempotence: bool = True
    compression: str = "none"
    recorded: bool = False


CASES = (
    Case("100 B, acks=all, idempotent", 1_000_000, 100),
    Case("1,000 B, acks=all, idempotent", 200_000, 1000),
    Case("100 B, acks=1", 1_000_000, 100, acks="1", idempotence=False),
    Case("100 B, acks=all, idempotent, lz4", 1_000_000, 100, compression="lz4"),
    Case("100 B, acks=all, idempotent, each send recorded", 200_000, 100, recorded=True),
)


@dataclass(frozen=True)
class Reading:
    """Of one run of one side."""

    records_per_s: float
    cpu_s: float


def run_ours(case: Case, bootstrap_servers: str, topic: str) -> Reading:
    """In a new interpreter, as a notebook's kernel would."""
    command = [sys.executable, "-m", "benchmarks.load_generator", "--ours", json.dumps(vars(case))]
    output, cpu_s = _measured([*command, "--bootstrap-servers", bootstrap_servers, "--topic", topic])
    return Reading(float(output), cpu_s)


def send_ours(case: Case, bootstrap_servers: str, topic: str) -> float:
    """Records acknowledged a second. Raises `AssertionError` unless all of them were."""
    with TemporaryDirectory() as folder:
        load = Load(
            Connection(bootstrap_servers=bootstrap_servers),
            topic,
            records=case.records,
            records_per_s=None,
            size_bytes=case.size_bytes,
            acks=case.acks,  # type: ignore[arg-type]
            idempotence=case.idempotence,
            journal=_recording(Path(folder)) if case.recorded else None,
            delivery_timeout_ms=120_000,  # the default of `delivery.timeout.ms` on the other side
            config={
                **EQUAL,
                "compression.type": case.compression,
                "queue.buffering.max.kbytes": BUFFER_BYTES // 1024,
                "queue.buffering.max.messages": 0,
            },
        )
        with load:
            load.wait_until_finished(timeout_s=600)
        report = load.report()
    assert report.acked == report.sent == case.records, report
    return report.acked_per_s


def _recording(folder: Path) -> Journal:
    from labsupport.observe import Recording

    return Recording.create(name="benchmark", coordination="kraft", version=VERSION, brokers=[1, 2, 3], folder=folder)


def run_plain(case: Case, bootstrap_servers: str, topic: str) -> Reading:
    """Kafka's own tool; its last line holds its result."""
    settings = {
        **EQUAL,
        "bootstrap.servers": bootstrap_servers,
        "acks": case.acks,
        "enable.idempotence": str(case.idempotence).lower(),
        "compression.type": case.compression,
        "buffer.memory": str(BUFFER_BYTES),
    }
    home = kafka_home(VERSION)
    command = [str(home.java), *JVM_FLAGS, "-cp", home.classpath, "org.apache.kafka.tools.ProducerPerformance"]
    command += ["--topic", topic, "--num-records", str(case.records), "--record-size", str(case.size_bytes)]
    command += ["--throughput", "-1", "--command-property", *(f"{name}={value}" for name, value in settings.items())]
    output, cpu_s = _measured(command)
    results = re.findall(r"^(\d+) records sent, ([\d.]+) records/sec", output, re.MULTILINE)
    assert results and int(results[-1][0]) == case.records, output
    return Reading(float(results[-1][1]), cpu_s)


def _measured(command: list[str]) -> tuple[str, float]:
    """Its standard output, and its CPU seconds."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return output, used.ru_utime + used.ru_stime


def measure(case: Case, cluster: Cluster, topic_name: str, rounds: int) -> list[Row]:
    topic = cluster.create_topic(topic_name, partitions=3)
    servers = cluster.bootstrap_servers
    sides = {
        "ours": lambda: run_ours(case, servers, topic.name),
        "plain": lambda: run_plain(case, servers, topic.name),
    }
    readings: Mapping[str, list[Reading]] = interleaved(sides, rounds)
    rates, seconds = (
        {side: [getattr(reading, what) for reading in taken] for side, taken in readings.items()}
        for what in ("records_per_s", "cpu_s")
    )
    return [
        Row(f"{case.name}: records/s", rates["ours"], rates["plain"], "" if case.recorded else ">= 1.0"),
        Row(f"{case.name}: CPU s for {case.records:,} records", seconds["ours"], seconds["plain"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of records, to try it out")
    parser.add_argument("--case", default="", help="only cases whose name holds this")
    parser.add_argument("--brokers", type=int, default=3)
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    parser.add_argument("--bootstrap-servers", help=argparse.SUPPRESS)
    parser.add_argument("--topic", help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.ours:
        print(send_ours(Case(**json.loads(wishes.ours)), wishes.bootstrap_servers, wishes.topic))
        return
    rows: list[Row] = []
    with Cluster.start(brokers=wishes.brokers, version=VERSION, profile="throughput") as cluster:
        for number, case in enumerate(case for case in CASES if wishes.case in case.name):
            scaled = Case(**{**vars(case), "records": max(1000, int(case.records * wishes.scale))})
            rows += measure(scaled, cluster, f"perf-{number}", wishes.rounds)
            print(*(f"{row.name}: ratio {row.ratio:.2f}" for row in rows[-2:]), sep="\n", file=sys.stderr, flush=True)
    print_table(rows)


if __name__ == "__main__":
    main()
