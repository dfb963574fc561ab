"""A budget that lets nobody go: no node can be drained, since the disruption budget wants all three brokers.

It was set so after the last maintenance, when payments were refused. The reason lies deeper: `payments` has two
replicas and needs two in sync, so that it cannot spare any broker. Who only mends the budget has that outage again.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from labsupport import Cluster
from labsupport.cluster.services import Service, define
from labsupport.core.errors import LabError
from labsupport.core.wait import wait_until
from labsupport.teaching import watermarks
from labsupport.teaching.pods import change, found, refusal, space_of, uncordon

from .till import PAYMENTS, REFUSED

BUDGET = "broker"
PLACEMENT = {0: [1, 2], 1: [2, 3], 2: [3, 1]}
TILL, PROGRAM = "till", "till.py"
TO_GO = "broker-2"  # the one on the node that is to get its new kernel
READY_WITHIN_S = 120
MARK = "kafka-lab/kernel"  # on its pod: whoever comes after it has none

# Leaders go back to the first of the list within seconds, and not after the usual five minutes.
CLUSTER = {
    "brokers": 3,
    "backend": "kubernetes",
    "timeout_s": 300,
    "config": {"leader.imbalance.check.interval.seconds": 3},
}
ALERT = (
    "The drain of a node has hung for an hour: Cannot evict pod as it would violate the pod's disruption budget. The "
    "window for its new kernel closes at four."
)


def prepare(cluster: Cluster) -> None:
    """Two topics, everything in sync. Raises `LabError` unless each broker has a node of its own."""
    nodes = {pod.node for pod in space_of(cluster).pods("broker")}
    if len(nodes) < len(cluster.brokers):
        raise LabError(
            f"This lab drains a node, and its three brokers are on {len(nodes)}.",
            fix="Use a cluster with three workers: `kafka-lab kubernetes create`.",
        )
    cluster.create_topic(PAYMENTS, replica_assignment=PLACEMENT, config={"min.insync.replicas": 2})
    cluster.create_topic(REFUSED, replica_assignment={0: [1, 2, 3]}, config={"min.insync.replicas": 1})


def break_cluster(cluster: Cluster, chance: random.Random) -> None:
    """The budget as it was left after the last maintenance, and a till that takes payments all night."""
    change(cluster, "PodDisruptionBudget", BUDGET, {"spec": {"maxUnavailable": None, "minAvailable": 3}})
    change(cluster, "Pod", TO_GO, {"metadata": {"annotations": {MARK: "old"}}})
    till = service(cluster)
    till.start()
    space_of(cluster).wait_until_ready("broker", 3, timeout_s=READY_WITHIN_S)
    wait_until(lambda: _shows(cluster), 90, because="the symptom", poll_s=0.5)


def service(cluster: Cluster) -> Service:
    """The till, as a program that belongs to the cluster."""
    return define(cluster.name, TILL, [sys.executable, "-P", str(Path(__file__).with_name(PROGRAM))])


def symptom(cluster: Cluster) -> str:
    """What the drain says, and how things are otherwise."""
    pods = ", ".join(f"{pod.name} {pod.state}" for pod in space_of(cluster).pods("broker"))
    budget = (found(cluster, "PodDisruptionBudget", BUDGET) or {"status": {}})["status"]
    refused = sum(end for _, end in watermarks(cluster, REFUSED).values())
    return "\n".join(
        [
            f"drain   {TO_GO}: {refusal(cluster, TO_GO) or 'may be evicted'}",
            f"pods    {pods}",
            f"budget  {budget.get('currentHealthy', 0)} healthy, {budget.get('disruptionsAllowed', 0)} may be missing",
            f"till    payments refused: {refused}",
        ]
    )


def tidy_up(cluster: Cluster) -> None:
    """A node that was drained takes pods again."""
    uncordon(cluster)


def _shows(cluster: Cluster) -> bool:
    """Whether payments are taken, and the budget has counted the brokers and lets none go."""
    budget = (found(cluster, "PodDisruptionBudget", BUDGET) or {"status": {}})["status"]
    taken = any(end > 0 for _, end in watermarks(cluster, PAYMENTS).values())
    return taken and budget.get("currentHealthy") == 3 and bool(refusal(cluster, TO_GO))
