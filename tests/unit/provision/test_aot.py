"""What keys a start-up cache, when it is used, and that a bad one does no harm."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from labsupport.provision import aot, background
from labsupport.provision.java import QUICK, java_build
from labsupport.provision.kafka import kafka_home
from labsupport.provision.lock import Lock, locked


def test_the_key_is_steady() -> None:
    """The same JVM, jars and flags give the same key."""
    assert aot.key("4.3.1") == aot.key("4.3.1", jvm=java_build(), flags=QUICK)


def test_another_jvm_is_another_key() -> None:
    """A cache holds the insides of one build of the JVM."""
    assert aot.key("4.3.1") != aot.key("4.3.1", jvm=java_build() + "x")


def test_another_flag_is_another_key() -> None:
    """Also in another order, since a later flag overrides an earlier one."""
    keys = {aot.key("4.3.1", flags=flags) for flags in (QUICK, QUICK[1:], QUICK[::-1], (*QUICK, "-Xmx1g"))}
    assert len(keys) == 4


def changed(change: str) -> Lock:
    first, *rest = locked().artifacts
    if change == "order":
        return replace(locked(), artifacts=(*rest, first))
    if change == "content":
        return replace(locked(), artifacts=(replace(first, sha256="0" * 64), *rest))
    return replace(locked(), artifacts=tuple(rest))


@pytest.mark.parametrize("change", ["order", "content", "fewer"])
def test_another_class_path_is_another_key(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The JVM of JDK 25 does not compare them, so we must: content, number and order of the jars."""
    lock = changed(change)
    version = locked().artifacts[0].used_by[0]
    before = aot.key(version)
    monkeypatch.setattr(aot, "locked", lambda: lock)
    assert aot.key(version) != before


def test_without_a_cache_no_flag_names_one(cache: Path) -> None:
    """A first start is plain."""
    assert aot.flags("4.3.1", "broker-kraft") == []
    assert aot.untrained("4.3.1") == ["broker-kraft", "tool"]


@pytest.fixture
def garbage(cache: Path) -> Path:
    """A start-up cache that no JVM accepts."""
    path = aot.cache_file("4.3.1", "broker-kraft")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a cache" * 1000)
    return path


def test_a_cache_is_used_quietly(garbage: Path) -> None:
    """AOTMode=auto goes on without a cache that is refused, and what the JVM says of it stays out of a broker's log."""
    assert aot.flags("4.3.1", "broker-kraft") == [f"-XX:AOTCache={garbage}", "-XX:AOTMode=auto", aot.QUIET]


def test_the_jvm_is_asked_and_a_refused_cache_reported_once(garbage: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The status is the JVM's own answer; afterwards the cache is gone, to be trained anew."""
    with caplog.at_level(logging.WARNING):
        answers = [aot._status(garbage, "nothing.jar") for _ in range(2)]
    assert answers == ["rejected", "untrained"]
    assert len(caplog.records) == 1
    assert aot.flags("4.3.1", "broker-kraft") == []
    assert "broker-kraft" in aot.untrained("4.3.1")


def test_what_the_jvm_refuses_when_fresh_is_not_trained_again(cache: Path) -> None:
    """Some machine may refuse every cache: it is tried once."""
    mark = aot.rejected_mark(aot.cache_file("4.3.1", "broker-kraft"))
    mark.parent.mkdir(parents=True)
    mark.touch()
    assert aot.untrained("4.3.1") == ["tool"]
    assert aot._status(aot.cache_file("4.3.1", "broker-kraft"), "nothing.jar") == "rejected"


def test_the_flags_of_the_quick_profile() -> None:
    """Small heap, serial collector, quick compiler; the modules that JMX and agents need are always there."""
    flags = kafka_home("4.3.1").flags("broker-kraft")
    assert {"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"} <= set(flags)
    assert "--add-modules=jdk.management.agent,java.instrument" in flags
    assert flags == kafka_home("4.3.1").flags("broker-kraft", jmx=True)


def test_training_can_be_forbidden(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KAFKA_LAB_TRAINING=off starts no process."""
    monkeypatch.setattr(background.subprocess, "Popen", pytest.fail)
    background.train_in_background("4.3.1")
    assert not cache.exists() or list(cache.iterdir()) == []


def test_nothing_is_trained_in_a_read_only_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting a cluster does not fail because its cache cannot be trained."""
    monkeypatch.delenv("KAFKA_LAB_TRAINING")
    monkeypatch.setattr(background.os, "access", lambda *_: False)
    monkeypatch.setattr(background.subprocess, "Popen", pytest.fail)
    background.train_in_background("4.3.1")
