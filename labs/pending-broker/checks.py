"""What "well" means: three brokers on disks of the usual kind, nothing lost, and the namespace's limit as it was."""

from __future__ import annotations

from labsupport import Cluster
from labsupport.cluster.kubernetes.manifests import megabytes
from labsupport.core.escape import printable
from labsupport.core.finding import Finding
from labsupport.teaching import check, watermarks
from labsupport.teaching.pods import Object, all_of, found, space_of

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
    claims = {claim["metadata"]["name"]: _disk(claim) for claim in all_of(cluster, "PersistentVolumeClaim")}
    usual = claims.get("data-broker-1", ("", "", ""))[2]
    saw = []
    for name in (f"data-{broker}" for broker in NAMES):
        phase, size, of_class = claims.get(name, ("", "0", ""))
        if not phase:
            saw.append(f"there is no claim {name}")
        elif phase != "Bound" or megabytes(size) < megabytes(SIZE) or of_class != usual:
            saw.append(printable(f"{name}: {phase}, {size}, class {of_class}"))
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


def _disk(claim: Object) -> tuple[str, str, str]:
    """Its phase; how large it is, or is to be; and of which class."""
    spec, status = claim["spec"], claim.get("status", {})
    size = status.get("capacity", spec["resources"]["requests"])["storage"]
    return str(status.get("phase", "Pending")), str(size), str(spec.get("storageClassName", ""))
