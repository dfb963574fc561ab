"""`kafka-lab replay`: a Recording as a page that needs no kernel and no network."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Write a recording as a page to replay.")
@click.argument("source", required=False, metavar="[NAME|FILE]")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it.")
def replay(source: str | None, output: Path | None) -> None:
    """Write a recording as a page: the cluster map, verdicts, failovers, rates, with a scrubber under each picture.

    NAME is that of a cluster: its newest recording is taken. Without it the newest of all. The page is one file; it
    works from a disk, without a network.
    """
    from labsupport.core.escape import printable
    from labsupport.observe import Recording
    from labsupport.views import whole
    from labsupport.views.shelf import find

    recording = Recording.load(find(source))
    page = output or Path(f"{recording.header.cluster.name}-replay.html")
    whole.save(recording, page)
    click.echo(f"The replay is in {printable(page, limit=400)}; open it in a browser.")
