"""`kafka-lab tool`: Kafka's own tools, in a JVM that takes this process's place.

So its input and output, signals and exit code are the tool's own. `run_as_script` is the short way of the kafka-*.sh
launchers: their arguments pass unchanged.
"""

from __future__ import annotations

import difflib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from labsupport.cli.addresses import wants_address, with_address
from labsupport.cli.arguments import ClusterName
from labsupport.core.errors import BadInput, LabError, NotRunning
from labsupport.core.escape import printable

NAMED_CLUSTER = "KAFKA_LAB_CLUSTER"  # exported by `kafka-lab env`


class _Tool(click.Command):
    """Ends its help with the names of the tools."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from labsupport.provision.tools import TOOLS

        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"Tools: {', '.join(sorted({name for tools in TOOLS.values() for name in tools}))}.")


@click.command(
    cls=_Tool,
    short_help="Run one of Kafka's own tools, such as topics.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--cluster", type=ClusterName(), metavar="NAME", help="The cluster, if several are running.")
@click.argument("name", metavar="TOOL")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def tool(cluster: str | None, name: str, arguments: tuple[str, ...]) -> NoReturn:
    """Run one of Kafka's own tools: `kafka-lab tool topics --describe`.

    The address of the running cluster is added if you give none. What comes after TOOL is the tool's own, `--help` too.
    """
    known = _known(name)
    record = _cluster(cluster, arguments)
    words = list(arguments)
    if wants_address(known, words):
        record = record or _said_which()
        zookeeper = _zookeeper(record) if known == "zookeeper-shell" else ""
        words = with_address(known, words, bootstrap_servers=record["bootstrap_servers"], zookeeper=zookeeper)
    _become(known, words, record)


def run_as_script(arguments: Sequence[str]) -> NoReturn:
    """What a launcher calls: the name of the script, then the user's arguments, which are passed as they are."""
    if not arguments:
        raise LabError("`tool --as-script` lacks the name of a script.", fix="Use `kafka-lab tool TOOL`.")
    script, *words = arguments
    _become(_known(script), words, _cluster(None, words))


def _known(name: str) -> str:
    """The tool's short name: `topics` for `topics`, `kafka-topics` and `kafka-topics.sh`. Raises `BadInput`."""
    from labsupport.provision.tools import TOOLS

    short, known = name.removesuffix(".sh").removeprefix("kafka-"), {tool for tools in TOOLS.values() for tool in tools}
    if short not in known:
        near = difflib.get_close_matches(short, known, n=3, cutoff=0.5)
        fix = f"Near it: {', '.join(near)}." if near else "`kafka-lab tool --help` lists them."
        raise BadInput(f"Kafka has no tool {printable(name)!r}.", fix=fix)
    return short


def _become(name: str, arguments: Sequence[str], record: dict[str, Any] | None) -> NoReturn:
    from labsupport.provision.tool_jvm import command_line

    command = command_line(name, arguments, _version(name, record), os.environ)
    sys.stdout.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so in a new program
    os.execv(command[0], command)


def _version(name: str, record: dict[str, Any] | None) -> str:
    """The cluster's own version; the newest that has the tool if there is no cluster, or its version lacks the tool."""
    from labsupport.provision.tools import TOOLS

    versions = [version for version, tools in TOOLS.items() if name in tools]
    return str(record["version"]) if record is not None and record["version"] in versions else versions[-1]


def _cluster(name: str | None, arguments: Sequence[str]) -> dict[str, Any] | None:
    """The cluster that is meant: the one named, the one whose address is given, that of this shell, the only one."""
    from labsupport.cluster import registry

    if name is not None:
        return registry.find(name)
    records = registry.running()
    line = " ".join(arguments)
    for record in records:
        if any(node["address"] in line for node in record["nodes"]):
            return record
    of_this_shell = os.environ.get(NAMED_CLUSTER)
    if of_this_shell:
        return next((record for record in records if record["name"] == of_this_shell), None)
    return records[0] if len(records) == 1 else None


def _said_which() -> dict[str, Any]:
    """There was no telling which cluster is meant: say so."""
    from labsupport.cluster import registry

    of_this_shell = os.environ.get(NAMED_CLUSTER)
    if of_this_shell:
        raise NotRunning(
            f"The cluster {of_this_shell}, which ${NAMED_CLUSTER} names, is not running.",
            fix=f'Run `unset {NAMED_CLUSTER}`, or `eval "$(kafka-lab env NAME)"` for another.',
        )
    names = ", ".join(record["name"] for record in registry.running())
    if names:
        raise NotRunning(f"Several clusters are running: {names}.", fix="Say which: `kafka-lab tool --cluster NAME …`.")
    return registry.find(None)


def _zookeeper(record: dict[str, Any]) -> str:
    for node in record["nodes"]:
        if "zookeeper" in node["roles"]:
            return str(node["address"])
    raise LabError(
        f"The cluster {record['name']} runs without ZooKeeper.",
        fix="Use `kafka-lab tool metadata-quorum describe --status`, or start one with `--coordination zookeeper`.",
    )
