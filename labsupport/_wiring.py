"""Connects the rooms: a Recording for each new cluster, pictures for what a notebook shows. Nothing else may."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster
    from labsupport.core.journal import Journal


@cache
def wire() -> None:
    """Done once, when the first public name is used."""
    from labsupport.cluster import cluster

    cluster.observers.append(_record)
    if "IPython" in sys.modules:
        from labsupport import views

        views.install_formatters()


def _record(cluster: Cluster) -> tuple[Journal, Callable[[], None]]:
    """Give a cluster its Recording and a watcher that writes into it, and say how both end."""
    from labsupport.observe import Recording, watch

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
