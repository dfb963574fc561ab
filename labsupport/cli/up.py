"""`kafka-lab up`: start a cluster that stays until `kafka-lab down`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from labsupport.cli import report
from labsupport.cli.arguments import ClusterName, Setting, WholeNumber
from labsupport.cli.edge import terminated_like_interrupted
from labsupport.core.errors import BadInput

MOST_BROKERS = 9


@click.command()
@click.argument("name", required=False, type=ClusterName(), metavar="[NAME]")
@click.option("--brokers", type=WholeNumber(1, MOST_BROKERS), default=3, show_default=True, help="How many brokers.")
@click.option(
    "--coordination",
    type=click.Choice(["kraft", "zookeeper"]),
    default="kraft",
    show_default=True,
    help="Who keeps the metadata: Kafka itself, or ZooKeeper.",
)
@click.option("--version", help="Kafka's version.  [default: 4.3.1, or 3.9.2 with ZooKeeper]")
@click.option(
    "--controllers",
    type=WholeNumber(0, 5),
    help="KRaft: separate controllers (0: the brokers vote). ZooKeeper: its servers, 1 or 3.",
)
@click.option("--racks", metavar="A,B,…", help="A rack for each broker, in order: broker.rack.")
@click.option(
    "--config",
    "settings",
    type=Setting(),
    multiple=True,
    metavar="KEY=VALUE",
    help="A broker setting in Kafka's words, such as log.retention.ms=60000. Can be repeated.",
)
@click.option(
    "--profile",
    type=click.Choice(["quick", "throughput"]),
    default="quick",
    show_default=True,
    help="Start in seconds, or run with the full compiler.",
)
@click.option(
    "--backend",
    type=click.Choice(["local", "docker", "kubernetes"]),
    help="Where the brokers run: as processes, in containers, in pods.  [default: $KAFKA_LAB_BACKEND, or local]",
)
@click.option("--log-dirs", type=WholeNumber(1, 8), default=1, show_default=True, help="Log folders of each broker.")
@click.option("--jmx", is_flag=True, help="Open JMX on 127.0.0.1, with a password file of its own.")
@click.option("--timeout", "timeout_s", type=WholeNumber(1, 3600), default=120, show_default=True, help="In seconds.")
@click.option("--json", "as_json", is_flag=True, help="Addresses, and processes or containers, as JSON on stdout.")
def up(
    name: str | None,
    racks: str | None,
    settings: tuple[tuple[str, str], ...],
    timeout_s: int,
    as_json: bool,
    **wishes: Any,
) -> None:
    """Start a cluster, and return when it is ready. It runs until `kafka-lab down`."""
    from labsupport.cluster.spec import build_spec

    spec = build_spec(**wishes, name=name, racks=_racks(racks), config=_settings(settings))
    _refuse_taken(name)
    with terminated_like_interrupted():
        from labsupport.cluster.cluster import Cluster

        if sys.stderr.isatty():
            click.echo(f"Starting {spec.brokers} × Kafka {spec.version} ({spec.coordination}) …", err=True)
        cluster = Cluster.launch(spec, timeout_s=timeout_s, keep=True)
    _show(cluster.name, as_json)


def _racks(text: str | None) -> list[str] | None:
    return None if text is None else [rack.strip() for rack in text.split(",")]


def _settings(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for key, value in pairs:
        if settings.setdefault(key, value) != value:
            raise BadInput(f"--config gives {key} twice, as {settings[key]!r} and {value!r}.", fix="Leave one out.")
    return settings


def _refuse_taken(name: str | None) -> None:
    from labsupport.cluster import registry

    if name is not None and any(record["name"] == name for record in registry.running()):
        raise BadInput(
            f"A cluster named {name} is running already.",
            fix=f"See it with `kafka-lab status {name}`, end it with `kafka-lab down {name}`, or choose another name.",
        )


def _show(name: str, as_json: bool) -> None:
    from labsupport.cluster import registry

    described = report.facts(registry.find(name))
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    click.echo(report.text(described))
    click.echo(f'\nFor this shell:  eval "$(kafka-lab env {name})"\nTo end it:       kafka-lab down {name}')
