"""The manifests as they lie, and what the backend makes of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from labsupport.cluster.kubernetes.layout import Layout, places
from labsupport.cluster.kubernetes.manifests import (
    FOLDER,
    Wanted,
    containers,
    fill_in,
    load,
    megabytes,
    milli_cpu,
    needs,
)
from labsupport.cluster.spec import DEFAULT_VERSION, build_spec
from labsupport.provision.image.scripts import log_settings

GOLDEN = Path(__file__).parent / "golden"
MODES = ["kraft", "zookeeper"]
IMAGE = "example/kafka:1"


def layout(*, namespace: str = "kafka-lab-demo", first_port: int = 20000, **spec: Any) -> Layout:
    wanted = build_spec(name="demo", **spec)
    return Layout(wanted, namespace, {p.name: first_port + i for i, p in enumerate(places(wanted))})


def filled(**spec: Any) -> list[dict[str, Any]]:
    wanted = Wanted(layout=layout(**spec), image=IMAGE, cluster_id="id", annotations={"kafka-lab/owner": "me"})
    return fill_in(load(wanted.layout.spec.coordination), wanted)


def one(items: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [item for item in items if item["kind"] == kind and item["metadata"]["name"] == name]
    return found


def by_name(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["name"]: row for row in rows}


@pytest.mark.parametrize("mode", MODES)
def test_the_settings_in_the_manifests_are_what_the_backend_would_write(mode: str) -> None:
    """So whoever reads them, or applies them by hand, sees what the lab runs."""
    spec = build_spec(name="kafka", coordination=mode, controllers=3 if mode == "kraft" else 1)
    by_hand = Layout(spec, "kafka", {p.name: 19090 + p.node_id for p in places(spec)})
    data = one(load(mode), "ConfigMap", "config")["data"]
    data.pop("cluster-id", None)
    assert data == by_hand.config()


@pytest.mark.parametrize("version", ["3.9.2", "4.3.1"])
def test_pods_log_as_the_lab_does_elsewhere(version: str) -> None:
    scripts = one(load("kraft"), "ConfigMap", "scripts")["data"]
    _, file, text = log_settings(version)
    assert lines(scripts[file]) == lines(text)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("mode", MODES)
def test_each_pod_is_confined_and_none_can_speak_to_kubernetes(mode: str) -> None:
    sets = [item for item in load(mode) if item["kind"] == "StatefulSet"]
    assert len(sets) == 2
    for item in sets:
        pod = item["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(item):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys() & container["resources"][
                "limits"
            ].keys()
            assert "livenessProbe" not in container
        assert "readinessProbe" in pod["containers"][0]
        assert {c["topologyKey"] for c in pod["topologySpreadConstraints"]} == {
            "topology.kubernetes.io/zone",
            "kubernetes.io/hostname",
        }


@pytest.mark.parametrize("mode", MODES)
def test_the_manifests_name_the_public_image_of_the_default_version(mode: str) -> None:
    images = {c["image"] for item in load(mode) if item["kind"] == "StatefulSet" for c in containers(item)}
    assert images == {f"apache/kafka:{DEFAULT_VERSION[mode]}"}  # type: ignore[index]


@pytest.mark.parametrize("mode", MODES)
def test_every_set_has_a_headless_service_of_its_name_and_a_budget(mode: str) -> None:
    items = load(mode)
    for item in (item for item in items if item["kind"] == "StatefulSet"):
        service = one(items, "Service", item["spec"]["serviceName"])
        assert service["spec"]["clusterIP"] == "None"
        assert service["spec"]["publishNotReadyAddresses"] is True
        assert service["spec"]["selector"] == item["spec"]["selector"]["matchLabels"]
        budget = one(items, "PodDisruptionBudget", item["metadata"]["name"])
        assert budget["spec"] == {"maxUnavailable": 1, "selector": item["spec"]["selector"]}


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("kraft", {"controllers": 3, "racks": ["a", "b", "c"]}),
        ("kraft-combined", {}),
        ("zookeeper", {"coordination": "zookeeper", "controllers": 3, "log_dirs": 2}),
    ],
)
def test_filled_in(name: str, spec: dict[str, Any]) -> None:
    """Golden files: all that the backend applies, but for the scripts, which it leaves alone."""
    items = [item for item in filled(**spec) if item["metadata"]["name"] != "scripts"]
    text = yaml.safe_dump_all(items, sort_keys=False, width=120)
    golden = GOLDEN / f"kubernetes-{name}.yaml"
    assert text == golden.read_text(), f"if this is meant, write it to {golden.name}"


def test_everything_but_the_namespace_itself_is_in_the_namespace_of_the_cluster() -> None:
    items = filled(controllers=3)
    assert {item["metadata"].get("namespace") for item in items if item["kind"] != "Namespace"} == {"kafka-lab-demo"}
    assert one(items, "Namespace", "kafka-lab-demo")["metadata"]["annotations"] == {"kafka-lab/owner": "me"}
    assert "kafka.svc" not in json.dumps([item for item in items if item["metadata"]["name"] == "config"])


def test_pods_are_numbered_as_kafka_numbers_its_nodes() -> None:
    items = filled(brokers=5, controllers=3)
    broker, controller = (one(items, "StatefulSet", name)["spec"] for name in ("broker", "controller"))
    assert (broker["replicas"], broker["ordinals"]) == (5, {"start": 1})
    assert (controller["replicas"], controller["ordinals"]) == (3, {"start": 101})


def test_without_separate_controllers_the_brokers_vote_and_nothing_of_controllers_is_made() -> None:
    items = filled()
    assert not [item for item in items if "controller" in item["metadata"]["name"]]
    settings = layout().settings(places(build_spec(name="demo"))[0])
    assert settings["process.roles"] == "broker,controller"
    assert settings["controller.quorum.voters"].startswith("1@broker-1.brokers.kafka-lab-demo.svc:9093,")
    ports = one(items, "StatefulSet", "broker")["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert by_name(ports)["controller"]["containerPort"] == 9093


def test_every_container_runs_the_image_that_was_chosen() -> None:
    sets = [item for item in filled(controllers=1) if item["kind"] == "StatefulSet"]
    assert {c["image"] for item in sets for c in containers(item)} == {IMAGE}


def test_a_broker_for_throughput_gets_memory_and_a_controller_does_not() -> None:
    quick, large = (filled(controllers=1, profile=profile) for profile in ("quick", "throughput"))

    def memory(items: list[dict[str, Any]], name: str) -> int:
        kafka = one(items, "StatefulSet", name)["spec"]["template"]["spec"]["containers"][0]
        heap = by_name(kafka["env"])["KAFKA_HEAP_OPTS"]["value"]
        megabytes_of_heap = int(heap.rpartition("-Xmx")[2].replace("1g", "1024m")[:-1])
        assert megabytes(kafka["resources"]["requests"]["memory"]) >= megabytes_of_heap
        return megabytes_of_heap

    assert (memory(quick, "broker"), memory(large, "broker")) == (256, 1024)
    assert memory(quick, "controller") == memory(large, "controller")


def test_the_quota_lets_all_nodes_run_at_once_and_leaves_some_room() -> None:
    for spec in ({}, {"brokers": 9, "controllers": 5, "profile": "throughput"}):
        items = filled(**spec)
        hard, need = one(items, "ResourceQuota", "quota")["spec"]["hard"], needs(items)
        assert int(hard["pods"]) > need["pods"]
        assert megabytes(hard["requests.memory"]) > need["memory_mb"]
        assert megabytes(hard["limits.memory"]) > need["most_memory_mb"]
        assert megabytes(hard["requests.storage"]) > need["storage_mb"]
        assert milli_cpu(hard["requests.cpu"]) > need["cpu_m"]


@pytest.mark.parametrize(
    ("words", "size_mb"), [("1Gi", 1024), ("384Mi", 384), ("16374068Ki", 15990), ("1G", 953), (2**20, 1), ("0", 0)]
)
def test_words_for_memory(words: object, size_mb: int) -> None:
    assert megabytes(words) == size_mb


@pytest.mark.parametrize(("words", "milli"), [("100m", 100), ("2", 2000), (1, 1000), ("0.5", 500)])
def test_words_for_processor_time(words: object, milli: int) -> None:
    assert milli_cpu(words) == milli


@pytest.mark.parametrize("mode", MODES)
def test_the_backend_reads_what_kustomize_reads(mode: str) -> None:
    """`load` knows of kustomizations only that they list resources; nothing else may stand in ours."""
    for file in FOLDER.rglob("kustomization.yaml"):
        if file.parent.name in (mode, "common"):
            assert yaml.safe_load(file.read_text()).keys() == {"apiVersion", "kind", "resources"}
    assert len(load(mode)) == 11


def test_each_node_finds_its_settings_under_its_own_name() -> None:
    script = one(load("kraft"), "ConfigMap", "scripts")["data"]["start.sh"]
    assert re.search(r"config=/etc/kafka-lab/\$HOSTNAME\.properties", script)
    assert set(layout(controllers=1).config()) == {
        "controller-101.properties",
        "broker-1.properties",
        "broker-2.properties",
        "broker-3.properties",
    }
