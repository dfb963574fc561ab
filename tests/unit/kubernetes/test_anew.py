"""What belongs to one cluster alone is no part of what is declared; and a kubeconfig that names a namespace."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from labsupport.cluster.kubernetes.access import find_access
from labsupport.cluster.kubernetes.anew import declared_in
from labsupport.cluster.kubernetes.api import Api

USERS = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "kind-one",
    "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {"token": "secret"}}],
    "contexts": [{"name": "kind-one", "context": {"cluster": "one", "user": "me"}}],
}


class FakeApi:
    """Some objects of a namespace."""

    def __init__(self, port: int, volume: str, more: dict[str, str]) -> None:
        config = {"cluster-id": volume, "broker-1.properties": f"advertised.listeners=CLIENT://127.0.0.1:{port}\n"}
        self.objects: dict[str, list[dict[str, Any]]] = {
            "ConfigMap": [
                {"metadata": {"name": "config"}, "data": config | more},
                {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": volume}},
            ],
            "PersistentVolumeClaim": [
                {"metadata": {"name": "data-broker-1"}, "spec": {"volumeName": volume, "storageClassName": "standard"}}
            ],
            "Pod": [{"metadata": {"name": "broker-1"}, "spec": {"nodeName": volume}}],
        }

    def list(self, kind: str, _: str) -> list[dict[str, Any]]:
        return self.objects.get(kind, [])


def declared(port: int = 20001, volume: str = "pvc-1", **more: str) -> dict[str, Any]:
    return declared_in(cast(Api, FakeApi(port, volume, more)), "kafka-lab-x")


def test_ports_ids_volumes_and_nodes_differ_from_cluster_to_cluster() -> None:
    """And are left out; the rest is there, by kind and name."""
    assert declared(20001, "pvc-1") == declared(20099, "pvc-2")
    assert sorted(declared()) == ["ConfigMap config", "PersistentVolumeClaim data-broker-1"]


def test_what_somebody_changed_is_seen() -> None:
    """A setting, an address of another form, a class."""
    assert declared(**{"broker-2.properties": "a=b"}) != declared()
    assert declared(**{"broker-1.properties": "advertised.listeners=CLIENT://localhost:20001\n"}) != declared()


def test_the_namespace_is_named_before_the_users_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same context, so that whoever reads both goes to the same cluster as the same user; no secret is copied."""
    users, ours = tmp_path / "config", tmp_path / "kubeconfig"
    users.write_text(json.dumps(USERS))
    monkeypatch.delenv("KAFKA_LAB_CONTEXT", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(users))
    find_access().write_namespace("kafka-lab-x", ours)
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600
    assert "secret" not in ours.read_text() and "kafka-lab-x" in ours.read_text()
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(ours), str(users)]))
    both = find_access()
    assert both.context == "kind-one" and both.is_kind
    Api(both)  # the client finds server and user


def test_it_may_outlive_its_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that still names the file of a cluster that has ended reads the user's own."""
    (tmp_path / "config").write_text(json.dumps(USERS))
    monkeypatch.delenv("KAFKA_LAB_CONTEXT", raising=False)
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(tmp_path / "gone"), str(tmp_path / "config")]))
    assert find_access().context == "kind-one"
