"""Every tool that we name is really in the jars of its version."""

from __future__ import annotations

import os
import zipfile

import pytest

from labsupport.core.errors import BadInput
from labsupport.provision.kafka import KAFKA_VERSIONS, kafka_home
from labsupport.provision.tools import FIRST_ARGUMENT, TOOLS, script_name, tool_main


@pytest.mark.parametrize("version", KAFKA_VERSIONS)
def test_each_class_is_in_the_jars(version: str) -> None:
    """Classes moved between the versions: the table is checked against what is on the class path."""
    there: set[str] = set()
    for jar in kafka_home(version).classpath.split(os.pathsep):
        with zipfile.ZipFile(jar) as archive:
            there.update(archive.namelist())
    missing = {
        name: main
        for name, main in TOOLS[version].items()
        if main != FIRST_ARGUMENT and f"{main.replace('.', '/')}.class" not in there
    }
    assert missing == {}


@pytest.mark.parametrize("spelling", ["topics", "kafka-topics", "kafka-topics.sh"])
def test_a_tool_may_be_spelt_as_its_script(spelling: str) -> None:
    """Commands of Kafka's documentation work as printed."""
    assert tool_main("4.3.1", spelling) == "org.apache.kafka.tools.TopicCommand"


def test_tools_that_moved_are_found_in_both() -> None:
    """The same name stands for another class in each version."""
    assert tool_main("3.9.2", "console-producer") == "kafka.tools.ConsoleProducer"
    assert tool_main("4.3.1", "console-producer") == "org.apache.kafka.tools.ConsoleProducer"


def test_a_slip_is_answered_with_near_matches() -> None:
    """One letter wrong: the right name is in the remedy."""
    with pytest.raises(BadInput, match=r"Did you mean .*topics"):
        tool_main("4.3.1", "topcis")


def test_a_tool_of_the_other_version_is_named_as_such() -> None:
    """There is no ZooKeeper shell in Kafka 4."""
    with pytest.raises(BadInput, match=r"it is one of Kafka 3\.9\.2"):
        tool_main("4.3.1", "zookeeper-shell")


def test_a_name_cannot_write_to_the_terminal() -> None:
    """Control characters of a bad name are shown as escapes."""
    with pytest.raises(BadInput) as caught:
        tool_main("4.3.1", "\x1b[31mred")
    assert "\x1b" not in str(caught.value)


def test_scripts_are_named_as_in_the_distribution() -> None:
    """Only Connect's and ZooKeeper's scripts have no `kafka-` in front."""
    assert script_name("topics") == "kafka-topics.sh"
    assert script_name("connect-standalone") == "connect-standalone.sh"
    assert script_name("zookeeper-shell") == "zookeeper-shell.sh"
