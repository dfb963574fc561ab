"""What "well" means: any one broker can be spared, never two, and nobody at the till has noticed."""

from __future__ import annotations

from labsupport import Cluster
from labsupport.cluster.services import services
from labsupport.core.finding import Finding
from labsupport.teaching import check, settings, watermarks
from labsupport.teaching.pods import all_of, refusal, space_of

from .scenario import MARK, TILL, TO_GO
from .till import PAYMENTS, REFUSED

BROKERS = ("broker-1", "broker-2", "broker-3")
NEEDED = 2


@check("each broker may be evicted, so that its node can be drained")
def may_go(cluster: Cluster) -> Finding:
    pods = {pod.name: pod for pod in space_of(cluster).pods("broker")}
    saw = [f"{name} is not ready" for name in BROKERS if name not in pods or not pods[name].ready]
    if not saw:
        saw = [f"{name}: {words}" for name in BROKERS if (words := refusal(cluster, name))]
    return Finding.of(not saw, saw=saw, look="kubectl get pdb")


@check("a budget keeps two brokers from being away at once")
def never_two(cluster: Cluster) -> Finding:
    states = [budget.get("status", {}) for budget in all_of(cluster, "PodDisruptionBudget")]
    wanted = [int(state["desiredHealthy"]) for state in states if state.get("expectedPods", 0) >= len(BROKERS)]
    saw = f"{max(wanted)} of {len(BROKERS)} brokers have to be well" if wanted else "no budget counts the brokers"
    return Finding.of(max(wanted, default=0) >= NEEDED, saw=saw, look="kubectl describe pdb")


@check(f"{PAYMENTS} takes payments while any one broker is away")
def one_to_spare(cluster: Cluster) -> Finding:
    needed, partitions = _needed(cluster), cluster.metadata().topics.get(PAYMENTS, {})
    saw = [] if partitions else [f"there is no topic {PAYMENTS}"]
    saw += [
        f"{PAYMENTS}-{number}: in sync {sorted(info.isr)}, and a write needs {needed}"
        for number, info in partitions.items()
        if len(info.isr) <= needed
    ]
    return Finding.of(not saw, saw=saw, look=f"kafka-topics.sh --describe --topic {PAYMENTS}")


@check(f"a payment is still acknowledged only when {NEEDED} brokers have it")
def promise_kept(cluster: Cluster) -> Finding:
    needed = _needed(cluster)
    look = f"kafka-configs.sh --describe --entity-type topics --entity-name {PAYMENTS}"
    return Finding.of(needed >= NEEDED, saw=f"min.insync.replicas: {needed}", look=look)


@check("the till is open, and no payment was refused")
def nobody_noticed(cluster: Cluster) -> Finding:
    cluster.metadata()
    running = [service.name for service in services(cluster.name) if service.state == "running"]
    refused = watermarks(cluster, REFUSED)
    saw = [] if TILL in running else ["the till is closed"]
    if not refused:
        saw.append(f"there is no topic {REFUSED}")
    if any(end > 0 for _, end in refused.values()):
        saw.append("payments were refused")
    return Finding.of(not saw, saw=saw, look="kafka-lab service till log")


@check(f"the node of {TO_GO} was emptied for its kernel, and takes pods again")
def maintained(cluster: Cluster) -> Finding:
    space = space_of(cluster)
    pod = space.api.find("Pod", TO_GO, space.namespace) or {"metadata": {}}
    away = {node.name for node in space.nodes() if not node.schedulable}
    saw = [f"{TO_GO} has not left its node yet"] if MARK in pod["metadata"].get("annotations", {}) else []
    saw += [f"the node of {claim.name} takes no pods" for claim in space.claims() if away & set(claim.pinned_to)]
    return Finding.of(not saw, saw=saw, look="kubectl get nodes")


def _needed(cluster: Cluster) -> int:
    return int(settings(cluster).get(f"topic {PAYMENTS}", {}).get("min.insync.replicas", "1"))
