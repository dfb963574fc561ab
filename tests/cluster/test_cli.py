"""The command line on real clusters: `up` serves foreign clients and Kafka's own tools, `down` leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labsupport.cluster.cluster import Cluster
from labsupport.core.wait import wait_until
from tests.cluster.conftest import SESSION
from tests.marked import folders_of, processes_of, wait_until_gone

ROOT = Path(__file__).parents[2]
RECORDS = 10_000


@dataclass(frozen=True)
class CommandLine:
    """`kafka-lab` in processes of its own, with the folders of this test."""

    environment: dict[str, str]

    def run(self, *arguments: str, text: str | None = None, timeout_s: float = 180) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "labsupport.cli", *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
            cwd=ROOT,
            env=self.environment,
        )

    def ok(self, *arguments: str, text: str | None = None) -> str:
        ended = self.run(*arguments, text=text)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def sh(self, script: str, *, text: str | None = None) -> str:
        """What a learner types into a shell after `eval "$(kafka-lab env)"`."""
        setup = f'eval "$({sys.executable} -m labsupport.cli env)" && '
        ended = subprocess.run(
            ["sh", "-c", setup + script],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
            cwd=ROOT,
            env=self.environment,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


@contextmanager
def own_runtime() -> Iterator[CommandLine]:
    """A runtime folder of its own, so that clusters of others are neither seen nor touched; all are down at the end."""
    with tempfile.TemporaryDirectory(prefix="kl-") as runtime, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAFKA_LAB_RUNTIME", runtime)
        patch.delenv("KAFKA_LAB_CLUSTER", raising=False)
        command_line = CommandLine(dict(os.environ))
        try:
            yield command_line
        finally:
            command_line.run("down", "--all")


@pytest.fixture(scope="module")
def kafka_lab() -> Iterator[CommandLine]:
    """The command line, shared by the tests that share a cluster."""
    with own_runtime() as command_line:
        yield command_line


@pytest.fixture
def fresh() -> Iterator[CommandLine]:
    """The command line where no cluster is running."""
    with own_runtime() as command_line:
        yield command_line


@pytest.fixture(scope="module", params=["kraft", "zookeeper"])
def up(kafka_lab: CommandLine, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What `kafka-lab up NAME --json` says of a cluster that runs during the tests of its mode."""
    name = f"cli-{request.param}"
    settings = [word for key, value in SESSION[request.param].items() for word in ("--config", f"{key}={value}")]
    yield json.loads(kafka_lab.ok("up", name, "--coordination", request.param, *settings, "--json"))
    kafka_lab.ok("down", name)
    wait_until_gone(name)


def test_up_tells_how_to_reach_it(up: dict[str, Any], backend: str) -> None:
    """`--json`: bootstrap_servers as a string, the cluster's id; pid, address and log file of each broker.

    Where brokers are no processes of this machine, the names of their containers or pods.
    """
    assert up["bootstrap_servers"] == ",".join(broker["address"] for broker in up["brokers"])
    assert len(up["brokers"]) == 3 and len(up["cluster_id"]) == 22
    assert len(up["coordinators"]) == (1 if up["coordination"] == "zookeeper" else 0)
    if backend == "local":
        assert {broker["pid"] for broker in up["brokers"]} <= set(processes_of(up["name"]))
        assert all(Path(broker["log_file"]).stat().st_size > 0 for broker in up["brokers"])
        assert {broker["runs_in"] for broker in up["brokers"]} == {None}
    else:
        assert {(broker["pid"], broker["log_file"]) for broker in up["brokers"]} == {(None, None)}
        assert len({broker["runs_in"] for broker in up["brokers"]}) == 3


def test_a_foreign_client_reads_every_record_that_it_wrote(up: dict[str, Any]) -> None:
    """kcat (librdkafka in C) knows nothing of us: 10,000 of 10,000 records come back, each once."""
    kcat = shutil.which("kcat")
    if kcat is None:
        assert os.environ.get("CI") != "true", "kcat is not installed, and CI must have it"
        pytest.skip("kcat is not installed (apt-get install kcat)")
    address, written = up["bootstrap_servers"], [f"record {number}" for number in range(RECORDS)]
    lines = "\n".join(written)
    subprocess.run([kcat, "-b", address, "-t", "foreign", "-P", "-X", "acks=all"], input=lines, text=True, check=True)
    command = [kcat, "-b", address, "-t", "foreign", "-C", "-e", "-o", "beginning"]
    read = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert sorted(read.stdout.splitlines()) == sorted(written)


def test_kafka_s_own_tools_work_by_name(kafka_lab: CommandLine, up: dict[str, Any]) -> None:
    """`kafka-lab tool` adds the address; records go in by standard input and come out by standard output."""
    kafka_lab.ok("tool", "topics", "--create", "--topic", "by-name", "--partitions", "2", "--replication-factor", "3")
    assert "by-name" in kafka_lab.ok("tool", "topics", "--list").splitlines()
    kafka_lab.ok("tool", "console-producer", "--topic", "by-name", text="one\ntwo\nthree\n")
    ask = ("console-consumer", "--topic", "by-name", "--from-beginning", "--max-messages", "3", "--timeout-ms", "30000")
    read = kafka_lab.ok("tool", *ask)
    assert sorted(read.split()) == ["one", "three", "two"]
    assert up["cluster_id"] in kafka_lab.ok("tool", "cluster", "cluster-id")


def test_commands_of_kafka_s_documentation_work_as_printed(kafka_lab: CommandLine, up: dict[str, Any]) -> None:
    """The launchers are on the PATH, take $BOOTSTRAP, and pass arguments unchanged, blanks and stars too."""
    made = kafka_lab.sh('kafka-topics.sh --create --topic as-printed --bootstrap-server "$BOOTSTRAP"')
    assert made.strip() == "Created topic as-printed."
    kafka_lab.sh(
        'kafka-console-producer.sh --topic as-printed --bootstrap-server "$BOOTSTRAP" '
        '--property "parse.key=true" --property "key.separator= * "',
        text="a key * a value\n",
    )
    read = kafka_lab.sh(
        'kafka-console-consumer.sh --topic as-printed --bootstrap-server "$BOOTSTRAP" --from-beginning '
        '--max-messages 1 --timeout-ms 30000 --property print.key=true --property "key.separator= -> "'
    )
    assert read.splitlines()[-1] == "a key -> a value"  # 4.x first says that --property has a new name
    assert kafka_lab.sh('echo "$KAFKA_LAB_CLUSTER"').strip() == up["name"]


def test_what_coordinates_can_be_asked(kafka_lab: CommandLine, up: dict[str, Any]) -> None:
    """ZooKeeper by its shell, the KRaft quorum by its own tool; the other one is refused in a sentence."""
    shell = kafka_lab.run("tool", "zookeeper-shell", "ls", "/brokers/ids")
    if up["coordination"] == "zookeeper":
        assert "[1, 2, 3]" in shell.stdout
        assert "[1, 2, 3]" in kafka_lab.sh('zookeeper-shell.sh "$ZOOKEEPER" ls /brokers/ids')
    else:
        assert shell.returncode == 1 and "without ZooKeeper" in shell.stderr
        assert "LeaderId:" in kafka_lab.ok("tool", "metadata-quorum", "describe", "--status")


def test_a_tool_s_exit_code_is_ours(kafka_lab: CommandLine, up: dict[str, Any]) -> None:
    """A tool that fails, fails here too, with its own words."""
    failed = kafka_lab.run("tool", "topics", "--describe", "--topic", "nothing-of-the-kind")
    assert failed.returncode == 1 and "nothing-of-the-kind" in failed.stdout + failed.stderr


def test_a_signal_reaches_the_tool(kafka_lab: CommandLine, up: dict[str, Any]) -> None:
    """The JVM has taken the place of our process: Ctrl-C ends a consumer, which says what it had read."""
    kafka_lab.ok("tool", "topics", "--create", "--topic", "to-interrupt")
    kafka_lab.ok("tool", "console-producer", "--topic", "to-interrupt", text="one\n")
    reading = ("console-consumer", "--topic", "to-interrupt", "--from-beginning")
    consumer = subprocess.Popen(
        [sys.executable, "-m", "labsupport.cli", "tool", *reading],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=kafka_lab.environment,
    )
    try:
        assert consumer.stdout is not None
        assert consumer.stdout.readline() == "one\n"
        consumer.send_signal(signal.SIGINT)
        _, told = consumer.communicate(timeout=30)
        assert "Processed a total of" in told
    finally:
        consumer.kill()
        consumer.wait()


def test_status_sees_it(kafka_lab: CommandLine, up: dict[str, Any]) -> None:
    """With one cluster the name is optional; its facts are those that `up` told."""
    assert json.loads(kafka_lab.ok("status", up["name"], "--json")) == up
    alone = json.loads(kafka_lab.ok("status", "--json"))
    assert alone["bootstrap_servers"] == up["bootstrap_servers"] and alone["clusters"] == [up]
    assert up["bootstrap_servers"] in kafka_lab.ok("status")


def test_its_name_is_taken(kafka_lab: CommandLine, up: dict[str, Any]) -> None:
    """A second `up` of the name starts nothing and says how to see the first."""
    before = sorted(processes_of(up["name"]))
    refused = kafka_lab.run("up", up["name"])
    assert refused.returncode == 1 and f"kafka-lab status {up['name']}" in refused.stderr
    assert sorted(processes_of(up["name"])) == before


def test_another_process_attaches(kafka_lab: CommandLine, up: dict[str, Any], backend: str) -> None:
    """A notebook can use and break a cluster of `kafka-lab up`; letting go of it leaves it running."""
    with Cluster.attach(up["name"]) as cluster:
        assert cluster.bootstrap_servers == up["bootstrap_servers"]
        cluster.broker(2).kill()
        shown = json.loads(kafka_lab.ok("status", up["name"], "--json"))["brokers"][1]
        assert (shown["state"], shown["pid"]) == ("stopped", None)
        cluster.broker(2).start()
    shown = json.loads(kafka_lab.ok("status", up["name"], "--json"))["brokers"][1]
    assert shown["state"] == "running"
    assert backend != "local" or shown["pid"] in processes_of(up["name"])


def test_two_clusters_are_told_apart(kafka_lab: CommandLine, up: dict[str, Any]) -> None:
    """With two running, a command without a name asks which; `down NAME` stops that one and no other."""
    other = json.loads(kafka_lab.ok("up", "cli-other", "--brokers", "1", "--json"))
    asked = kafka_lab.run("tool", "topics", "--list")
    assert asked.returncode == 1 and "cli-other" in asked.stderr and up["name"] in asked.stderr
    kafka_lab.ok("tool", "--cluster", "cli-other", "topics", "--create", "--topic", "of-the-other")
    assert "of-the-other" not in kafka_lab.ok("tool", "--cluster", up["name"], "topics", "--list").split()
    kafka_lab.ok("down", "cli-other")
    wait_until_gone("cli-other")
    assert not Path(other["folder"]).exists()
    assert [cluster["name"] for cluster in json.loads(kafka_lab.ok("status", "--json"))["clusters"]] == [up["name"]]


@pytest.mark.local_only("counts the processes of its nodes")
def test_down_leaves_no_process_and_no_folder(fresh: CommandLine) -> None:
    """Processes are counted before, by their mark and not their name; afterwards there are 0, and no file."""
    facts = json.loads(fresh.ok("up", "cli-down", "--brokers", "1", "--controllers", "1", "--json"))
    pids = [node["pid"] for node in facts["brokers"] + facts["coordinators"]]
    assert len(pids) == 2 and set(pids) < set(processes_of("cli-down"))
    fresh.ok("down", "cli-down")
    wait_until_gone("cli-down")
    assert not Path(facts["folder"]).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_start_that_is_interrupted_leaves_nothing(fresh: CommandLine, number: signal.Signals) -> None:
    """Ctrl-C, a closed terminal, or worse, while brokers are starting: none of them stays."""
    name = f"cli-{number.name.lower()}"
    starting = subprocess.Popen(
        [sys.executable, "-m", "labsupport.cli", "up", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=fresh.environment,
    )
    wait_until(lambda: len(processes_of(name)) >= 3, 60, because="brokers to be starting")
    starting.send_signal(number)
    _, told = starting.communicate(timeout=60)
    wait_until(lambda: processes_of(name) == [], 20, because="all processes to be gone")
    wait_until(lambda: folders_of(name) == [], 20, because="its folders to be gone")
    if number is not signal.SIGKILL:
        assert starting.returncode == 130 and told.count("\n") == 1 and "Traceback" not in told


def test_settings_reach_the_brokers(fresh: CommandLine) -> None:
    """`--config`, `--racks` and `--version` are seen by Kafka's own tools."""
    options = ["--brokers", "2", "--racks", "east,west", "--config", "log.retention.ms=123456", "--version", "3.9.2"]
    facts = json.loads(fresh.ok("up", "cli-settings", *options, "--json"))
    assert facts["version"] == "3.9.2"
    described = fresh.ok("tool", "configs", "--describe", "--all", "--entity-type", "brokers", "--entity-name", "2")
    assert "log.retention.ms=123456" in described and "broker.rack=west" in described
    fresh.ok("down", "--all")
    wait_until_gone("cli-settings")
