"""The node image: the real `kind build node-image` on our base, fed with our programs and images."""

from __future__ import annotations

import os
import tarfile

from testbed import debian, stamps
from testbed.images import archive, components
from testbed.images.components import NODE_BASE_IMAGE, NODE_IMAGE, PAUSE
from testbed.paths import HERE, IMAGES, LOGS, PROGRAMS
from testbed.programs import CGO_PACKAGES, KUBERNETES, all_programs
from testbed.programs import inputs as program_inputs
from testbed.report import ask, run, step, succeeds, there

RELEASE = IMAGES / "kubernetes-server.tar.gz"
BASE = IMAGES / "kind-base.tar"
#: Programs that are no part of the node image.
ELSEWHERE = ("helm", "snapshotter", "csi-folders")


def stamp() -> stamps.Stamp:
    """What the node image is made from."""
    rows = [row for row in all_programs().values() if row.name not in ELSEWHERE]
    ours = [HERE / "node.py", HERE / "rootfs.py", *sorted((HERE / "images").iterdir())]
    files = [archive.digest_of(path) for path in ours if path.is_file()]
    return stamps.Stamp(
        "node-image", inputs=[*files, *(text for row in rows for text in program_inputs(row))], outputs=()
    )


def up() -> None:
    """Have the node image in the engine."""
    title = f"Node image {NODE_IMAGE}"
    made = stamp()
    if made.is_fresh() and succeeds("docker", "image", "inspect", NODE_IMAGE):
        there(title)
        return
    with step(title, expected_s=110):
        before = image_id()
        compile_pause()
        archive.write(BASE, [components.node_base()])
        run("docker", "load", "--input", BASE)
        write_release()
        kind = PROGRAMS / "kind"
        flags = ["--type", "file", "--base-image", NODE_BASE_IMAGE, "--image", NODE_IMAGE]
        run(kind, "build", "node-image", *flags, RELEASE, log=LOGS / "node-image.log", env=dict(os.environ))
        for path in (BASE, RELEASE):
            path.unlink()
        if before and before != image_id():
            succeeds("docker", "image", "rm", before)  # unless a cluster still runs on it
        made.mark()


def compile_pause() -> None:
    """The program of the pause image, without a C library to load."""
    debian.install(CGO_PACKAGES)
    run("gcc", "-Os", "-static", "-s", "-o", PAUSE, HERE / "images" / "pause.c")


def write_release() -> None:
    """A tar laid out like Kubernetes' own server release: the version, three programs, four archives of images.

    kind asks for no image that it finds in them, so the archive of kube-apiserver carries all the others too.
    """
    archives = {
        "kube-apiserver": components.server_images(),
        "kube-controller-manager": [components.daemon("kube-controller-manager")],
        "kube-scheduler": [components.daemon("kube-scheduler")],
        "kube-proxy": [components.daemon("kube-proxy", components.NETWORK_ROOT)],
    }
    with tarfile.open(RELEASE, "w:gz", compresslevel=0) as release:  # kind wants gzip; nothing is to be gained here
        archive.add_bytes(release, "kubernetes/version", KUBERNETES.encode())
        for program in ("kubeadm", "kubelet", "kubectl"):
            archive.add_file(release, f"kubernetes/server/bin/{program}", PROGRAMS / program, 0o755)
        for name, images in archives.items():
            path = IMAGES / f"{name}.tar"
            archive.write(path, images, repositories_first=name == "kube-apiserver")
            archive.add_file(release, f"kubernetes/server/bin/{path.name}", path, 0o644)
            path.unlink()


def image_id() -> str:
    """The node image's id, empty when the engine has none."""
    return ask("docker", "image", "ls", "--no-trunc", "--quiet", NODE_IMAGE)


def forget() -> None:
    """Remove the images from the engine (for `--purge`)."""
    for image in (NODE_IMAGE, NODE_BASE_IMAGE):
        succeeds("docker", "image", "rm", image)
