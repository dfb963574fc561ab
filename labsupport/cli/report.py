"""What is told of a running cluster, as facts for `--json` and as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labsupport.core.errors import LabError
from labsupport.core.escape import printable

if TYPE_CHECKING:
    from labsupport.cluster.registry import ClusterRecord


def facts(record: ClusterRecord) -> dict[str, Any]:
    """The stable form of `--json`: brokers apart from what coordinates them, each with pid, address and log file.

    `pid` is null while a node does not run, and with `log_file` where it is no process of this machine: then `runs_in`
    names its container or pod. `owner_pid` is null for a cluster of `kafka-lab up`.
    """
    nodes = _nodes(record)
    return {
        "name": record["name"],
        "bootstrap_servers": record["bootstrap_servers"],
        "cluster_id": record["cluster_id"],
        "coordination": record["coordination"],
        "version": record["version"],
        "backend": record["spec"]["backend"],
        "owner_pid": record["owner_pid"],
        "folder": record["folder"],
        "brokers": [node for node in nodes if "broker" in node["roles"]],
        "coordinators": [node for node in nodes if "broker" not in node["roles"]],
    }


def text(described: dict[str, Any]) -> str:
    """A cluster's facts as lines for a terminal."""
    owner = described["owner_pid"]
    until = "runs until `kafka-lab down`" if owner is None else f"ends with its notebook or program, pid {owner}"
    head = f"{described['name']}: Kafka {described['version']} ({described['coordination']}), {until}"
    rows = [
        (node["name"], node["address"], node["state"], *_where(node, described["backend"]))
        for node in [*described["brokers"], *described["coordinators"]]
    ]
    return "\n".join([head, f"  {described['bootstrap_servers']}", *("  " + line for line in columns(rows))])


def _where(node: dict[str, Any], backend: str) -> tuple[str, str]:
    """What a reader can look at besides: a process and its log, or a container or pod by its name."""
    if node["runs_in"]:
        return {"docker": "container", "kubernetes": "pod"}.get(backend, backend), node["runs_in"]
    return f"pid {node['pid']}" if node["pid"] else "", node["log_file"] or ""


def columns(rows: Iterable[Sequence[object]]) -> list[str]:
    """Rows of cells as aligned lines."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _nodes(record: ClusterRecord) -> list[dict[str, Any]]:
    log_files = {process["name"]: process["log_file"] for process in record["processes"]}
    now = _processes(record)
    return [
        {
            "name": node["name"],
            "node_id": node["node_id"],
            "roles": node["roles"],
            "address": node["address"],
            "state": now.get(node["name"], {}).get("state", "unknown"),
            "pid": now.get(node["name"], {}).get("pid"),
            "log_file": None if _runs_in(node) else log_files[node["name"]],
            "runs_in": _runs_in(node),
        }
        for node in record["nodes"]
    ]


def _runs_in(node: dict[str, Any]) -> str | None:
    """The name of the container or pod (with its namespace) that holds a node; None for a process of this machine."""
    return f"{node['namespace']}/{node['name']}" if "namespace" in node else node.get("container")


def _processes(record: ClusterRecord) -> dict[str, dict[str, Any]]:
    """State and pid of each node at this moment; the record on disk is older by some events."""
    from labsupport.cluster.supervised import Supervised

    try:
        children = Supervised(record["name"], Path(record["folder"])).ask("status")["children"]
    except LabError:  # it is ending just now; the rest is still worth telling
        return {}
    return {child["name"]: child for child in children}
