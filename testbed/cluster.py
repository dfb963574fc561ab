"""The cluster: created by kind, with NetworkPolicy enforced; VolumeSnapshots come after it, in snapshots.py."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from testbed import kernel, stamps
from testbed.images.components import NODE_IMAGE
from testbed.paths import BIN, CLUSTER, CONTEXT, HERE, KUBECONFIG, LOGS, PROGRAMS, STATE
from testbed.report import TestbedError, ask, run, say, step, succeeds, there

LOG = LOGS / "cluster.log"
KIND = PROGRAMS / "kind"
KUBECTL = PROGRAMS / "kubectl"
CONFIG = HERE.parent / "deploy" / "kind.yaml"  #: what a user's kind runs, with kind's own node image
NETWORK = "kind"  #: the Docker network that kind makes and never removes
NODES = 4
KERNEL_BEFORE = STATE / "kernel.json"
#: What nodes set on the whole machine. The kubelet: pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables.
KUBELET_SETTINGS = (
    "vm.overcommit_memory",
    "vm.panic_on_oom",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.keys.root_maxkeys",
    "kernel.keys.root_maxbytes",
)
#: What we raise ourselves. A node uses some 15 inotify instances; at the usual limit, 128 for all processes of a user,
#: a machine with other work has none left, and kube-proxy ends with "too many open files".
INOTIFY_SETTING, INOTIFY_INSTANCES = "fs.inotify.max_user_instances", 1024
#: systemd in a node: itself, and by the files in Debian's /usr/lib/sysctl.d.
SYSTEMD_SETTINGS = (
    "fs.file-max",
    "fs.nr_open",
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "kernel.pid_max",
)


def up() -> None:
    """Return with four nodes Ready, DNS, the default storage class and enforced policies."""
    title = f"Cluster {CLUSTER}"
    if is_ready():
        there(title)
        return
    with step(title, expected_s=45):
        if exists() and not revived():
            say("  the cluster that is there does not answer: it is made anew")
            delete()
        if not exists():
            create()
        wait_for_nodes(240)
        apply(HERE / "manifests" / "netpol.yaml")
        wait_for_rollouts(
            "kube-system deployment/coredns",
            "kube-system daemonset/kube-proxy",
            "kube-system daemonset/netpol",
            "local-path-storage deployment/local-path-provisioner",
        )
        applied("netpol", HERE / "manifests" / "netpol.yaml").mark()


def create() -> None:
    """kind's own work, with a kubeconfig of our own."""
    prepare_kernel()
    KUBECONFIG.unlink(missing_ok=True)
    flags = ["--name", CLUSTER, "--config", str(CONFIG), "--image", NODE_IMAGE, "--kubeconfig", str(KUBECONFIG)]
    run(KIND, "create", "cluster", *flags, "--wait", "240s", env=environment(), log=LOG)
    KUBECONFIG.chmod(0o600)


def revived() -> bool:
    """Start the nodes of a cluster whose engine was stopped; whether the cluster answers again."""
    prepare_kernel()
    run("docker", "start", *nodes())
    run(KIND, "export", "kubeconfig", "--name", CLUSTER, "--kubeconfig", KUBECONFIG, env=environment())
    KUBECONFIG.chmod(0o600)
    try:
        wait_for_nodes(240)
    except TestbedError:
        return False
    return True


def is_ready() -> bool:
    """Whether the cluster answers with every node Ready and our policies' enforcer on it."""
    if not KUBECONFIG.exists() or not KUBECTL.exists() or not kubectl_succeeds("get", "--raw", "/readyz"):
        return False
    enforced = applied("netpol", HERE / "manifests" / "netpol.yaml").is_fresh() and is_rolled_out("daemonset/netpol")
    return ready_nodes() == NODES and enforced


def applied(name: str, manifest: Path, *more: str) -> stamps.Stamp:
    """Whether this manifest, as it is today, was applied to this very cluster; `more` is what else it depends on."""
    cluster = kubectl("get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}")
    return stamps.Stamp(f"applied-{name}", inputs=(cluster, manifest.read_text(), *more), outputs=())


def is_rolled_out(*workloads: str) -> bool:
    """Whether each `kind/name` of kube-system has all its pods."""
    rollout = ("--namespace=kube-system", "rollout", "status", "--timeout=1s")
    return all(kubectl_succeeds(*rollout, workload) for workload in workloads)


def ready_nodes() -> int:
    """How many nodes say that they are Ready."""
    listed = json.loads(kubectl("get", "nodes", "--output=json"))["items"]
    conditions = [condition for node in listed for condition in node["status"]["conditions"]]
    return sum(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def wait_for_nodes(timeout_s: float) -> None:
    """Return once all nodes are Ready; `TestbedError` after `timeout_s` seconds."""
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if kubectl_succeeds("get", "--raw", "/readyz") and ready_nodes() == NODES:
            return
        time.sleep(0.5)
    raise TestbedError(f"Not all {NODES} nodes are Ready after {timeout_s:.0f} s.", fix=f"See {LOG}.")


def wait_for_rollouts(*workloads: str) -> None:
    """Return once each `namespace kind/name` has all its pods; `TestbedError` after four minutes."""
    for workload in workloads:
        namespace, name = workload.split()
        kubectl(f"--namespace={namespace}", "rollout", "status", name, "--timeout=240s")


def apply(*files: object) -> None:
    """`kubectl apply` of these files."""
    kubectl("apply", *(f"--filename={file}" for file in files))


def kubectl(*words: str) -> str:
    """The answer of kubectl on our cluster."""
    return ask(KUBECTL, f"--kubeconfig={KUBECONFIG}", f"--context={CONTEXT}", *words)


def kubectl_succeeds(*words: str) -> bool:
    """Whether kubectl answers on our cluster."""
    return succeeds(KUBECTL, f"--kubeconfig={KUBECONFIG}", f"--context={CONTEXT}", "--request-timeout=5s", *words)


def exists() -> bool:
    """Whether there are nodes of ours, running or not."""
    return bool(nodes())


def nodes() -> list[str]:
    """The containers that are our nodes."""
    label = f"label=io.x-k8s.kind.cluster={CLUSTER}"
    return ask("docker", "ps", "--all", "--filter", label, "--format", "{{.Names}}").split()


def environment() -> dict[str, str]:
    """Ours with our programs in front: kind calls docker, and no kubectl but its nodes' own."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "KIND_EXPERIMENTAL_PROVIDER": "docker"}


def prepare_kernel() -> None:
    """Remember the machine's settings, and raise the one that four nodes need higher."""
    remember_kernel()
    if int(kernel.values([INOTIFY_SETTING])[INOTIFY_SETTING]) < INOTIFY_INSTANCES:
        kernel.write({INOTIFY_SETTING: str(INOTIFY_INSTANCES)})


def remember_kernel() -> None:
    """Keep the machine's settings before the first kubelet of this boot changes them."""
    if KERNEL_BEFORE.exists() and json.loads(KERNEL_BEFORE.read_text())["boot"] == kernel.boot_id():
        return
    STATE.mkdir(parents=True, exist_ok=True)
    record = {
        "boot": kernel.boot_id(),
        "values": kernel.values((INOTIFY_SETTING, *KUBELET_SETTINGS, *SYSTEMD_SETTINGS)),
    }
    KERNEL_BEFORE.write_text(json.dumps(record, indent=2) + "\n")


def down() -> None:
    """Delete the cluster, kind's network if nobody else is on it, and put the kernel's settings back."""
    if exists():
        with step(f"Cluster {CLUSTER} is deleted", expected_s=15):
            delete()
    if not ask("docker", "ps", "--all", "--filter", f"network={NETWORK}", "--quiet"):
        succeeds("docker", "network", "rm", NETWORK)
    restore_kernel()


def delete() -> None:
    """Every node with its volumes, and the kubeconfig."""
    run(KIND, "delete", "cluster", "--name", CLUSTER, "--kubeconfig", KUBECONFIG, env=environment(), log=LOG)
    KUBECONFIG.unlink(missing_ok=True)


def restore_kernel() -> None:
    """Put back what kubelets changed, if it was in this boot and no other kind cluster is here."""
    if not KERNEL_BEFORE.exists():
        return
    if ask("docker", "ps", "--quiet", "--filter", "label=io.x-k8s.kind.cluster"):
        say("  kernel settings: stay, another kind cluster is running")
        return
    record = json.loads(KERNEL_BEFORE.read_text())
    if record["boot"] == kernel.boot_id():
        kernel.write(record["values"])
    KERNEL_BEFORE.unlink()
