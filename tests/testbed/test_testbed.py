"""The testbed is what it claims to be. Part of `make kubernetes-test`, which builds it."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from labsupport.core.wait import wait_until
from testbed.images.components import BUSYBOX_IMAGE
from testbed.paths import BIN, CONTEXT, HERE, KUBECONFIG
from testbed.programs import KUBERNETES, all_programs

pytestmark = pytest.mark.only_on("kubernetes")

ZONE = "topology.kubernetes.io/zone"
CSI_CLASS, SNAPSHOT_CLASS = "csi-hostpath-sc", "csi-hostpath-snapclass"


def run(*words: str, stdin: str | None = None, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """kubectl on the testbed, whatever comes of it."""
    command = [str(BIN / "kubectl"), f"--kubeconfig={KUBECONFIG}", f"--context={CONTEXT}", *words]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)


def kubectl(*words: str, stdin: str | None = None) -> str:
    """kubectl on the testbed; its answer."""
    ended = run(*words, stdin=stdin)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def get(*words: str) -> Any:
    """Objects as kubectl reads them."""
    return json.loads(kubectl("get", "--output=json", *words))


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace of this run; it and all in it are gone afterwards."""
    name = f"testbed-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    yield name
    ended = run("delete", "namespace", name, "--timeout=90s", timeout_s=120)
    assert ended.returncode == 0, ended.stderr


def apply(namespace: str, *objects: dict[str, Any]) -> None:
    """Create or change these objects."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    kubectl(f"--namespace={namespace}", "apply", "--filename=-", stdin=text)


def pod(name: str, command: str, *, claim: str | None = None, node: str | None = None) -> dict[str, Any]:
    """A pod of one busybox, labelled with its name; a claim's volume is its /data."""
    container: dict[str, Any] = {"name": "c", "image": BUSYBOX_IMAGE, "command": ["sh", "-c", command]}
    spec: dict[str, Any] = {"containers": [container], "terminationGracePeriodSeconds": 0}
    if claim is not None:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    if node is not None:
        spec["nodeSelector"] = {"kubernetes.io/hostname": node}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def claim(name: str, **spec: Any) -> dict[str, Any]:
    """A claim of 100 MiB, of the default class unless `spec` says another."""
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}, **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": wanted}


def wait_for_pods(namespace: str, *names: str) -> None:
    """Return once they are Ready."""
    kubectl(f"--namespace={namespace}", "wait", "--for=condition=Ready", "--timeout=50s", *(f"pod/{n}" for n in names))


def inside(namespace: str, name: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell's command in a pod."""
    return run(f"--namespace={namespace}", "exec", name, "--", "sh", "-c", command)


def test_three_workers_are_ready_each_in_its_own_zone() -> None:
    """And one control plane, which takes no pods of ours."""
    nodes = get("nodes")["items"]
    ready = [n for n in nodes for c in n["status"]["conditions"] if (c["type"], c["status"]) == ("Ready", "True")]
    assert len(ready) == 4
    workers = [n for n in nodes if "node-role.kubernetes.io/control-plane" not in n["metadata"]["labels"]]
    assert sorted(n["metadata"]["labels"][ZONE] for n in workers) == ["zone-a", "zone-b", "zone-c"]
    assert {n["status"]["nodeInfo"]["kubeletVersion"] for n in nodes} == {KUBERNETES}


def test_a_shell_gets_the_pinned_programs_and_a_kubeconfig_of_its_own() -> None:
    """`eval "$(testbed/env)"`, and nothing in ~/.kube."""
    asked = "helm version --template '{{.Version}}'; kind version; kubectl version; kubectl config current-context"
    script = f'eval "$("{HERE}/env")" && {asked}; echo "$KUBECONFIG"'
    ended = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    versions = {name: all_programs()[name].version for name in ("helm", "kind", "kubernetes")}
    assert ended.stdout.startswith(versions["helm"])
    assert f"kind {versions['kind']} " in ended.stdout
    assert f"Client Version: {versions['kubernetes']}" in ended.stdout
    assert f"Server Version: {versions['kubernetes']}" in ended.stdout
    assert ended.stdout.splitlines()[-2:] == [CONTEXT, str(KUBECONFIG)]
    assert KUBECONFIG.stat().st_mode & 0o777 == 0o600


def test_the_default_class_provisions_a_volume(namespace: str) -> None:
    """A claim that names no class is bound once a pod wants it, and keeps what the pod writes."""
    apply(namespace, claim("kept"), pod("keeper", "echo here > /data/f; sleep 3600", claim="kept"))
    wait_for_pods(namespace, "keeper")
    bound = get("persistentvolumeclaim", "kept", f"--namespace={namespace}")
    assert (bound["status"]["phase"], bound["spec"]["storageClassName"]) == ("Bound", "standard")
    wait_until(lambda: inside(namespace, "keeper", "cat /data/f").stdout == "here\n", 10, because="the file")


def test_names_of_services_and_of_pods_resolve(namespace: str) -> None:
    """A headless Service's pod has a name of its own. The control: a name that is nobody's does not resolve."""
    service = {"clusterIP": "None", "selector": {"app": "named"}, "publishNotReadyAddresses": True}
    metadata = {"name": "names"}
    named = pod("named", "sleep 3600")
    named["spec"] |= {"hostname": "named", "subdomain": "names"}
    apply(namespace, named, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service})
    wait_for_pods(namespace, "named")
    address = get("pod", "named", f"--namespace={namespace}")["status"]["podIP"]
    domain = f"{namespace}.svc.cluster.local"

    def resolves(name: str) -> bool:
        return inside(namespace, "named", f"nslookup {name}").returncode == 0

    wait_until(lambda: resolves(f"named.names.{domain}"), 20, because="the pod's name")
    assert address in inside(namespace, "named", f"nslookup named.names.{domain}").stdout
    assert resolves("kubernetes.default.svc.cluster.local")
    assert not resolves(f"nobody.names.{domain}")


def test_a_network_policy_is_enforced(namespace: str) -> None:
    """The control is the same request before and after: only with the policy does it fail."""
    workers = sorted(n["metadata"]["name"] for n in get("nodes", f"--selector={ZONE}")["items"])
    apply(
        namespace,
        pod("server", "echo hello > /tmp/index.html; exec httpd -f -h /tmp -p 8080", node=workers[0]),
        pod("client", "sleep 3600", node=workers[1]),
    )
    wait_for_pods(namespace, "server", "client")
    address = get("pod", "server", f"--namespace={namespace}")["status"]["podIP"]

    def reached() -> bool:  # not wget -T: it crashes in Debian 12's busybox
        return inside(namespace, "client", f"timeout 2 wget -qO- http://{address}:8080/").stdout == "hello\n"

    nothing = {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"]}
    metadata = {"name": "nothing"}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": nothing}
    wait_until(reached, 20, because="an answer without a policy")
    apply(namespace, policy)
    wait_until(lambda: not reached(), 20, because="a refusal with the policy")
    assert not reached()
    kubectl(f"--namespace={namespace}", "delete", "networkpolicy", "nothing")
    wait_until(reached, 20, because="an answer without the policy")


def test_a_snapshot_brings_old_data_back(namespace: str) -> None:
    """The restored volume has what was written before the snapshot; the control is the source, which has the new."""
    apply(namespace, claim("source", storageClassName=CSI_CLASS), pod("writer", "sleep 3600", claim="source"))
    wait_for_pods(namespace, "writer")
    assert inside(namespace, "writer", "echo old > /data/f; sync").returncode == 0
    take_snapshot(namespace, of="source", name="before")
    assert inside(namespace, "writer", "echo new > /data/f; sync").returncode == 0
    source = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "before"}
    node = get("pod", "writer", f"--namespace={namespace}")["spec"]["nodeName"]  # a snapshot is on one node
    apply(
        namespace,
        claim("restored", storageClassName=CSI_CLASS, dataSource=source),
        pod("reader", "sleep 3600", claim="restored", node=node),
    )
    wait_for_pods(namespace, "reader")
    assert inside(namespace, "reader", "cat /data/f").stdout == "old\n"
    assert inside(namespace, "writer", "cat /data/f").stdout == "new\n"


def take_snapshot(namespace: str, *, of: str, name: str) -> None:
    """Return once it is ready to use."""
    spec = {"volumeSnapshotClassName": SNAPSHOT_CLASS, "source": {"persistentVolumeClaimName": of}}
    metadata = {"name": name}
    kind = {"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot"}
    apply(namespace, {**kind, "metadata": metadata, "spec": spec})
    ready = "--for=jsonpath={.status.readyToUse}=true"
    kubectl(f"--namespace={namespace}", "wait", ready, f"volumesnapshot/{name}", "--timeout=50s")


def test_volumes_and_snapshots_are_deleted_with_their_objects(namespace: str) -> None:
    """No folder of the driver outlives the claim and the snapshot that it was for."""
    apply(namespace, claim("brief", storageClassName=CSI_CLASS), pod("user", "sleep 3600", claim="brief"))
    wait_for_pods(namespace, "user")
    take_snapshot(namespace, of="brief", name="brief")
    node = get("pod", "user", f"--namespace={namespace}")["spec"]["nodeName"]
    volume = get("persistentvolumeclaim", "brief", f"--namespace={namespace}")["spec"]["volumeName"]
    content = get("volumesnapshot", "brief", f"--namespace={namespace}")["status"]["boundVolumeSnapshotContentName"]
    snapshot = get("volumesnapshotcontent", content)["status"]["snapshotHandle"]
    assert {volume, snapshot} <= folders_on(node)
    for kind, name in (("volumesnapshot", "brief"), ("pod", "user"), ("persistentvolumeclaim", "brief")):
        kubectl(f"--namespace={namespace}", "delete", kind, name)
    wait_until(lambda: not {volume, snapshot} & folders_on(node), 30, because="the folders to be gone")


def folders_on(node: str) -> set[str]:
    """What our CSI driver keeps on a node."""
    driver = get(
        "pods", "--namespace=kube-system", "--selector=app=csi-folders", f"--field-selector=spec.nodeName={node}"
    )
    name = driver["items"][0]["metadata"]["name"]
    listed = "ls /var/lib/csi-folders/volumes /var/lib/csi-folders/snapshots"
    return set(kubectl("--namespace=kube-system", "exec", name, "--container=driver", "--", "sh", "-c", listed).split())
