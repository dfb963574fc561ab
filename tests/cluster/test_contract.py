"""What every backend promises besides what the other files of this folder hold, in both modes.

The whole contract is what is marked so: `pytest tests/cluster --backend docker -m contract`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from labsupport import faults
from labsupport.cluster.backend import backend_class
from labsupport.cluster.broker import Capability
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.topic import Topic
from labsupport.core.errors import BadInput, NotRunning
from labsupport.core.wait import wait_until
from tests.cluster.outside import console_consumer, things_of

pytestmark = pytest.mark.contract

RETENTION_MS = 7_654_321


@pytest.fixture(scope="module", params=["kraft", "zookeeper"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three brokers in three racks, with a setting by its dotted name."""
    with Cluster.start(
        coordination=request.param, racks=["north", "east", "south"], config={"log.retention.ms": RETENTION_MS}
    ) as running:
        yield running


@pytest.fixture(scope="module")
def alone_on_2(cluster: Cluster) -> Topic:
    """A topic that is on broker 2 alone, with one record."""
    topic = cluster.create_topic("alone", replica_assignment={0: [2]})
    write(cluster, "alone", "before")
    return topic


def write(cluster: Cluster, topic: str, value: str) -> None:
    """One record, acknowledged."""
    with cluster.producer(acks="all") as producer:
        producer.send(topic, value=value, partition=0).get(timeout=60)


def values(cluster: Cluster, topic: str, count: int) -> list[str]:
    """The first records of a topic, read from outside."""
    consumer = cluster.consumer(topic, consumer_timeout_ms=60_000)
    try:
        return [next(consumer).value.decode() for _ in range(count)]
    finally:
        consumer.close()


def described_brokers(cluster: Cluster) -> dict[int, Any]:
    """What the admin protocol tells of the brokers."""
    admin = cluster.admin()
    try:
        told = admin.describe_cluster()["brokers"]
    finally:
        admin.close()
    return {broker["node_id"] if "node_id" in broker else broker["broker_id"]: broker for broker in told}


def test_racks_reach_the_brokers_in_their_order(cluster: Cluster) -> None:
    assert {i: broker["rack"] for i, broker in described_brokers(cluster).items()} == {
        1: "north",
        2: "east",
        3: "south",
    }


def test_a_setting_by_its_dotted_name_is_what_the_broker_runs_with(cluster: Cluster) -> None:
    from confluent_kafka.admin import AdminClient, ConfigResource

    admin = AdminClient(cluster.connection.confluent(log_level=0))
    resource = ConfigResource(ConfigResource.Type.BROKER, "3")
    settings = admin.describe_configs([resource])[resource].result(timeout=60)
    assert settings["log.retention.ms"].value == str(RETENTION_MS)


def test_a_client_within_the_network_reads_what_one_outside_wrote(cluster: Cluster, backend: str) -> None:
    """From inside, brokers are reached under other addresses than through the ports of this machine."""
    cluster.create_topic("inside", replica_assignment={0: [3, 1, 2]})
    for value in ("one", "two"):
        write(cluster, "inside", value)
    assert console_consumer(cluster, "inside", backend=backend, records=2) == ["one", "two"]


@dataclass(frozen=True)
class Restart:
    """What was seen of broker 2, which was stopped in order and started again."""

    address_before: str
    files_before: set[str]
    sizes_while_stopped: dict[str, int]
    log_while_stopped: bytes
    refusal: BadInput
    events: list[tuple[str, str]]


@pytest.fixture(scope="module")
def restart(cluster: Cluster, alone_on_2: Topic) -> Restart:
    """Once for several tests, since it takes seconds."""
    broker = cluster.broker(2)
    address, files = broker.address, {name for name in broker.files("alone", 0) if name.endswith(".log")}
    last = cluster.process_events(0, 0)[-1].number
    with faults.stopped(broker):
        assert broker.state == "stopped"
        sizes = broker.sizes("alone", 0)
        (log,) = (name for name in sizes if name.endswith(".log"))
        content = broker.read(log)
        with pytest.raises(BadInput) as refusal:
            broker.read(log.replace("0000.log", "0001.log"))
        wait_until(lambda: alone_on_2.leader() is None, 30, because="the others to know that nobody leads")
    told = [(e.what, e.detail) for e in cluster.process_events(last, 0) if e.node == "broker-2" and e.what != "waiting"]
    return Restart(address, files, sizes, content, refusal.value, told)


def test_a_restarted_broker_has_its_address_and_its_data(cluster: Cluster, alone_on_2: Topic, restart: Restart) -> None:
    """Its records are there, and clients find it where it was."""
    assert (cluster.broker(2).address, cluster.broker(2).state) == (restart.address_before, "running")
    alone_on_2.wait_for_isr(size=1, timeout_s=60)
    write(cluster, "alone", "after")
    assert values(cluster, "alone", 2) == ["before", "after"]


def test_files_of_a_stopped_broker_can_be_read_too(restart: Restart) -> None:
    """As an operator would look at a disk; they are those that it had while it ran."""
    (log,) = restart.files_before
    assert restart.sizes_while_stopped[log] == len(restart.log_while_stopped)
    assert b"before" in restart.log_while_stopped
    assert "has no file" in restart.refusal.what


def test_each_life_of_a_broker_is_told_once(restart: Restart) -> None:
    """Exited with its code, started again, ready: no more and no less, whoever watches."""
    assert restart.events == [("exited", "exit code 143"), ("started", ""), ("ready", "")]


@pytest.mark.needs(Capability.NETWORK)
def test_a_disconnected_broker_runs_and_nobody_reaches_it(cluster: Cluster) -> None:
    """It leaves the ISR, and is back in it after the block, under the address that it had."""
    topic = cluster.create_topic("cut-off", replica_assignment={0: [1, 2, 3]})
    with faults.disconnected(cluster.broker(3)) as fault:
        assert fault.nodes == ("broker-3",)
        assert cluster.broker(3).state == "running" and not cluster.broker(3).is_listening()
        with faults.disconnected(cluster.broker(3)) as inner:
            assert inner.nodes == ()
        assert not cluster.broker(3).connected
        wait_until(lambda: topic.isr() == [1, 2], 60, because="the ISR without it")
    assert topic.wait_for_isr(size=3, timeout_s=60) == [1, 2, 3]
    wait_until(cluster.broker(3).is_listening, 30, because="its port")


def test_what_a_backend_cannot_do_is_refused_in_one_sentence(backend: str) -> None:
    """Before anything is started, with what to do instead."""
    lacking = frozenset(Capability) - backend_class(backend).node_class.can
    wishes: dict[Capability, dict[str, Any]] = {
        Capability.LINKS: {"links": True},
        Capability.DISK: {"log_dir_mb": 64},
        Capability.JMX: {"jmx": True},
    }
    for capability in lacking & wishes.keys():
        with pytest.raises(BadInput, match=f"The {backend} backend has no") as refusal:
            Cluster.start(name="refused", **wishes[capability])
        assert "local" in refusal.value.fix
        assert things_of("refused", backend) == []


def test_a_fault_that_a_backend_cannot_do_is_refused_and_nothing_is_broken(cluster: Cluster) -> None:
    broker = cluster.broker(1)
    if Capability.NETWORK not in broker.supports:
        with pytest.raises(BadInput, match="cannot be taken off its network"), faults.disconnected(broker):
            pass
    with pytest.raises(BadInput, match="started without links"), faults.link_cut("clients", broker):
        pass
    if Capability.DISK not in broker.supports:
        with pytest.raises(BadInput, match="cannot be broken"), faults.log_dir_lost(broker, 0):
            pass
    assert all(broker.state == "running" for broker in cluster.brokers)


OWNER = """
import sys, time
from labsupport.cluster.cluster import Cluster
cluster = Cluster.start(brokers=1, coordination={coordination!r}, name={name!r})
print(cluster.bootstrap_servers, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_nothing_is_left_after_the_owner_was_killed(coordination: str, backend: str) -> None:
    """kill -9, as the kernel of a notebook may end. Everything was there before."""
    name = f"killed-{coordination}"
    code = textwrap.dedent(OWNER).format(coordination=coordination, name=name)
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None and owner.stdout.readline().startswith("127.0.0.1:")
        before = things_of(name, backend)
        assert len(before) > (4 if coordination == "zookeeper" else 3), before
    finally:
        owner.kill()
        owner.wait()
    wait_until(lambda: not things_of(name, backend), 60, because=f"nothing of {name} to be left")
    with pytest.raises(NotRunning):
        Cluster.attach(name)


def test_a_kept_cluster_is_found_told_and_ended_by_other_processes(backend: str) -> None:
    """`kafka-lab up`, `status` and `down` are three programs."""
    name = "kept"

    def kafka_lab(*arguments: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-m", "labsupport.cli", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    try:
        up = json.loads(kafka_lab("up", name, "--backend", backend, "--brokers", "1", "--json"))
        assert json.loads(kafka_lab("status", name, "--json")) == up
        assert (up["backend"], up["brokers"][0]["state"]) == (backend, "running")
        assert f"export BOOTSTRAP={up['bootstrap_servers']}" in kafka_lab("env", name)
        kafka_lab("tool", "--cluster", name, "topics", "--create", "--topic", "typed")
        _a_foreign_client_reads_what_it_wrote(up["bootstrap_servers"], "typed")
        with Cluster.attach(name) as attached:
            assert attached.topics() == ["typed"]
            attached.broker(1).restart()
        assert things_of(name, backend)
    finally:
        kafka_lab("down", name)
    wait_until(lambda: not things_of(name, backend), 60, because=f"nothing of {name} to be left")


def _a_foreign_client_reads_what_it_wrote(bootstrap: str, topic: str) -> None:
    """kcat (librdkafka in C) knows nothing of us: 10,000 of 10,000 records come back, each once."""
    kcat = shutil.which("kcat")
    if kcat is None:
        assert os.environ.get("CI") != "true", "kcat is not installed, and CI must have it"
        return
    lines = "".join(f"record {number}\n" for number in range(10_000))
    subprocess.run([kcat, "-b", bootstrap, "-t", topic, "-P", "-X", "acks=all"], input=lines, text=True, check=True)
    command = [kcat, "-b", bootstrap, "-t", topic, "-C", "-e", "-o", "beginning"]
    read = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert sorted(read.stdout.splitlines()) == sorted(lines.splitlines())
