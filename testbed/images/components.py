"""What is in each image of the cluster, under exactly the names that kubeadm and kind will ask for.

So no setting of the cluster differs from a user's; only where the images come from does. (The tag is kubeadm's, the
program is the one that versions.toml pins.)
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from testbed.images.archive import SEARCH_PATH, Files, Image, Link, Text
from testbed.paths import HERE, IMAGES, PROGRAMS
from testbed.programs import KUBERNETES, all_programs, module_folder
from testbed.report import ask

LOCAL = "/usr/local/bin/"
BUSYBOX = Path("/bin/busybox")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
BUSYBOX_IMAGE = "lab/busybox:1"
NODE_IMAGE = f"lab/kind-node:{KUBERNETES}"
NODE_BASE_IMAGE = "lab/kind-base:dev"
NETWORK_ROOT = IMAGES / "network-root.tar"
NODE_ROOT = IMAGES / "node-root.tar"
PAUSE = PROGRAMS / "pause"


def server_images() -> list[Image]:
    """All that the node image brings, except the three that have an archive of their own (see node.py)."""
    asked, kind = names_of_kubeadm(), names_of_kind()
    return [
        daemon("kube-apiserver"),
        Image(tags=(asked["etcd"],), layers=(programs("etcd", "etcdctl"),)),
        Image(
            tags=(asked["coredns"],), layers=({"/coredns": PROGRAMS / "coredns"}, outside()), entrypoint=("/coredns",)
        ),
        Image(tags=tuple(sorted({asked["pause"], sandbox()})), layers=({"/pause": PAUSE},), entrypoint=("/pause",)),
        Image(
            tags=(kind["kindnetdImage"],),
            layers=(NETWORK_ROOT, programs("kubectl"), {f"{LOCAL}cnid": HERE / "images" / "cnid.sh"}),
            entrypoint=(f"{LOCAL}cnid",),
        ),
        Image(tags=(kind["storageProvisionerImage"],), layers=(programs("local-path-provisioner"), outside())),
        Image(tags=(kind["storageHelperImage"], BUSYBOX_IMAGE), layers=(busybox(),), cmd=("/bin/sh",)),
        Image(
            tags=(f"lab/kube-router:{all_programs()['kube-router'].version}",),
            layers=(NETWORK_ROOT, programs("kube-router")),
            entrypoint=(f"{LOCAL}kube-router",),
        ),
    ]


def daemon(name: str, *below: Path) -> Image:
    """One of Kubernetes' own servers."""
    return Image(tags=(names_of_kubeadm()[name],), layers=(*below, programs(name)), entrypoint=(LOCAL + name,))


def node_base() -> Image:
    """What `kind build node-image` begins with: Debian with systemd, kind's own files, and the programs of a node."""
    return Image(
        tags=(NODE_BASE_IMAGE,),
        layers=(NODE_ROOT, node_files()),
        entrypoint=("/usr/local/bin/entrypoint", "/sbin/init"),
        env=(SEARCH_PATH, "container=docker"),
        config={"StopSignal": "SIGRTMIN+3"},
    )


def snapshot_images() -> list[Image]:
    """What VolumeSnapshots need: the two programs of external-snapshotter and our own driver."""
    version = all_programs()["snapshotter"].version
    upstream = [
        Image(tags=(f"lab/{name}:{version}",), layers=({f"/{name}": PROGRAMS / name},), entrypoint=(f"/{name}",))
        for name in ("snapshot-controller", "csi-snapshotter")
    ]
    ours = Image(
        tags=("lab/csi-folders:1",),
        layers=(busybox(), programs("csi-folders")),
        entrypoint=(f"{LOCAL}csi-folders",),
    )
    return [*upstream, ours]


def programs(*names: str) -> Files:
    """These of our programs, on the image's path."""
    return {LOCAL + name: PROGRAMS / name for name in names}


def outside() -> Files:
    """What a program that speaks TLS and writes temporary files expects."""
    return {"/etc/ssl/certs/ca-certificates.crt": AUTHORITIES, "/tmp/.keep": Text("")}


def busybox() -> Files:
    """A shell and its friends."""
    applets = [name for name in ask(BUSYBOX, "--list").split() if name != "busybox"]
    root: Files = {"/bin/busybox": BUSYBOX, "/etc/passwd": Text("root:x:0:0:root:/:/bin/sh\n"), "/tmp/.keep": Text("")}
    return {**root, **{f"/bin/{name}": Link("busybox") for name in applets}}


def names_of_kubeadm() -> dict[str, str]:
    """`etcd` -> `registry.k8s.io/etcd:3.7.0-0`, as kubeadm itself lists them."""
    listed = ask(PROGRAMS / "kubeadm", "config", "images", "list", "--kubernetes-version", KUBERNETES)
    return {name.rpartition("/")[2].partition(":")[0]: name for name in listed.split()}


def names_of_kind() -> dict[str, str]:
    """Constant -> image, from kind's source."""
    folder = module_folder("kind", "sigs.k8s.io/kind") / "pkg" / "build" / "nodeimage"
    return dict(
        re.findall(r'const (\w+) = "([^"]+)"', "".join(p.read_text() for p in sorted(folder.glob("const_*.go"))))
    )


def sandbox() -> str:
    """The pause image that kind's configuration of containerd names."""
    found = re.search(
        r'sandbox_image\s*=\s*"([^"]+)"', (kind_files() / "etc" / "containerd" / "config.toml").read_text()
    )
    assert found, "kind's containerd configuration names a sandbox image"
    return found[1]


def kind_files() -> Path:
    """The files that kind lays over its base image, in Go's module cache."""
    return module_folder("kind", "sigs.k8s.io/kind") / "images" / "base" / "files"


def node_files() -> Files:
    """kind's own files, our programs where kind's base image has them, and the units that it enables."""
    source = kind_files()
    files: dict[str, Path | Text | Link] = {}
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        inside = f"/{path.relative_to(source)}"
        if inside.startswith(("/etc/", "/kind/bin/", "/usr/local/bin/")):
            files[inside] = executable(path) if not inside.startswith("/etc/") else path
    files["/etc/containerd/config.toml"] = Text(containerd_config(source))
    files["/etc/containerd/cri-base.json"] = Text(runtime_spec())
    for name in ("containerd", "ctr", "containerd-shim-runc-v2", "crictl"):
        files[LOCAL + name] = PROGRAMS / name
    files["/usr/local/sbin/runc"] = PROGRAMS / "runc"
    for name in ("host-local", "loopback", "ptp", "portmap"):
        files[f"/opt/cni/bin/{name}"] = PROGRAMS / name
    files["/etc/kubernetes/manifests/.keep"] = Text("")
    files["/etc/cni/net.d/.keep"] = Text("")
    for unit in ("kubelet", "containerd", "undo-mount-hacks"):
        files |= enabled(source, f"{unit}.service")
    return files


def executable(path: Path) -> Path:
    """A copy with its x bit: Go's module cache has none."""
    copy = IMAGES / "kind-files" / path.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    copy.write_bytes(path.read_bytes())
    copy.chmod(0o755)
    return copy


def containerd_config(source: Path) -> str:
    """kind's, with one change: runc may not lower a process's oom_score_adj without CAP_SYS_RESOURCE."""
    text = (source / "etc" / "containerd" / "config.toml").read_text()
    changed = text.replace("restrict_oom_score_adj = false", "restrict_oom_score_adj = true")
    assert changed != text, "kind's containerd configuration sets restrict_oom_score_adj"
    return changed


def runtime_spec() -> str:
    """containerd's default specification of a container with kind's hook and without limits, as kind's base has it."""
    spec = json.loads(ask(PROGRAMS / "ctr", "oci", "spec"))
    spec.setdefault("hooks", {})["createContainer"] = [{"path": "/kind/bin/mount-product-files.sh"}]
    spec["process"].pop("rlimits", None)
    return json.dumps(spec)


def enabled(source: Path, unit: str) -> Files:
    """The links that `systemctl enable` makes: of what the unit's [Install] section names."""
    text = (source / "etc" / "systemd" / "system" / unit).read_text()
    wanted_by = [name for line in re.findall(r"^WantedBy=(.*)$", text, re.MULTILINE) for name in line.split()]
    assert wanted_by, f"{unit} says what wants it"
    return {f"/etc/systemd/system/{target}.wants/{unit}": Link(f"/etc/systemd/system/{unit}") for target in wanted_by}
