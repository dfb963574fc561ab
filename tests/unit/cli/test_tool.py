"""Which JVM takes our place: which Kafka, which flags, which cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labsupport import provision
from labsupport.cli import tool
from labsupport.cluster import registry
from labsupport.core.errors import LabError, NotRunning
from labsupport.provision import KafkaHome
from labsupport.provision.tool_jvm import command_line


def record(name: str, version: str, port: int) -> dict[str, Any]:
    """A running cluster, as far as tools are concerned."""
    address = f"127.0.0.1:{port}"
    nodes = [{"name": "broker-1", "roles": ["broker"], "address": address}]
    return {"name": name, "version": version, "bootstrap_servers": address, "nodes": nodes}


OLD, NEW = record("old", "3.9.2", 20001), record("new", "4.3.1", 20002)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Kafka that need not be there."""

    def kafka_home(version: str) -> KafkaHome:
        return KafkaHome(version=version, java=Path("/jre/bin/java"), classpath=f"/jars/{version}.jar")

    monkeypatch.setattr(provision, "kafka_home", kafka_home)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The clusters that run; a test adds to it."""
    records: list[dict[str, Any]] = []
    monkeypatch.setattr(registry, "running", lambda: list(records))
    return records


@pytest.mark.usefixtures("home")
def test_a_tool_is_a_quiet_jvm_with_the_class_behind_its_script() -> None:
    """Warnings on stderr only, so that stdout is the tool's own."""
    command = command_line("topics", ["--list"], "4.3.1", {})
    at = command.index("-cp")
    assert command[0] == "/jre/bin/java"
    assert command[at:] == ["-cp", "/jars/4.3.1.jar", "org.apache.kafka.tools.TopicCommand", "--list"]
    assert any(word.startswith("-Dlog4j2.configurationFile=file:///") for word in command[:at])


@pytest.mark.usefixtures("home")
def test_the_variables_of_kafka_s_scripts_are_heeded() -> None:
    """KAFKA_OPTS, KAFKA_HEAP_OPTS and KAFKA_LOG4J_OPTS, as the documentation prints them; theirs come last and win."""
    environment = {
        "KAFKA_HEAP_OPTS": "-Xmx1g",
        "KAFKA_OPTS": "-Djava.security.auth.login.config='/my path/jaas.conf' -Dx=y",
        "KAFKA_LOG4J_OPTS": "-Dlog4j.configuration=file:mine.properties",
    }
    command = command_line("topics", [], "3.9.2", environment)
    at = command.index("-cp")
    own = ["-Xmx1g", "-Djava.security.auth.login.config=/my path/jaas.conf", "-Dx=y"]
    assert command[at - 4 : at] == ["-Dlog4j.configuration=file:mine.properties", *own]


@pytest.mark.usefixtures("home")
def test_what_scripts_put_in_front_is_put_in_front() -> None:
    """`zookeeper-shell.sh HOST:PORT` is `-server HOST:PORT` to its class; run-class takes any class."""
    shell = command_line("zookeeper-shell", ["h:1", "ls", "/"], "3.9.2", {})
    assert shell[-4:] == ["-server", "h:1", "ls", "/"]
    assert command_line("run-class", ["a.B", "c"], "3.9.2", {})[-3:] == ["/jars/3.9.2.jar", "a.B", "c"]


@pytest.mark.usefixtures("home")
def test_what_runs_long_gets_the_full_compiler() -> None:
    """Quick-start flags would make a performance test measure our flags."""
    quick = command_line("topics", [], "4.3.1", {})
    measured = command_line("producer-perf-test", [], "4.3.1", {})
    assert "-XX:TieredStopAtLevel=1" in quick and "-XX:TieredStopAtLevel=1" not in measured


@pytest.mark.parametrize("name", ["topics", "kafka-topics", "kafka-topics.sh"])
def test_a_tool_goes_by_three_names(name: str) -> None:
    """Ours, and those of Kafka's scripts."""
    assert tool._known(name) == "topics"


@pytest.mark.parametrize(
    ("name", "of", "version"),
    [
        ("topics", OLD, "3.9.2"),
        ("topics", NEW, "4.3.1"),
        ("topics", None, "4.3.1"),
        ("zookeeper-shell", None, "3.9.2"),
        ("share-groups", OLD, "4.3.1"),
    ],
)
def test_the_tool_s_version_is_the_cluster_s(name: str, of: dict[str, Any] | None, version: str) -> None:
    """Or the newest that has the tool."""
    assert tool._version(name, of) == version


def test_the_cluster_that_is_meant(running: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The one named, else the one whose address is given, else that of this shell, else the only one."""
    running += [OLD]
    assert tool._cluster(None, []) == OLD
    running += [NEW]
    assert tool._cluster(None, []) is None
    assert tool._cluster(None, ["--bootstrap-server", "127.0.0.1:20002"]) == NEW
    monkeypatch.setenv("KAFKA_LAB_CLUSTER", "old")
    assert tool._cluster(None, []) == OLD
    assert tool._cluster(None, ["--bootstrap-server=127.0.0.1:20002"]) == NEW
    assert tool._cluster("new", []) == NEW


def test_no_cluster_can_be_meant(running: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """None runs, several run, or that of this shell has ended: each has its own remedy."""
    with pytest.raises(NotRunning, match="kafka-lab up"):
        tool._said_which()
    running += [OLD, NEW]
    with pytest.raises(NotRunning, match="--cluster NAME"):
        tool._said_which()
    monkeypatch.setenv("KAFKA_LAB_CLUSTER", "gone")
    with pytest.raises(NotRunning, match=r"gone.*unset KAFKA_LAB_CLUSTER"):
        tool._said_which()


def test_a_cluster_without_zookeeper_has_no_zookeeper_shell() -> None:
    """Under KRaft the quorum is asked by another tool, which is named."""
    with pytest.raises(LabError, match="metadata-quorum"):
        tool._zookeeper(NEW)


def test_the_command_line_knows_the_library_s_limits() -> None:
    """The number is written twice, since importing the other one would slow every command down."""
    from labsupport.cli import up
    from labsupport.cluster import spec

    assert up.MOST_BROKERS == spec.MOST_BROKERS
