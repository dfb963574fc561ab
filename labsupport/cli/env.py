"""`kafka-lab env`: what another client needs to know of a running cluster, as exports for a POSIX shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from labsupport.cli.arguments import ClusterName

if TYPE_CHECKING:
    from labsupport.cluster.registry import ClusterRecord


@click.command(short_help="Print shell exports for other clients.")
@click.argument("name", required=False, type=ClusterName(), metavar="[NAME]")
def env(name: str | None) -> None:
    """Print shell exports for a cluster: `eval "$(kafka-lab env)"`.

    $BOOTSTRAP is its bootstrap.servers, $ZOOKEEPER or $CONTROLLERS what coordinates it, and the kafka-*.sh tools join
    the PATH.
    """
    from labsupport.cli import launchers
    from labsupport.cluster import registry

    click.echo("\n".join(exports(registry.find(name), str(launchers.folder()))))


def exports(record: ClusterRecord, tools: str) -> list[str]:
    """Lines for `eval`; every value is quoted, and running them twice adds nothing to PATH."""
    variables = {"BOOTSTRAP": record["bootstrap_servers"], "KAFKA_LAB_CLUSTER": record["name"]}
    for variable, role in (("ZOOKEEPER", "zookeeper"), ("CONTROLLERS", "controller")):
        addresses = [node["address"] for node in record["nodes"] if list(node["roles"]) == [role]]
        if addresses:
            variables[variable] = ",".join(addresses)
    lines = [f"export {variable}={shlex.quote(value)}" for variable, value in variables.items()]
    quoted = shlex.quote(tools)
    return [*lines, f'case ":$PATH:" in *:{quoted}:*) ;; *) export PATH={quoted}:"$PATH" ;; esac']
