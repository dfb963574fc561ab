"""What is left of a cluster whose owner cannot tidy up, and clusters of Kubernetes that kind makes and removes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labsupport.cluster import owners, registry
from labsupport.cluster.kubernetes.api import Api
from labsupport.cluster.kubernetes.names import CREATED, MANAGED_BY, MANAGER, OWNER, PREFIX
from labsupport.cluster.kubernetes.sweep import HOURS
from labsupport.core.wait import wait_until
from tests.cluster.outside import things_of
from tests.marked import kill_keepers, processes_of

pytestmark = pytest.mark.only_on("kubernetes")

START = """
import time
from labsupport.cluster.cluster import Cluster
cluster = Cluster.start(brokers=1, name="orphan", backend="kubernetes")
print("ready", flush=True)
time.sleep(600)
"""


def kafka_lab(*arguments: str, env: dict[str, str] | None = None) -> str:
    command = [sys.executable, "-m", "labsupport.cli", *arguments]
    ended = subprocess.run(
        command, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False, timeout=400
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@contextmanager
def namespace(api: Api, name: str, owner: str, age_h: float = 0) -> Iterator[str]:
    """A namespace as the backend makes it; gone at the end."""
    annotations = {OWNER: owner, CREATED: str(int(time.time() - age_h * 3600))}
    meta = {"name": PREFIX + name, "labels": {MANAGED_BY: MANAGER}, "annotations": annotations}
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    try:
        yield PREFIX + name
    finally:
        api.delete("Namespace", PREFIX + name)


def is_there(api: Api, name: str) -> bool:
    found = api.find("Namespace", name)
    return found is not None and "deletionTimestamp" not in found["metadata"]


def test_a_sweep_removes_what_is_dead_or_old_and_nothing_else(api: Api) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        dead_owner = owners.owner(process.pid)
    living, elsewhere = owners.owner(os.getpid()), "another-machine/pid:[1] 1 1"
    with (
        namespace(api, "dead", dead_owner) as dead,
        namespace(api, "old", elsewhere, age_h=HOURS + 1) as old,
        namespace(api, "alive", living) as alive,
        namespace(api, "elsewhere", elsewhere) as far,
    ):
        said = kafka_lab("kubernetes", "sweep")
        assert {dead, old} <= set(said.split()) and not {alive, far} & set(said.split())
        assert [is_there(api, name) for name in (dead, old, alive, far)] == [False, False, True, True]


def test_with_supervisor_and_janitor_killed_the_next_start_removes_the_namespace(api: Api) -> None:
    with subprocess.Popen([sys.executable, "-c", START], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            kill_keepers("orphan", process.pid)
        finally:
            process.kill()
    wait_until(lambda: not processes_of("orphan"), 20, because="their end")
    assert is_there(api, f"{PREFIX}orphan")
    assert "orphan" in registry.sweep()
    wait_until(lambda: not things_of("orphan", "kubernetes"), 60, because="nothing of it to be left")


@pytest.mark.timeout(600)
def test_kind_makes_a_cluster_of_three_zones_and_removes_it(tmp_path: Path) -> None:
    """Where no node image can be pulled, KAFKA_LAB_NODE_IMAGE names a local one: that of the cluster that is here."""
    kind, docker = shutil.which("kind"), shutil.which("docker")
    if kind is None or docker is None:
        pytest.skip("kind and docker are not both installed: this Kubernetes is somebody else's")
    node_image = ["container", "ls", "--filter", "label=io.x-k8s.kind.role=worker", "--format", "{{.Image}}"]
    (image,) = set(subprocess.run([docker, *node_image], capture_output=True, text=True, check=True).stdout.split())
    env = {"KAFKA_LAB_NODE_IMAGE": image, "KUBECONFIG": str(tmp_path / "kubeconfig")}
    try:
        assert "spare is ready" in kafka_lab("kubernetes", "create", "--name", "spare", env=env)
        nodes = json.loads(
            subprocess.run(
                ["kubectl", "--context", "kind-spare", "get", "nodes", "-o", "json"],
                env={**os.environ, **env},
                capture_output=True,
                check=True,
            ).stdout
        )["items"]
        zones = [node["metadata"]["labels"].get("topology.kubernetes.io/zone") for node in nodes]
        assert sorted(filter(None, zones)) == ["zone-a", "zone-b", "zone-c"] and len(nodes) == 4
        assert "there already" in kafka_lab("kubernetes", "create", "--name", "spare", env=env)
    finally:
        kafka_lab("kubernetes", "delete", "--name", "spare", env=env)
    assert "no cluster spare" in kafka_lab("kubernetes", "delete", "--name", "spare", env=env)
    left = [docker, "container", "ls", "--all", "--quiet", "--filter", "label=io.x-k8s.kind.cluster=spare"]
    assert subprocess.run(left, capture_output=True, text=True, check=True).stdout == ""
