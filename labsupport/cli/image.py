"""`kafka-lab image`: the container image of Kafka that is made of this machine's own JRE and jars."""

from __future__ import annotations

import json

import click

from labsupport.cli.report import columns


@click.group(short_help="Build the local container image, or list images.")
def image() -> None:
    """The image on which `--backend docker` runs Kafka where none can be pulled, or faster than the public one.

    KAFKA_LAB_IMAGE names another one; without it, and without a local one, it is apache/kafka.
    """


@image.command("build", short_help="Build it.")
@click.argument("version", required=False, metavar="[VERSION]")
@click.option("--force", is_flag=True, help="Build it though nothing has changed.")
def build(version: str | None, force: bool) -> None:
    """Build kafka-lab/kafka:VERSION (of each version if none is named) in Docker's engine.

    An image is left alone if nothing that goes into it has changed.
    """
    from labsupport.cluster.docker import images
    from labsupport.provision import KAFKA_VERSIONS
    from labsupport.provision.image import local_tag

    for wanted in [version] if version else KAFKA_VERSIONS:
        tag = local_tag(wanted)
        there = images.find(tag)
        if there is not None and images.is_current(there, wanted) and not force:
            click.echo(f"{tag} is up to date.")
            continue
        built = images.build(wanted)
        click.echo(f"{tag} is built, {_size_mb(built.attrs)} MB.")


@image.command("list", short_help="List the images that a cluster would run on.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
def list_(as_json: bool) -> None:
    """List the images of Kafka that Docker's engine has, and whether the local ones are up to date."""
    from labsupport.cluster.docker import images
    from labsupport.provision import KAFKA_VERSIONS
    from labsupport.provision.image import local_tag

    found = []
    for version in KAFKA_VERSIONS:
        for name in (local_tag(version), f"{images.PUBLIC}:{version}"):
            there = images.find(name)
            if there is not None:
                ours = name == local_tag(version)
                state = ("up to date" if images.is_current(there, version) else "outdated") if ours else "public"
                found.append({"name": name, "version": version, "size_mb": _size_mb(there.attrs), "state": state})
    if as_json:
        click.echo(json.dumps({"images": found}, indent=2))
    elif found:
        click.echo("\n".join(columns((i["name"], f"{i['size_mb']} MB", i["state"]) for i in found)))
    else:
        click.echo("Docker's engine has no image of Kafka yet; `kafka-lab image build` makes one.")


def _size_mb(attributes: dict[str, int]) -> int:
    return round(attributes["Size"] / 1e6)
