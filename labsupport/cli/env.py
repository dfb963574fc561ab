"""`kafka-lab env`: what another client needs to know of a running cluster, as exports for a POSIX shell."""

from __future__ import annotations

import shlex
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labsupport.cli.arguments import ClusterName
from labsupport.core.errors import LabError

if TYPE_CHECKING:
    from labsupport.cluster.registry import ClusterRecord


@click.command(short_help="Print shell exports for other clients.")
@click.argument("name", required=False, type=ClusterName(), metavar="[NAME]")
def env(name: str | None) -> None:
    """Print shell exports for a cluster: `eval "$(kafka-lab env)"`.

    $BOOTSTRAP is its bootstrap.servers, $ZOOKEEPER or $CONTROLLERS what coordinates it, and the kafka-*.sh tools join
    the PATH. On Kubernetes $KUBECONFIG has kubectl work in the cluster's namespace.
    """
    from labsupport.cli import launchers
    from labsupport.cluster import registry

    click.echo("\n".join(exports(registry.find(name), str(launchers.folder()))))


def exports(record: ClusterRecord, tools: str) -> list[str]:
    """Lines for `eval`; every value is quoted, and running them twice adds nothing to PATH."""
    variables = {"BOOTSTRAP": record["bootstrap_servers"], "KAFKA_LAB_CLUSTER": record["name"]}
    variables |= record.get("exports", {})
    for variable, role in (("ZOOKEEPER", "zookeeper"), ("CONTROLLERS", "controller")):
        addresses = [node["address"] for node in record["nodes"] if list(node["roles"]) == [role]]
        if addresses:
            variables[variable] = ",".join(addresses)
    lines = [f"export {variable}={shlex.quote(value)}" for variable, value in variables.items()]
    folders = [tools, *_kubectl(record)]
    return [
        *lines,
        *(f'case ":$PATH:" in *:{f}:*) ;; *) export PATH={f}:"$PATH" ;; esac' for f in map(shlex.quote, folders)),
    ]


def _kubectl(record: ClusterRecord) -> list[str]:
    """The folder of kubectl, where a cluster's shell needs it and does not find it; none when it is not installed."""
    from labsupport.cluster.kubernetes.access import kubectl

    if "KUBECONFIG" not in record.get("exports", {}) or shutil.which("kubectl"):
        return []
    with suppress(LabError):
        return [str(Path(kubectl()).parent)]
    return []
