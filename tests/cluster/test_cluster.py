"""What every cluster promises, in both modes."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from labsupport.clients.connection import Connection
from labsupport.clients.metadata import MetadataReader
from labsupport.cluster import registry
from labsupport.cluster.cluster import Cluster
from labsupport.core.errors import BadInput, NotRunning
from labsupport.core.folders import runtime_folder
from labsupport.core.wait import wait_until
from tests.marked import folders_of, processes_of, wait_until_gone

pytestmark = pytest.mark.contract


def test_every_broker_lists_all_of_them(cluster: Cluster) -> None:
    for broker in cluster.brokers:
        reader = MetadataReader(Connection(bootstrap_servers=broker.address), timeout_s=5)
        assert sorted(reader.read().brokers) == [1, 2, 3]


def test_a_hand_placed_partition_is_led_by_its_first_replica(cluster: Cluster) -> None:
    topic = cluster.create_topic("placed", replica_assignment={0: [2, 3, 1], 1: [3, 1, 2]})
    assert (topic.leader(0), topic.replicas(0), topic.isr(0)) == (2, [2, 3, 1], [1, 2, 3])
    assert (topic.leader(1), topic.isr(1)) == (3, [1, 2, 3])
    assert cluster.leader("placed", 0).name == "broker-2"
    assert [broker.node_id for broker in cluster.followers("placed", 0)] == [3, 1]


def test_creating_a_topic_twice_does_no_harm_but_another_shape_is_refused(cluster: Cluster) -> None:
    cluster.create_topic("twice", replica_assignment={0: [1, 2]})
    assert cluster.create_topic("twice", replica_assignment={0: [1, 2]}).replicas() == [1, 2]
    with pytest.raises(BadInput, match="there already"):
        cluster.create_topic("twice", replica_assignment={0: [1, 3]})


def test_the_brokers_own_words_explain_a_refused_topic(cluster: Cluster) -> None:
    with pytest.raises(BadInput, match=r"min\.insync\.replicas"):
        cluster.create_topic("refused", config={"min.insync.replicas": 0})


def test_internal_topics_are_not_listed(cluster: Cluster) -> None:
    cluster.create_topic("listed")
    assert "listed" in cluster.topics()
    assert not [name for name in cluster.topics() if name.startswith("__")]


def test_the_controller_is_a_node_that_may_be_one(cluster: Cluster) -> None:
    assert cluster.controller() in cluster.brokers


def test_a_record_of_kafka_python_is_read_by_confluent_kafka(cluster: Cluster) -> None:
    cluster.create_topic("both-clients")
    producer = cluster.producer(acks="all")
    producer.send("both-clients", key="N725MQ", value="+14 min").get(30)
    producer.close()
    config = cluster.connection.confluent(**{"group.id": "readers", "auto.offset.reset": "earliest"})
    consumer = Consumer(config)
    consumer.subscribe(["both-clients"])
    message = wait_until(lambda: consumer.poll(1), 60, because="the record")
    consumer.close()
    assert (message.key(), message.value()) == (b"N725MQ", b"+14 min")


def test_the_bytes_of_a_partition_can_be_read_on_each_replica(cluster: Cluster) -> None:
    cluster.create_topic("on-disk", replica_assignment={0: [1, 2]})
    producer = cluster.producer(acks="all")
    producer.send("on-disk", value="a marker in the log").get(30)
    producer.close()
    for node_id in (1, 2):
        broker = cluster.broker(node_id)
        log = next(file for file in broker.files("on-disk", 0) if file.endswith(".log"))
        assert b"a marker in the log" in broker.read(log)
    assert cluster.broker(3).files("on-disk", 0) == []


@pytest.mark.parametrize("file", ["../server.properties", "/etc/passwd", "data-0/../log", "server.properties"])
def test_only_log_files_can_be_read(cluster: Cluster, file: str) -> None:
    with pytest.raises(BadInput, match="no log file"):
        cluster.broker(1).read(file)


def test_the_log_of_a_broker_is_there_to_read(cluster: Cluster) -> None:
    """4.x logs nothing at all unless a back end is on the class path."""
    assert "started (kafka.server" in cluster.broker(1).log(tail=100_000)


def test_another_process_can_attach_and_let_go_again(cluster: Cluster) -> None:
    other = Cluster.attach(cluster.name)
    assert (other.bootstrap_servers, other.cluster_id) == (cluster.bootstrap_servers, cluster.cluster_id)
    assert other.spec == cluster.spec
    other.close()
    assert cluster.broker(1).state == "running"


def test_the_record_has_what_other_programs_need_and_is_private(cluster: Cluster) -> None:
    path = runtime_folder() / f"{cluster.name}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    record = json.loads(path.read_text())
    assert record["bootstrap_servers"] == cluster.bootstrap_servers
    assert {process["name"] for process in record["processes"]} >= {"broker-1", "broker-2", "broker-3"}
    env = (runtime_folder() / f"{cluster.name}.env").read_text()
    assert f"export BOOTSTRAP={cluster.bootstrap_servers}" in env.splitlines()


@pytest.mark.local_only("its nodes are processes of this machine, with a log file each")
def test_the_record_names_processes_and_their_logs(cluster: Cluster) -> None:
    for process in registry.find(cluster.name)["processes"]:
        assert Path(f"/proc/{process['pid']}").exists() and Path(process["log_file"]).exists()


def test_an_unknown_name_is_answered_with_the_names_that_run(cluster: Cluster) -> None:
    with pytest.raises(NotRunning, match=cluster.name):
        Cluster.attach("nobody")


@pytest.mark.local_only("looks into the folder of a broker")
def test_a_brokers_native_libraries_are_unpacked_in_its_folder(cluster: Cluster) -> None:
    """Killed, it would leave them in /tmp, a pair each time; here they go with the cluster."""
    topic = cluster.create_topic("packed", config={"compression.type": "lz4"})
    with cluster.producer(acks="all") as producer:
        producer.send(topic.name, value="x" * 1000).get(timeout=60)
    leader = cluster.leader("packed", 0).name
    (log,) = [each["log_file"] for each in registry.find(cluster.name)["processes"] if each["name"] == leader]
    assert [*(Path(log).parent / "tmp").glob("*lz4*")]


@pytest.mark.local_only("looks at the command lines of its processes")
def test_jmx_is_off_by_default(cluster: Cluster) -> None:
    for process in registry.find(cluster.name)["processes"]:
        assert "jmxremote" not in Path(f"/proc/{process['pid']}/cmdline").read_text()


def test_closing_leaves_no_process_and_no_folder() -> None:
    cluster = Cluster.start(brokers=1)
    assert len(processes_of(cluster.name)) >= 3 and folders_of(cluster.name)
    cluster.close()
    cluster.close()
    wait_until_gone(cluster.name)
    os.kill(os.getpid(), 0)


def test_what_belongs_to_a_closed_cluster_says_so() -> None:
    cluster = Cluster.start(brokers=1)
    cluster.close()
    with pytest.raises(NotRunning, match="is not running"):
        cluster.broker(1).start()
