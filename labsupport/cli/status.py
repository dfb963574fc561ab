"""`kafka-lab status`: which clusters run, from notebooks and from `kafka-lab up` alike."""

from __future__ import annotations

import json
from typing import Any

import click

from labsupport.cli import report
from labsupport.cli.arguments import ClusterName


@click.command()
@click.argument("name", required=False, type=ClusterName(), metavar="[NAME]")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
def status(name: str | None, as_json: bool) -> None:
    """Show the running clusters, or the one named.

    With --json and no NAME they are all under `clusters`; if exactly one is running, its fields stand at the top as
    well.
    """
    from labsupport.cluster import registry

    records = [registry.find(name)] if name is not None else registry.running()
    described = [report.facts(record) for record in records]
    if as_json and name is not None:
        click.echo(json.dumps(described[0], indent=2))
    elif as_json:
        alone: dict[str, Any] = described[0] if len(described) == 1 else {}
        click.echo(json.dumps({**alone, "clusters": described}, indent=2))
    elif described:
        click.echo("\n\n".join(report.text(facts) for facts in described))
    else:
        click.echo("No cluster is running; `kafka-lab up` starts one.")
