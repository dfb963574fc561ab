"""Removes what dead owners left in the engine, of which no record tells any more.

A runtime folder that was emptied, a machine that was started anew: each start removes the clusters whose supervisor is
dead. Those of other machines that share an engine are left alone.
"""

from __future__ import annotations

from labsupport.cluster.docker.engine import engine, told_plainly
from labsupport.cluster.docker.names import CLUSTER_LABEL, OWNER_LABEL
from labsupport.cluster.docker.reaper import remove_all
from labsupport.cluster.owners import is_dead


def sweep() -> list[str]:
    """Remove what belongs to dead owners; returns the names of their clusters."""
    with told_plainly("The engine does not tell what it has"):
        filters = {"label": OWNER_LABEL}
        found = [c["Labels"] for c in engine().api.containers(all=True, filters=filters)]
        found += [n["Labels"] for n in engine().api.networks(filters=filters)]
        dead = sorted({labels[CLUSTER_LABEL] for labels in found if is_dead(labels[OWNER_LABEL])})
        for cluster in dead:
            remove_all(engine(), f"{CLUSTER_LABEL}={cluster}")
    return dead
