"""`kafka-lab down`: stop a cluster in order and remove all it left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labsupport.cli.arguments import ClusterName
from labsupport.core.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labsupport.cluster.registry import ClusterRecord


@click.command()
@click.argument("name", required=False, type=ClusterName(), metavar="[NAME]")
@click.option("--all", "everything", is_flag=True, help="Stop every running cluster, those of notebooks too.")
def down(name: str | None, everything: bool) -> None:
    """Stop a cluster and remove its data. NAME may be left out if only one is running."""
    from labsupport.cluster import registry

    if everything and name is not None:
        raise click.UsageError("NAME and --all exclude each other", click.get_current_context())
    if not everything:
        _stop([registry.find(name)])
    elif stop_all() == 0:
        click.echo("No cluster is running.")


def stop_all() -> int:
    """Stop every cluster of this user, and return how many there were."""
    from labsupport.cluster import registry

    records = registry.running()
    _stop(records)
    return len(records)


def _stop(records: Iterable[ClusterRecord]) -> None:
    from labsupport.cluster.supervised import Supervised

    refused: list[LabError] = []
    for record in records:
        _tidy_up(record["name"])
        try:
            Supervised(record["name"], Path(record["folder"])).shutdown()
        except LabError as error:  # the others are to be stopped all the same
            refused.append(error)
            continue
        click.echo(f"{record['name']} is stopped; nothing of it is left.")
    if refused:
        raise refused[0]


def _tidy_up(name: str) -> None:
    """A lab's learner may have drained a node. Where that cannot be taken back, the cluster is ended all the same."""
    from labsupport.teaching.lab import tidy_up_after

    try:
        tidy_up_after(name)
    except LabError as error:
        click.echo(f"What the lab changed outside of {name} may be left: {error}", err=True)
