"""`kafka-lab reset` and `kafka-lab restore`: the learner's copy of the pages, and what was learned, made fresh."""

from __future__ import annotations

import click


@click.command(short_help="Put pages and progress aside, and begin anew.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Stop all clusters; put your pages and progress aside, in a dated folder, and begin anew.

    Nothing is deleted.
    """
    from labsupport.cli.down import stop_all
    from labsupport.teaching import workspace

    if not yes and not click.confirm("Stop all clusters, and put your pages and your progress aside?", err=True):
        click.echo("Nothing was changed.", err=True)
        return
    stop_all()
    click.echo(f"Your pages and progress are now in {workspace.reset()}; `make lab` lays out fresh ones.")


@click.command(short_help="Lay out one page anew.")
@click.argument("name", metavar="NAME")
def restore(name: str) -> None:
    """Lay out one page anew, such as 00-start-here; your own copy is saved beside it first."""
    from labsupport.teaching import workspace

    saved = workspace.restore(name)
    click.echo(f"{name} is laid out anew; {f'your copy is now {saved}' if saved else 'you had no copy of it'}.")
