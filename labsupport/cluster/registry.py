"""Every running cluster has a name, and a 0600 JSON file in the user's runtime folder by which it is found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from labsupport.cluster.supervisor import sweep_dead, take_lock
from labsupport.core.errors import NotRunning
from labsupport.core.folders import runtime_folder

ClusterRecord = dict[str, Any]


def running() -> list[ClusterRecord]:
    """The records of all clusters of this user that have become ready, by name. Leftovers of dead ones are swept."""
    sweep()
    records = (_read(path) for path in sorted(runtime_folder().glob("*.json")))
    return [record for record in records if record is not None and "bootstrap_servers" in record]


def find(name: str | None = None) -> ClusterRecord:
    """The record of one cluster; `name` may be left out when exactly one runs. Raises `NotRunning`."""
    records = running()
    names = ", ".join(record["name"] for record in records)
    if name is None:
        if len(records) == 1:
            return records[0]
        if not records:
            raise NotRunning("No cluster is running.", fix="Start one with `kafka-lab up`, or Cluster.start().")
        raise NotRunning(f"Several clusters are running: {names}.", fix="Say which one by its name.")
    for record in records:
        if record["name"] == name:
            return record
    raise NotRunning(
        f"No cluster named {name!r} is running.",
        fix=f"Running: {names}." if names else "None is running; start one with `kafka-lab up`.",
    )


def sweep() -> list[str]:
    """Remove what dead supervisors left (both the supervisor and its janitor were killed); returns their names."""
    runtime = runtime_folder()
    swept = []
    for path in runtime.glob("*.json"):
        record = _read(path)
        if record is None:
            continue
        lock = take_lock(runtime, record["name"])
        if lock is not None:
            sweep_dead(runtime, record["name"], Path(record["folder"]))
            os.close(lock)
            swept.append(str(record["name"]))
    return swept


def _read(path: Path) -> ClusterRecord | None:
    """None when the cluster ended this moment."""
    try:
        record = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return record if isinstance(record, dict) and {"name", "folder"} <= record.keys() else None
