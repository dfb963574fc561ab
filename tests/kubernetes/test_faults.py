"""Faults of pods and of what they stand on: each does what its name says, is seen from past our code, and is undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from labsupport import faults
from labsupport.cluster.cluster import Cluster
from labsupport.cluster.kubernetes.api import Api
from labsupport.cluster.kubernetes.pods import is_ready, trouble
from labsupport.cluster.node import Node
from labsupport.core.errors import LabError
from labsupport.core.wait import wait_until
from tests.kubernetes.conftest import START_S, Kubectl, as_pod, pod_of

pytestmark = pytest.mark.only_on("kubernetes")


def goodbyes(cluster: Cluster, broker: int) -> list[str]:
    """What controllers wrote when this broker asked them for leave, and so handed its partitions over."""
    said = "\n".join(controller.log(tail=5000) for controller in cluster.coordinators)
    return re.findall(rf"^.*broker {broker} has requested and been granted .*shutdown.*$", said, re.MULTILINE)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """KRaft with the quorum of its own: a broker can be lost without a vote."""
    with Cluster.start(controllers=3, backend="kubernetes", timeout_s=START_S) as running:
        running.create_topic("t", replica_assignment={0: [3, 1, 2]})
        yield running


@pytest.fixture(autouse=True)
def _all_well(cluster: Cluster) -> Iterator[None]:
    """Each test finds the cluster well, and leaves it so."""
    yield
    assert cluster.topic("t").wait_for_isr(size=3, timeout_s=120) == [1, 2, 3]
    assert all(broker.state == "running" for broker in cluster.brokers)


def uid(node: Node) -> str:
    return str(pod_of(node)["metadata"]["uid"])


def machine(node: Node) -> str:
    return str(pod_of(node)["spec"]["nodeName"])


def machine_is_ready(api: Api, name: str) -> bool:
    conditions = api.get("Node", name)["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


@pytest.mark.parametrize("force", [False, True])
def test_a_deleted_pod_comes_back_under_its_name_with_another_identity(cluster: Cluster, force: bool) -> None:
    broker, before = cluster.broker(3), pod_of(cluster.broker(3))
    said = goodbyes(cluster, 3)
    with faults.pod_deleted(broker, force=force) as fault:
        assert fault.nodes == ("broker-3",)
        assert (as_pod(broker).pod() or {"metadata": {}})["metadata"].get("uid") != before["metadata"]["uid"]
    after = pod_of(broker)
    assert after["metadata"]["name"] == before["metadata"]["name"]
    assert after["status"]["podIP"] != before["status"]["podIP"]
    assert force or len(goodbyes(cluster, 3)) > len(said)  # it was asked to go, and took its leave


def test_a_cordoned_node_takes_no_pod_and_keeps_what_it_has(cluster: Cluster, run_kubectl: Kubectl) -> None:
    broker = cluster.broker(2)
    where, before = machine(broker), uid(broker)
    with faults.node_cordoned(broker):
        assert "SchedulingDisabled" in run_kubectl("get", "node", where)
        assert uid(broker) == before and broker.state == "running"
        with faults.node_cordoned(broker) as inner:
            assert inner.nodes == ()
        assert "SchedulingDisabled" in run_kubectl("get", "node", where)
        as_pod(broker).api.delete("Pod", broker.name, as_pod(broker).facts.namespace)
        wait_until(lambda: "Unschedulable" in trouble(as_pod(broker).pod()), 60, because="its next pod to be pending")
    assert "SchedulingDisabled" not in run_kubectl("get", "node", where)
    wait_until(lambda: is_ready(as_pod(broker).pod()), 120, because="it to be back")
    broker.start()


def test_a_drained_node_is_empty_of_us_until_the_end(cluster: Cluster, run_kubectl: Kubectl) -> None:
    broker = cluster.broker(1)
    where, before = machine(broker), uid(broker)
    with faults.node_drained(broker, timeout_s=120):
        assert "SchedulingDisabled" in run_kubectl("get", "node", where)
        assert (as_pod(broker).pod() or {"metadata": {}})["metadata"].get("uid") != before
    assert uid(broker) != before and broker.state == "running"
    assert "SchedulingDisabled" not in run_kubectl("get", "node", where)


def test_a_drain_that_a_budget_forbids_names_it_and_leaves_nothing_cordoned(
    cluster: Cluster, run_kubectl: Kubectl
) -> None:
    broker, other = cluster.broker(1), cluster.broker(2)
    where = machine(broker)
    with faults.paused(other):
        wait_until(lambda: not is_ready(as_pod(other).pod()), 60, because="the frozen one not to be ready")
        with (
            pytest.raises(LabError, match=r"(?s)disruption budget.*broker \("),
            faults.node_drained(broker, timeout_s=3),
        ):
            pytest.fail("the block must not begin")
    assert "SchedulingDisabled" not in run_kubectl("get", "node", where)


def test_a_frozen_node_is_lost_for_kubernetes_and_back_afterwards(cluster: Cluster, api: Api) -> None:
    broker = cluster.broker(3)
    where = machine(broker)
    with faults.node_frozen(broker):
        assert cluster.topic("t").wait_for_leader(other_than=3, timeout_s=60) in (1, 2)
        wait_until(lambda: not machine_is_ready(api, where), 120, because=f"{where} to be taken for lost")
    assert machine_is_ready(api, where) and broker.state == "running"


def test_a_node_that_is_gone_is_back_afterwards_with_its_volumes(cluster: Cluster, api: Api) -> None:
    broker = cluster.broker(3)
    where, said = machine(broker), goodbyes(cluster, 3)
    with faults.node_gone(broker):
        wait_until(lambda: not machine_is_ready(api, where), 120, because=f"{where} to be taken for lost")
    assert machine_is_ready(api, where) and broker.state == "running"
    assert broker.sizes("t", 0)
    assert goodbyes(cluster, 3) == said, "it had the time to hand its partitions over"


def test_an_isolated_broker_leaves_the_isr_and_is_still_reached_from_here(cluster: Cluster) -> None:
    with faults.isolated(cluster.broker(3)):
        wait_until(lambda: 3 not in cluster.topic("t").isr(), 90, because="the others to give it up")
        assert cluster.broker(3).metadata().brokers  # by its port-forward, which no policy stops


def test_a_lost_volume_is_another_one_and_its_records_come_from_the_others(cluster: Cluster, api: Api) -> None:
    broker, namespace = cluster.broker(2), as_pod(cluster.broker(2)).facts.namespace

    def volume() -> Any:
        return api.get("PersistentVolumeClaim", "data-broker-2", namespace)["spec"].get("volumeName")

    before = volume()
    with cluster.producer(acks="all") as producer:
        producer.send("t", value="kept", partition=0).get(timeout=60)
    with faults.volume_lost(broker):
        assert volume() != before
    wait_until(lambda: any(name.endswith(".log") for name in broker.sizes("t", 0)), 60, because="its replica")
    assert cluster.topic("t").wait_for_isr(size=3, timeout_s=120) == [1, 2, 3]
    (log,) = [name for name in broker.sizes("t", 0) if name.endswith(".log")]
    assert b"kept" in broker.read(log)


def test_an_image_that_cannot_be_pulled_keeps_a_broker_down(cluster: Cluster) -> None:
    broker = cluster.broker(1)
    with faults.image_unpullable(broker):
        assert "mage" in trouble(as_pod(broker).pod()).partition(":")[0]
        wait_until(lambda: broker.state == "stopped", 30, because="it to be down")
    assert broker.state == "running"


def test_an_exhausted_quota_keeps_a_pod_from_coming_back(cluster: Cluster, run_kubectl: Kubectl) -> None:
    broker, namespace = cluster.broker(2), as_pod(cluster.broker(2)).facts.namespace

    def refusals() -> str:
        return run_kubectl("-n", namespace, "get", "events", "--field-selector=reason=FailedCreate", "-o", "name")

    with faults.quota_exhausted(broker):
        assert as_pod(broker).pod() is None
        wait_until(refusals, 60, because="the StatefulSet to be refused")
        assert broker.state == "stopped"
    assert broker.state == "running"
