"""Where a Kafka tool wants the address of its cluster."""

from __future__ import annotations

import pytest

from labsupport.cli.addresses import wants_address, with_address

SERVERS = "127.0.0.1:20001,127.0.0.1:20002"


@pytest.mark.parametrize(
    ("tool", "arguments", "wants"),
    [
        ("topics", ["--list"], True),
        ("topics", ["--list", "--bootstrap-server", "other:9092"], False),
        ("topics", ["--list", "--bootstrap-server=other:9092"], False),
        ("topics", ["--version"], False),
        ("topics", ["--help"], False),
        ("topics", [], False),
        ("console-producer", ["--topic", "t", "--broker-list", "other:9092"], False),
        ("log-dirs", ["--describe", "--broker-list", "1,2"], True),
        ("reassign-partitions", ["--generate", "--broker-list", "1,2"], True),
        ("metadata-quorum", ["--bootstrap-controller", "other:9093", "describe", "--status"], False),
        ("configs", ["--zookeeper", "other:2181", "--describe"], False),
        ("producer-perf-test", ["--producer-props", "bootstrap.servers=other:9092"], False),
        ("producer-perf-test", ["--topic", "t"], True),
        ("storage", ["random-uuid"], False),
        ("dump-log", ["--files", "00.log"], False),
        ("zookeeper-shell", [], True),
        ("zookeeper-shell", ["ls", "/"], True),
        ("zookeeper-shell", ["other:2181", "ls", "/"], False),
    ],
)
def test_an_address_is_added_only_where_one_is_needed(tool: str, arguments: list[str], wants: bool) -> None:
    """A given address is kept, help needs none, and tools that read files get none."""
    assert wants_address(tool, arguments) is wants


@pytest.mark.parametrize(
    ("tool", "arguments", "completed"),
    [
        ("topics", ["--list"], ["--bootstrap-server", SERVERS, "--list"]),
        ("transactions", ["list"], ["--bootstrap-server", SERVERS, "list"]),
        ("cluster", ["cluster-id"], ["cluster-id", "--bootstrap-server", SERVERS]),
        ("cluster", ["unregister", "--id", "3"], ["unregister", "--bootstrap-server", SERVERS, "--id", "3"]),
        ("zookeeper-shell", ["ls", "/brokers/ids"], ["127.0.0.1:20009", "ls", "/brokers/ids"]),
        ("replica-verification", ["--time", "-1"], ["--broker-list", SERVERS, "--time", "-1"]),
        (
            "producer-perf-test",
            ["--producer-props", "acks=1", "--topic", "t"],
            ["--producer-props", f"bootstrap.servers={SERVERS}", "acks=1", "--topic", "t"],
        ),
        ("producer-perf-test", ["--topic", "t"], ["--topic", "t", "--producer-props", f"bootstrap.servers={SERVERS}"]),
    ],
)
def test_each_tool_gets_its_address_where_it_looks_for_it(
    tool: str, arguments: list[str], completed: list[str]
) -> None:
    """Most take --bootstrap-server in front of a subcommand, some after it, and three name it otherwise."""
    assert with_address(tool, arguments, bootstrap_servers=SERVERS, zookeeper="127.0.0.1:20009") == completed
