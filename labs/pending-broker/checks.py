"""What "well" means: three brokers on disks of the usual kind, nothing lost, and the namespace's limit as it was."""

from __future__ import annotations

from labsupport import Cluster
from labsupport.cluster.kubernetes.manifests import megabytes
from labsupport.core.escape import printable
from labsupport.core.finding import Finding
from labsupport.teaching import check, watermarks
from labsupport.teaching.pods import found, space_of

from .scenario import PAYMENTS, STORAGE, TOPIC

NAMES = ("broker-1", "broker-2", "broker-3")
SIZE = "1Gi"


@check("three brokers are ready, as the StatefulSet wants them")
def brokers_ready(cluster: Cluster) -> Finding:
    pods = {pod.name: pod for pod in space_of(cluster).pods("broker")}
    saw = [
        f"there is no pod {name}" if name not in pods else f"{name} is {pods[name].phase}, {pods[name].state}"
        for name in NAMES
        if name not in pods or not pods[name].ready
    ]
    declared = (found(cluster, "StatefulSet", "broker") or {"spec": {"replicas": 0}})["spec"]["replicas"]
    if declared != len(NAMES):
        saw.insert(0, f"the StatefulSet wants {declared} pods")
    return Finding.of(not saw, saw=saw, look="kubectl describe pod broker-3")


@check(f"each of them has a disk of {SIZE}, all of one class")
def disks_alike(cluster: Cluster) -> Finding:
    claims = {claim.name: claim for claim in space_of(cluster).claims()}
    usual = claims["data-broker-1"].storage_class if "data-broker-1" in claims else ""
    saw = []
    for name in (f"data-{broker}" for broker in NAMES):
        claim = claims.get(name)
        if claim is None:
            saw.append(f"there is no claim {name}")
        elif claim.phase != "Bound" or megabytes(claim.size) < megabytes(SIZE) or claim.storage_class != usual:
            saw.append(printable(f"{name}: {claim.phase}, {claim.size}, class {claim.storage_class}"))
    return Finding.of(not saw, saw=saw, look="kubectl describe pvc data-broker-3")


@check(f"{TOPIC} has three replicas in sync, and all {PAYMENTS} payments")
def nothing_lost(cluster: Cluster) -> Finding:
    partitions = cluster.metadata().topics.get(TOPIC, {})
    saw = [
        f"{TOPIC}-{number}: replicas {list(info.replicas)}, in sync {sorted(info.isr)}"
        for number, info in partitions.items()
        if len(info.isr) < len(NAMES)
    ]
    count = sum(end - start for start, end in watermarks(cluster, TOPIC).values())
    if count < PAYMENTS:
        saw.append(f"it holds {count} payments" if partitions else f"there is no topic {TOPIC}")
    return Finding.of(not saw, saw=saw, look=f"kafka-topics.sh --describe --topic {TOPIC}")


@check(f"the namespace may still have {STORAGE} of volumes, and no more")
def limit_kept(cluster: Cluster) -> Finding:
    quota = found(cluster, "ResourceQuota", "quota")
    look = "kubectl describe resourcequota"
    if quota is None:
        return Finding.of(False, saw="there is no quota", look=look)
    most = str(quota["spec"].get("hard", {}).get("requests.storage", ""))
    saw = f"it may have {most}" if most else "the quota does not speak of volumes"
    return Finding.of(bool(most) and megabytes(most) <= megabytes(STORAGE), saw=printable(saw), look=look)
