"""Brokers as pods: held back, repaired, reached and removed, on a real Kubernetes, in both modes."""

from __future__ import annotations

import json
import os
import signal
import socket
from typing import Any

import pytest

from labsupport.cluster.broker import Broker
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.kubernetes.api import Api
from labsupport.cluster.kubernetes.images import choose
from labsupport.cluster.kubernetes.names import HELD, forward_of
from labsupport.cluster.kubernetes.pods import status_of
from labsupport.cluster.node import Node
from labsupport.cluster.spec import DEFAULT_VERSION, Coordination
from labsupport.core.clock import now_s
from labsupport.core.errors import BadInput
from labsupport.core.wait import wait_until
from tests.kubernetes.conftest import Kubectl, as_pod, pod_of

FORWARD_WITHIN_S = 2.0

pytestmark = pytest.mark.only_on("kubernetes")


def restarts(node: Node) -> int:
    return int(status_of(pod_of(node))["restartCount"])


def is_held(node: Node) -> bool:
    return as_pod(node)._run("test", "-e", HELD)[0] == 0


def write(cluster: Cluster, topic: str, value: str) -> None:
    with cluster.producer(acks="all") as producer:
        producer.send(topic, value=value, partition=0).get(timeout=60)


def first_value(cluster: Cluster, topic: str) -> str:
    consumer = cluster.consumer(topic, consumer_timeout_ms=60_000)
    try:
        return str(next(consumer).value.decode())
    finally:
        consumer.close()


def forward_pid(cluster: Cluster, node: Node) -> int | None:
    children = cluster._backend.supervised.ask("status")["children"]
    pid: int | None = next(child["pid"] for child in children if child["name"] == forward_of(node.name))
    return pid


def answers(broker: Broker) -> bool:
    """Whether a new connection to its address is served: the port-forward leads to a broker."""
    host, _, port = broker.address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1) as connection:
            connection.settimeout(1)
            connection.sendall(bytes.fromhex("0000000a 0012 0000 6b6c6162 ffff"))
            return connection.recv(8)[4:] == b"klab"
    except OSError:
        return False


def test_a_killed_broker_is_held_back_though_kubernetes_starts_its_container_again(cluster: Cluster) -> None:
    broker, before = cluster.broker(2), restarts(cluster.broker(2))
    cluster.create_topic("held", replica_assignment={0: [2]})
    write(cluster, "held", "kept")
    broker.kill()
    assert broker.state == "stopped"
    wait_until(lambda: restarts(broker) > before, 60, because="the container to be started again")
    wait_until(lambda: is_held(broker), 60, because="it to be held back")
    assert broker.state == "stopped"
    assert [name for name in broker.sizes("held", 0) if name.endswith(".log")]
    broker.start()
    assert broker.state == "running" and not is_held(broker)
    assert first_value(cluster, "held") == "kept"


def test_a_broker_that_is_killed_again_and_again_starts_without_waiting_for_the_back_off(cluster: Cluster) -> None:
    """Kubernetes would wait 10 s, 20 s, 40 s before it starts a container again."""
    broker, before = cluster.broker(1), pod_of(cluster.broker(1))["metadata"]["uid"]
    for _ in range(3):
        broker.kill()
        broker.start(timeout_s=200)
    assert broker.state == "running"
    assert pod_of(broker)["metadata"]["uid"] != before


def test_a_crash_that_nobody_ordered_is_repaired_by_kubernetes_and_told(cluster: Cluster) -> None:
    broker = cluster.broker(3)
    before = cluster.process_events(0, 0)[-1].number
    as_pod(broker)._signal("KILL")
    wait_until(lambda: "exited" in lives(cluster, broker, before), 60, because="its end to be told")
    wait_until(lambda: broker.state == "running", 120, because="Kubernetes to have repaired it")
    # Under ZooKeeper more than once: a broker is refused, and ends, as long as its last session is not over.
    *told, last = lives(cluster, broker, before)
    assert told == ["exited", "started"] * (len(told) // 2) and last == "ready"
    wait_until(lambda: answers(broker), 30, because="its port-forward")


def lives(cluster: Cluster, node: Node, after: int) -> list[str]:
    return [event.what for event in cluster.process_events(after, 0) if event.node == node.name]


def test_a_dropped_port_forward_is_back_within_two_seconds(cluster: Cluster) -> None:
    broker = cluster.broker(1)
    wait_until(lambda: answers(broker), 30, because="the port-forward")
    took_s = []
    for _ in range(3):
        pid = forward_pid(cluster, broker)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        began_s = now_s()
        wait_until(
            lambda pid=pid: forward_pid(cluster, broker) not in (None, pid) and answers(broker), 30, because="it"
        )
        took_s.append(now_s() - began_s)
    print(f"port-forward back after {', '.join(f'{s:.2f}' for s in took_s)} s")
    assert min(took_s) < FORWARD_WITHIN_S


def test_a_frozen_broker_is_frozen_for_everybody(cluster: Cluster) -> None:
    """It takes connections and does not answer; another process that attaches knows; it does not become unfrozen."""
    broker = cluster.broker(2)
    broker.pause()
    try:
        assert broker.state == "paused"
        assert Cluster.attach(cluster.name).broker(2).state == "paused"
        assert not answers(broker)
    finally:
        broker.resume()
    assert broker.state == "running"
    wait_until(lambda: answers(broker), 30, because="it to answer")


def test_what_kubernetes_does_is_in_the_recording(cluster: Cluster) -> None:
    told = [json.loads(event.detail) for event in cluster.process_events(0, 0) if event.what == "kubernetes"]
    seen = {(one["object"], one["reason"]) for one in told}
    assert {("pod/broker-1", "Scheduled"), ("persistentvolumeclaim/data-broker-1", "Bound")} <= seen
    assert ("pod/broker-2", "Restarted") in seen
    assert all(len(one["message"]) <= 201 for one in told)


def test_both_lives_of_a_container_are_in_the_log(cluster: Cluster) -> None:
    broker = cluster.broker(3)
    broker.restart()
    log = broker.log(tail=2000)
    assert "shut down completed" in log
    assert "started (kafka.server" in log


def test_separate_controllers_vote_and_one_can_be_killed(separate: Cluster) -> None:
    assert [node.name for node in separate.coordinators] == ["controller-101", "controller-102", "controller-103"]
    active = separate.controller()
    assert active.node_id in (101, 102, 103)
    active.kill()
    wait_until(lambda: separate.controller().node_id != active.node_id, 60, because="another active controller")
    active.start()
    assert active.state == "running"


def test_pods_are_spread_over_the_zones(separate: Cluster, api: Api) -> None:
    workers = [n for n in api.list("Node") if "topology.kubernetes.io/zone" in n["metadata"]["labels"]]
    if len(workers) < 3:
        pytest.skip("there are no three zones")
    assert len({pod_of(broker)["spec"]["nodeName"] for broker in separate.brokers}) == 3


def test_nothing_is_left_when_it_ends(api: Api) -> None:
    """Namespace, pods, claims and their volumes; all of them were there before."""
    with Cluster.start(brokers=1, backend="kubernetes", name="brief") as cluster:
        namespace = as_pod(cluster.broker(1)).facts.namespace
        assert volumes(api, namespace)
    assert api.find("Namespace", namespace) is None
    wait_until(lambda: not volumes(api, namespace), 60, because="the volumes to be gone")


def volumes(api: Api, namespace: str) -> list[Any]:
    claims = [item["spec"].get("claimRef", {}) for item in api.list("PersistentVolume")]
    return [claim for claim in claims if claim.get("namespace") == namespace]


def test_a_namespace_that_somebody_else_has_is_refused_and_left_alone(api: Api) -> None:
    theirs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kafka-lab-theirs"}}
    api.create(theirs)
    try:
        with pytest.raises(BadInput, match="has a namespace kafka-lab-theirs already"):
            Cluster.start(brokers=1, backend="kubernetes", name="theirs")
        found = api.get("Namespace", "kafka-lab-theirs")
        assert "deletionTimestamp" not in found["metadata"]
    finally:
        api.delete("Namespace", "kafka-lab-theirs")


@pytest.mark.parametrize(
    ("mode", "workloads"), [("kraft", ["controller", "broker"]), ("zookeeper", ["zookeeper", "broker"])]
)
def test_the_manifests_work_by_hand(mode: Coordination, workloads: list[str], api: Api, run_kubectl: Kubectl) -> None:
    """`kubectl apply -k`, with nothing changed but the image, which no machine of ours can pull."""
    version, text = DEFAULT_VERSION[mode], run_kubectl("kustomize", f"deploy/manifests/{mode}")
    try:
        run_kubectl("apply", "-f", "-", stdin=text.replace(f"apache/kafka:{version}", choose(version, api).name))
        for workload in workloads:
            run_kubectl("-n", "kafka", "rollout", "status", f"statefulset/{workload}", "--timeout=180s")
        topics = "/opt/kafka/bin/kafka-topics.sh --bootstrap-server brokers.kafka.svc:9094"
        for command in (f"{topics} --create --topic t --replication-factor 3", f"{topics} --describe --topic t"):
            told = run_kubectl("-n", "kafka", "exec", "broker-2", "--", "sh", "-c", command)
        assert "ReplicationFactor: 3" in told
    finally:
        run_kubectl("delete", "namespace", "kafka", "--wait=true", "--timeout=120s")
