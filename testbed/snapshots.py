"""VolumeSnapshots: their kinds, the snapshot controller and our own driver."""

from __future__ import annotations

import os
import shutil

from testbed import cluster, stamps
from testbed.images import archive, components
from testbed.paths import CACHE, CLUSTER, HERE, IMAGES
from testbed.programs import all_programs, module_folder
from testbed.programs import inputs as program_inputs
from testbed.report import run, step, there

ARCHIVE = IMAGES / "snapshots.tar"
KINDS = CACHE / "snapshot-kinds"
CLIENT = "github.com/kubernetes-csi/external-snapshotter/client/v8"
WORKLOADS = ("deployment/snapshot-controller", "daemonset/csi-folders")
PROGRAMS_OF_SNAPSHOTS = ("snapshotter", "csi-folders")


def build() -> None:
    """The archive of images, and the CRDs as the controller's own module pins them, copied from Go's module cache."""
    title = "Images of snapshots"
    sources = [archive.digest_of(path) for path in (HERE / "snapshots.py", *sorted((HERE / "images").glob("*.py")))]
    rows = [all_programs()[name] for name in PROGRAMS_OF_SNAPSHOTS]
    inputs = [*sources, *(text for row in rows for text in program_inputs(row))]
    made = stamps.Stamp("snapshots", inputs=inputs, outputs=(ARCHIVE, KINDS))
    if made.is_fresh():
        there(title)
        return
    with step(title, expected_s=5):
        archive.write(ARCHIVE, components.snapshot_images())
        copy_kinds()
        made.mark()


def copy_kinds() -> None:
    """The folder of CRDs; the module cache has no write bits, the copy has."""
    shutil.rmtree(KINDS, ignore_errors=True)
    KINDS.mkdir(parents=True)
    for path in sorted((module_folder("snapshotter", CLIENT) / "config" / "crd").glob("*.yaml")):
        (KINDS / path.name).write_bytes(path.read_bytes())


def up() -> None:
    """Return once a VolumeSnapshot would be served."""
    title = "Snapshots"
    if is_up():
        there(title)
        return
    with step(title, expected_s=20):
        load = ("load", "image-archive", ARCHIVE, "--name", CLUSTER)
        run(cluster.KIND, *load, env=dict(os.environ), log=cluster.LOG)
        cluster.kubectl("apply", "--server-side", f"--kustomize={KINDS}")
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=240s")
        replaced = cluster.kubectl_succeeds("--namespace=kube-system", "get", *WORKLOADS)
        cluster.apply(HERE / "csi" / "csi.yaml")
        if replaced:  # the images have new content under their old names
            cluster.kubectl("--namespace=kube-system", "rollout", "restart", *WORKLOADS)
        cluster.wait_for_rollouts(*(f"kube-system {workload}" for workload in WORKLOADS))
        applied().mark()


def is_up() -> bool:
    """Whether what was built last is what runs here, with all its pods."""
    return applied().is_fresh() and cluster.is_rolled_out(*WORKLOADS)


def applied() -> stamps.Stamp:
    """Of the manifest, the images and this cluster."""
    return cluster.applied("snapshots", HERE / "csi" / "csi.yaml", archive.digest_of(ARCHIVE))
