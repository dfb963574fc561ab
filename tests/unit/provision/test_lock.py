"""The committed lock is complete, and says the same after a round trip."""

from __future__ import annotations

import re

import pytest

from labsupport.provision.kafka import KAFKA_VERSIONS
from labsupport.provision.lock import LOCK_FILE, Lock, locked


def names(user: str) -> set[str]:
    return {artifact.artifact for artifact in locked().for_user(user)}


@pytest.mark.parametrize("version", KAFKA_VERSIONS)
def test_each_kafka_has_all_its_programs(version: str) -> None:
    """Broker, tools, Connect with its converters, and MirrorMaker are on the list of both versions."""
    wanted = {"kafka_2.13", "kafka-clients", "kafka-tools", "kafka-shell", "connect-runtime", "connect-json"}
    assert names(version) >= wanted | {"connect-file", "connect-transforms", "connect-mirror", "connect-mirror-client"}
    (broker,) = (a for a in locked().for_user(version) if a.artifact == "kafka_2.13")
    assert broker.version == version


def test_the_old_kafka_brings_its_zookeeper() -> None:
    """Kafka 3.9.2 was released with ZooKeeper 3.8.4."""
    (zookeeper,) = (a for a in locked().for_user("3.9.2") if a.artifact == "zookeeper")
    assert zookeeper.version == "3.8.4"
    assert "zookeeper" not in names("4.3.1")


def test_each_kafka_can_log() -> None:
    """Without a back end for slf4j a broker is silent, and whoever waits for a line of its log waits for ever."""
    assert names("3.9.2") >= {"slf4j-reload4j", "reload4j"}
    new = {a.artifact: a.version for a in locked().for_user("4.3.1")}
    assert new["log4j-slf4j-impl"] == new["log4j-core"] == new["log4j-api"]


def test_no_version_of_a_jar_stands_twice_on_a_class_path() -> None:
    """Of two versions on one class path the first would win, by accident."""
    for version in KAFKA_VERSIONS:
        jars = [(a.group, a.artifact) for a in locked().for_user(version)]
        assert len(jars) == len(set(jars))


def test_kafkas_own_jars_come_first() -> None:
    """The order is fixed: it keys the start-up caches."""
    for version in KAFKA_VERSIONS:
        groups = [a.group == "org.apache.kafka" for a in locked().for_user(version)]
        assert groups == sorted(groups, reverse=True)


def test_every_entry_is_pinned_and_has_a_place_of_its_own() -> None:
    """A SHA-256 and a size for each, no two at the same place."""
    for artifact in locked().artifacts:
        assert re.fullmatch(r"[0-9a-f]{64}", artifact.sha256)
        assert artifact.size > 0
        assert artifact.used_by
    places = [artifact.place for artifact in locked().artifacts]
    assert len(places) == len(set(places))


def test_the_lock_names_no_address() -> None:
    """Where things are is for jgo, uv and the user's own settings to know."""
    assert "//" not in LOCK_FILE.read_text(encoding="utf-8")


def test_writing_what_was_read_changes_nothing() -> None:
    """So a re-lock shows only what has really changed."""
    text = LOCK_FILE.read_text(encoding="utf-8")
    assert Lock.from_json(text).to_json() == text
