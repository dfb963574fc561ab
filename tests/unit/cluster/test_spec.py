"""What may be wished for, and how a wrong wish is refused."""

from __future__ import annotations

from typing import Any

import pytest

from labsupport.cluster.spec import ClusterSpec, build_spec
from labsupport.core.errors import BadInput


def test_defaults_are_three_combined_nodes_of_the_newest_kafka() -> None:
    spec = build_spec()
    assert (spec.brokers, spec.coordination, spec.version, spec.controllers) == (3, "kraft", "4.3.1", 0)
    assert spec.combined
    assert list(spec.broker_ids) == [1, 2, 3] and list(spec.coordinator_ids) == []


def test_zookeeper_means_the_last_kafka_that_has_it_and_one_server() -> None:
    spec = build_spec(coordination="zookeeper")
    assert (spec.version, spec.controllers, list(spec.coordinator_ids)) == ("3.9.2", 1, [1])
    assert not spec.combined


def test_separate_controllers_are_numbered_from_101() -> None:
    spec = build_spec(controllers=3)
    assert list(spec.coordinator_ids) == [101, 102, 103] and not spec.combined


def test_settings_become_text_as_kafka_writes_it() -> None:
    spec = build_spec(config={"unclean.leader.election.enable": True, "log.retention.ms": 60000})
    assert dict(spec.config) == {"unclean.leader.election.enable": "true", "log.retention.ms": "60000"}


def test_facts_are_enough_to_build_the_same_spec_again() -> None:
    spec = build_spec(
        brokers=2, racks=["a", "b"], config={"num.io.threads": 2}, log_dirs=2, jmx=True, links=True, log_dir_mb=64
    )
    facts = spec.facts()
    assert build_spec(**facts) == spec


def test_two_clusters_get_two_names() -> None:
    assert ClusterSpec().name != ClusterSpec().name


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({"brokers": 0}, "brokers"),
        ({"brokers": 2.5}, "brokers"),
        ({"brokers": True}, "brokers"),
        ({"coordination": "raft"}, "coordination"),
        ({"version": "2.4.0"}, "version"),
        ({"coordination": "zookeeper", "version": "4.3.1"}, "ZooKeeper"),
        ({"coordination": "zookeeper", "controllers": 2}, "ZooKeeper"),
        ({"controllers": 2}, "odd"),
        ({"racks": "abc"}, "racks"),
        ({"racks": ["a", "b"]}, "racks"),
        ({"config": ["x"]}, "config"),
        ({"config": {"listeners": "PLAINTEXT://:9092"}}, "listeners"),
        ({"config": {"log retention": 1}}, "log retention"),
        ({"config": {"log.retention.ms": "1\nlisteners=x"}}, "log.retention.ms"),
        ({"name": "Of Mine"}, "Of Mine"),
        ({"name": "../up"}, "../up"),
        ({"profile": "turbo"}, "profile"),
        ({"log_dirs": 0}, "log_dirs"),
        ({"jmx": "yes"}, "jmx"),
        ({"links": 1}, "links"),
        ({"log_dir_mb": 1}, "log_dir_mb"),
        ({"log_dir_mb": True}, "log_dir_mb"),
    ],
)
def test_a_wrong_wish_is_refused_by_name_with_a_remedy(wish: dict[str, Any], word: str) -> None:
    with pytest.raises(BadInput) as refusal:
        build_spec(**wish)
    assert word in refusal.value.what
    assert refusal.value.fix
