"""`kafka-lab progress`: what was predicted, what surprised, which labs are solved; and how to take it elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group(invoke_without_command=True, short_help="Show predictions, surprises and labs.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
@click.pass_context
def progress(ctx: click.Context, as_json: bool) -> None:
    """Show how far you have come: predictions with their surprises, and labs.

    `export FILE` and `import FILE` take it to another computer.
    """
    if ctx.invoked_subcommand is not None:
        return
    from labsupport.teaching import summary

    standing = summary.summary()
    click.echo(json.dumps(standing.facts(), indent=2) if as_json else str(standing))
    for note in standing.notes:
        click.echo(note, err=True)


@progress.command("export", short_help="Write your progress into a file.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
def export(file: Path) -> None:
    """Write predictions and progress into FILE, for another computer."""
    from labsupport.teaching import progress as room

    room.export(file)
    click.echo(f"Your progress is in {file}; `kafka-lab progress import {file}` adds it elsewhere.")


@progress.command("import", short_help="Add the progress in a file to yours.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
def import_(file: Path) -> None:
    """Add the progress in FILE to what is here; nothing is lost, and doing it twice changes nothing.

    All that either side knows is kept: each answer and try once; a lab is solved, and an outcome seen, when it first
    was on either.
    """
    from labsupport.teaching import progress as room

    room.import_from(file)
    click.echo("Your progress and that of the file are now one; `kafka-lab progress` shows it.")
