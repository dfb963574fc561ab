"""`kafka-lab kubernetes`: a cluster of Kubernetes on this machine, and what clusters of Kafka left in one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import click

from labsupport.core.errors import LabError

CONFIG = Path(__file__).parents[2] / "deploy" / "kind.yaml"
NODE_IMAGE_VARIABLE = "KAFKA_LAB_NODE_IMAGE"
DEFAULT_NAME = "kafka-lab"
READY_WITHIN_S = 240


@click.group()
def kubernetes() -> None:
    """Make a Kubernetes of four nodes on this machine (with kind), remove it, or tidy one up.

    Any other cluster will do as well: KUBECONFIG and KAFKA_LAB_CONTEXT choose it.
    """


@kubernetes.command()
@click.option("--name", default=DEFAULT_NAME, show_default=True, help="Of the cluster; its context is kind-NAME.")
def create(name: str) -> None:
    """Make a cluster with kind: one control plane and three workers, each a zone of its own.

    It takes half a minute, 3 GB of memory and 5 GB of disk. $KAFKA_LAB_NODE_IMAGE names another node image than kind's.
    """
    kind = _kind()
    if name in _clusters(kind):
        click.echo(f"The cluster {name} is there already; its context is kind-{name}.")
        return
    argv = [kind, "create", "cluster", "--name", name, "--config", str(CONFIG), "--wait", f"{READY_WITHIN_S}s"]
    image = os.environ.get(NODE_IMAGE_VARIABLE)
    if image:
        argv += ["--image", image]
    if subprocess.run(argv, check=False).returncode != 0:
        raise LabError(
            f"kind could not make the cluster {name}; its own words are above.",
            fix="Is Docker running, with 4 GB of memory to give? `kafka-lab doctor` looks.",
        )
    for image in _loaded(name):
        click.echo(f"{image} is on its nodes.")
    click.echo(f"{name} is ready. Start Kafka in it: `kafka-lab up --backend kubernetes`.")


@kubernetes.command()
@click.option("--name", default=DEFAULT_NAME, show_default=True, help="Of the cluster.")
def delete(name: str) -> None:
    """Remove a cluster that kind made, with all that runs in it."""
    kind = _kind()
    if name not in _clusters(kind):
        click.echo(f"There is no cluster {name}.")
        return
    if subprocess.run([kind, "delete", "cluster", "--name", name], check=False).returncode != 0:
        raise LabError(f"kind could not remove the cluster {name}; its own words are above.")


@kubernetes.command()
@click.option("--all", "everything", is_flag=True, help="Also those whose owner is alive, or on another machine.")
def sweep(everything: bool) -> None:
    """Remove namespaces that clusters of Kafka left: their owner here is dead, or they are older than 8 hours."""
    from labsupport.cluster.kubernetes.access import find_access
    from labsupport.cluster.kubernetes.api import Api
    from labsupport.cluster.kubernetes.sweep import sweep as sweep_namespaces

    access = find_access()
    names = sweep_namespaces(Api(access), everything=everything)
    for name in names:
        click.echo(f"{name} is being removed.")
    if not names:
        click.echo(f"Nothing is left over in {access.context}.")


def _loaded(name: str) -> list[str]:
    """Bring the images that we built ourselves onto the nodes of a new cluster; what is public they pull."""
    from labsupport.cluster.kubernetes.access import find_access
    from labsupport.cluster.kubernetes.api import Api
    from labsupport.cluster.kubernetes.images import load_ours
    from labsupport.provision import KAFKA_VERSIONS

    return load_ours(KAFKA_VERSIONS, Api(find_access(f"kind-{name}")))


def _kind() -> str:
    found = shutil.which("kind")
    if found is None:
        raise LabError(
            "kind is not installed, and it is what makes a Kubernetes here.",
            fix="Install it from kind.sigs.k8s.io, or use a cluster that you have (KUBECONFIG, KAFKA_LAB_CONTEXT).",
        )
    return found


def _clusters(kind: str) -> list[str]:
    asked = subprocess.run([kind, "get", "clusters"], capture_output=True, text=True, timeout=60, check=False)
    if asked.returncode != 0:
        words = (asked.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise LabError(f"kind does not answer ({words}).", fix="Is Docker running? `kafka-lab doctor` looks.")
    return asked.stdout.split()
