"""What only clusters in containers have: an engine between us and the nodes, others with the same tools, an image."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from labsupport.clients.connection import Connection
from labsupport.cluster import owners, registry
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.docker import images
from labsupport.cluster.docker.sweep import sweep
from labsupport.cluster.supervised import Supervised
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.core.wait import wait_until
from labsupport.observe.usage import usage_of
from tests.cluster.outside import docker_things, things_of, volumes
from tests.marked import kill_keepers, processes_of

pytestmark = pytest.mark.only_on("docker")


@pytest.fixture(scope="module")
def one() -> Iterator[Cluster]:
    """A single broker that is its own controller."""
    with Cluster.start(brokers=1, name="docker-one") as cluster:
        yield cluster


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=120).stdout


def container(cluster: Cluster) -> str:
    facts: Any = cluster.broker(1).facts
    return str(facts.container)


def last_event(cluster: Cluster) -> tuple[str, str]:
    event = cluster.process_events(0, 0)[-1]
    return event.what, event.detail


def test_every_published_port_is_on_loopback_and_ryuk_is_not_there(one: Cluster) -> None:
    bindings = json.loads(docker("inspect", container(one)))[0]["NetworkSettings"]["Ports"]
    hosts = {binding["HostIp"] for bound in bindings.values() for binding in bound or []}
    assert hosts == {"127.0.0.1"}
    assert "ryuk" not in docker("ps", "-a", "--format", "{{.Image}} {{.Names}}")


def test_nothing_of_our_environment_reaches_the_container(one: Cluster) -> None:
    names = {word.split("=")[0] for word in json.loads(docker("inspect", container(one)))[0]["Config"]["Env"]}
    given = {"KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_LOG4J_OPTS"}
    of_the_image = {word.split("=")[0] for word in images.find(images.choose("4.3.1").name).attrs["Config"]["Env"]}
    assert names == given | of_the_image


def test_processor_and_memory_are_sampled_as_for_processes(one: Cluster) -> None:
    """With the engine on this machine, the JVM in the container is one of its processes."""
    pid = one.process_events(0, 0)[0].pid
    usage = usage_of({"broker-1": pid})["broker-1"]
    assert usage.cpu_s > 0.5 and usage.memory_mb is not None and usage.memory_mb > 50


def test_what_a_stranger_does_to_a_container_is_seen(one: Cluster) -> None:
    """`docker kill`, `docker start`, `docker pause`: the cluster's own book tells the same."""
    broker = one.broker(1)
    docker("kill", container(one))
    assert broker.wait_for_state("stopped", timeout_s=30) == "stopped"
    assert last_event(one) == ("exited", "signal 9")
    broker.start()
    docker("pause", container(one))
    assert broker.wait_for_state("paused", timeout_s=30) == "paused"
    docker("unpause", container(one))
    assert broker.wait_for_state("running", timeout_s=30) == "running"


def test_a_watcher_that_is_killed_is_back_and_has_missed_nothing(one: Cluster) -> None:
    """What happened while nobody watched is told when it looks again."""
    broker = one.broker(1)
    before = one.process_events(0, 0)[-1].number
    (watcher,) = (c["pid"] for c in broker.supervised.ask("status")["children"] if c["name"] == "watcher")
    os.kill(watcher, signal.SIGKILL)
    docker("restart", "--time", "0", container(one))
    wait_until(lambda: len(one.process_events(before, 0)) >= 2, 30, because="both halves of the restart")
    assert [event.what for event in one.process_events(before, 0)] == ["exited", "started"]
    broker.wait_until_ready(timeout_s=90)
    assert broker.state == "running"


def test_a_container_that_somebody_removed_is_told_and_cannot_be_started() -> None:
    with Cluster.start(brokers=1) as cluster:
        docker("rm", "-f", "-v", container(cluster))
        assert cluster.broker(1).wait_for_state("stopped", timeout_s=30) == "stopped"
        with pytest.raises(LabError, match="The container of broker-1 is gone"):
            cluster.broker(1).start()


def test_a_port_that_was_snatched_at_the_last_moment_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine alone can say that it cannot have a port; the broker then advertises another one."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        snatched = [stranger.getsockname()[1]]
        really = Supervised.reserve_ports
        monkeypatch.setattr(
            Supervised,
            "reserve_ports",
            lambda self, count: [snatched.pop()] if snatched else really(self, count),
        )
        with Cluster.start(brokers=1) as cluster:
            assert not snatched
            assert not cluster.bootstrap_servers.endswith(f":{stranger.getsockname()[1]}")
            address = cluster.broker(1).address
            cluster.broker(1).restart()
            assert cluster.broker(1).address == address == Cluster.attach(cluster.name).bootstrap_servers


def test_no_volume_is_left() -> None:
    """The image's folders are anonymous volumes, three a container."""
    before = volumes()
    with Cluster.start(brokers=1):
        assert len(volumes() - before) == 3
    wait_until(lambda: volumes() <= before, 30, because="the volumes to be gone")


OWNER = """
import sys, time
from labsupport.cluster.cluster import Cluster
cluster = Cluster.start(brokers=3, name={name!r})
print("ready", flush=True)
time.sleep(600)
"""


@contextmanager
def owner(name: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """A program that starts a cluster, killed at the end."""
    argv = [sys.executable, "-c", OWNER.format(name=name)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=os.environ | env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_nothing_is_left_when_the_owner_is_killed_while_it_starts(tmp_path: Path) -> None:
    """At the first container that the engine shows, others are being created."""
    with owner("early", TMPDIR=str(tmp_path)):
        wait_until(lambda: [t for t in docker_things("early") if t.startswith("container")], 90, because="a container")
        assert [*tmp_path.iterdir()]
    wait_until(lambda: not things_of("early", "docker"), 60, because="nothing left")
    gone_s = now_s()  # a create may have been under way: the reaper looks again after five seconds, so do we
    assert wait_until(lambda: docker_things("early") or now_s() - gone_s > 6, 30, because="six seconds") is True
    wait_until(lambda: not [*tmp_path.iterdir()], 10, because="no file of it to be left")


def test_with_supervisor_and_janitor_killed_the_next_start_removes_the_containers() -> None:
    with owner("orphan") as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        assert len([t for t in docker_things("orphan") if t.startswith("container")]) == 3
        kill_keepers("orphan", process.pid)
        wait_until(lambda: not [p for p in processes_of("orphan") if p != process.pid], 10, because="their end")
    assert docker_things("orphan")
    assert "orphan" in registry.sweep()
    assert docker_things("orphan") == []


def test_without_any_record_a_dead_owners_containers_are_still_found() -> None:
    """The runtime folder may be emptied: the label names a process that is gone."""
    dead = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    label = owners.owner(dead.pid)
    image = images.choose("4.3.1").name
    labels = ["--label", "kafka-lab.cluster=kafka-lab-lost-0", "--label", f"kafka-lab.owner={label}"]
    docker("create", "--name", "kafka-lab-lost-0-broker-1", *labels, image)
    assert "kafka-lab-lost-0" not in sweep()  # its owner is alive
    dead.kill()
    dead.wait()
    assert "kafka-lab-lost-0" in sweep()
    assert docker_things("lost") == []


@pytest.fixture(params=["environment", "nothing"])
def drop_in(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A container of our image as one starts the public one: by variables, or by nothing at all."""
    image, name = images.choose("4.3.1").name, f"kafka-lab-drop-in-{request.param}"
    port = 29_092
    variables = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    }
    if request.param == "nothing":
        variables, port = {}, 9092
    given = [word for key, value in variables.items() for word in ("-e", f"{key}={value}")]
    docker("run", "-d", "--name", name, "-p", f"127.0.0.1:{port}:9092", *given, image)
    try:
        yield name, port
    finally:
        docker("rm", "-f", "-v", name)


def test_the_local_image_can_take_the_place_of_the_public_one(drop_in: tuple[str, int]) -> None:
    """As documented for apache/kafka, also when the same container is started again: its data are kept."""
    from kafka import KafkaConsumer

    name, port = drop_in
    connection = Connection(bootstrap_servers=f"127.0.0.1:{port}")
    wait_until(lambda: "Kafka Server started" in docker("logs", name), 140, because="the broker", poll_s=0.5)
    with connection.producer(acks="all") as producer:
        producer.send("t", value="kept").get(timeout=60)
    docker("restart", name)
    wait_until(lambda: docker("logs", name).count("Kafka Server started") == 2, 140, because="it again", poll_s=0.5)
    consumer: KafkaConsumer = connection.consumer("t", consumer_timeout_ms=60_000)
    assert next(consumer).value == b"kept"
    consumer.close()
