"""Connects the rooms: a Recording for each new cluster, pictures for what a notebook shows. Nothing else may."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster
    from labsupport.core.journal import Journal


@cache
def wire() -> None:
    """Done once, when the first public name is used."""
    from labsupport.cluster import cluster

    cluster.before_start.append(_close_what_this_cell_started)
    cluster.observers.append(_record)
    if "IPython" in sys.modules:
        from labsupport import views

        views.install_formatters()


def _record(cluster: Cluster) -> tuple[Journal, Callable[[], None]]:
    """Give a cluster its Recording and a watcher that writes into it, and say how both end."""
    from labsupport.observe import Recording, watch

    _remember(cluster)
    recording = Recording.create(
        name=cluster.name,
        coordination=cluster.spec.coordination,
        version=cluster.spec.version,
        brokers=[broker.node_id for broker in cluster.brokers],
        coordinators=[node.name for node in cluster.coordinators],
    )
    watcher = watch(cluster, recording)

    def stop() -> None:
        watcher.stop()
        recording.close()

    return recording, stop


_started: list[tuple[Run, Cluster]] = []


class Run(NamedTuple):
    """One run of a notebook's cell; JupyterLab names the cell in each request that it sends to the kernel."""

    cell: str
    request: str


def _this_run() -> Run | None:
    """None outside a notebook, and in front ends that do not name their cells."""
    if "IPython" not in sys.modules:
        return None
    ask = getattr(sys.modules["IPython"].get_ipython(), "get_parent", dict)
    request: dict[str, Any] = ask()
    cell = request.get("metadata", {}).get("cellId")
    return Run(cell, request["header"]["msg_id"]) if cell else None


def _remember(cluster: Cluster) -> None:
    run = _this_run()
    if run is not None:
        _started.append((run, cluster))


def _close_what_this_cell_started() -> None:
    """A cell that starts a cluster may be run twice: what its earlier run started would have no name any more."""
    now = _this_run()
    if now is None:
        return
    for run, cluster in list(_started):
        if run.cell == now.cell and run.request != now.request:
            _started.remove((run, cluster))
            cluster.close()
