"""What goes into the local image: every script of Kafka's, all jars in their order, and a key that knows of changes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from labsupport.core.errors import BadInput, ProvisionError
from labsupport.provision.image import inputs, inputs_key, labels, local_tag
from labsupport.provision.image.libraries import needed_libraries
from labsupport.provision.image.scripts import jar_places, kafka_files
from labsupport.provision.lock import locked
from labsupport.provision.tools import TOOLS, script_name

VERSIONS = sorted(TOOLS)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_tool_has_its_script_and_no_blank_is_left_unfilled(version: str) -> None:
    files = kafka_files(version)
    assert {f"opt/kafka/bin/{script_name(name)}" for name in TOOLS[version]} <= files.keys()
    assert "org.apache.kafka.tools.TopicCommand" in files["opt/kafka/bin/kafka-topics.sh"]
    assert not [path for path, text in files.items() if "@" in text.replace('"$@"', "").replace("1@localhost", "")]
    assert all(text.startswith("#!/bin/sh\n") for path, text in files.items() if path.endswith((".sh", "/run")))


def test_zookeeper_can_be_started_from_the_last_version_that_has_it() -> None:
    assert "opt/kafka/bin/zookeeper-server-start.sh" in kafka_files("3.9.2")
    assert "opt/kafka/bin/zookeeper-server-start.sh" not in kafka_files("4.3.1")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_jars_are_in_the_order_in_which_the_caches_were_trained(version: str) -> None:
    """And in a folder a group, as in the cache: the JVM accepts jars that moved if they moved all together."""
    places = [Path(place).parts[-2:] for place in jar_places(version)]
    assert places == [Path(artifact.place).parts[-2:] for artifact in locked().for_user(version)]
    assert ":".join(jar_places(version)) in kafka_files(version)["opt/kafka/bin/kafka-run-class.sh"]


def test_the_key_changes_with_what_goes_in_and_with_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    before = inputs_key("4.3.1")
    assert inputs_key("4.3.1") == before != inputs_key("3.9.2")
    monkeypatch.setattr(inputs, "DOCKERFILE", "FROM another")
    changed = inputs_key("4.3.1")
    assert changed != before
    monkeypatch.setattr(inputs, "java_build", lambda: "another JRE")
    assert inputs_key("4.3.1") not in (before, changed)


def test_the_labels_name_the_caches_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the tools stays outside: no broker starts from it."""
    monkeypatch.setattr(inputs.aot, "cache_file", lambda version, program: Path(__file__))
    assert labels("3.9.2")["kafka-lab.aot"] == "zookeeper,broker-zookeeper,broker-kraft"
    monkeypatch.setattr(inputs.aot, "cache_file", lambda version, program: Path("/nothing"))
    assert labels("3.9.2")["kafka-lab.aot"] == ""


def test_a_version_that_we_do_not_have_has_no_image() -> None:
    with pytest.raises(BadInput, match="There is no Kafka"):
        local_tag("2.8.0")


@pytest.mark.skipif(sys.platform != "linux", reason="ldd is Linux's")
def test_the_libraries_of_a_program_are_those_that_its_loader_finds() -> None:
    found = needed_libraries([Path(sys.executable)], inside=Path("/nowhere"))
    assert any(path.name.startswith("libc.so") for path in found)
    assert any(path.name.startswith("ld-") for path in found)
    assert all(path.exists() for path in found)


def test_elsewhere_the_local_image_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ProvisionError, match=r"on Linux only.*docker pull apache/kafka"):
        needed_libraries([], inside=Path("/"))
