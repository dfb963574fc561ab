"""`kafka-lab service`: the programs that belong to a running cluster, such as the consumer that a lab is about."""

from __future__ import annotations

import click

from labsupport.cli.arguments import ClusterName


@click.command(short_help="Stop, start or read a lab's program.")
@click.argument("name", metavar="[NAME]", required=False)
@click.argument("action", type=click.Choice(["status", "log", "stop", "start"]), default="status", metavar="[ACTION]")
@click.option("--cluster", type=ClusterName(), metavar="CLUSTER", help="The cluster, if several are running.")
@click.option("--tail", "lines", type=click.IntRange(1, 100_000), default=20, help="With log: so many lines.")
def service(name: str | None, action: str, cluster: str | None, lines: int) -> None:
    """Look after a program that belongs to a running cluster: `kafka-lab service NAME log`.

    ACTION is status (as when left out), log, stop or start. Without NAME all programs are listed.
    """
    from labsupport.cli.report import columns
    from labsupport.cluster import services

    if name is None:
        found = services.services(cluster)
        rows = [(one.name, one.state) for one in found]
        click.echo("\n".join(columns(rows)) if rows else "No program belongs to the cluster.")
        return
    one = services.service(name, cluster)
    if action == "log":
        click.echo(one.log(lines))
        return
    if action in ("stop", "start"):
        getattr(one, action)()
    click.echo(f"{one.name} is {one.state}.")
