"""A disk that nobody will ever make: the claim of broker 3 names a StorageClass that does not exist.

Its pod stays Pending. And once the claim is gone, the one that its StatefulSet would make in its place is refused:
another claim, made by mistake and used by nobody, has taken what the namespace may have.
"""

from __future__ import annotations

import random

from labsupport import Cluster
from labsupport.core.wait import wait_until
from labsupport.teaching.payments import write_payments
from labsupport.teaching.pods import found, set_quota, space_of

TOPIC = "payments"
PLACEMENT = {0: [1, 2, 3], 1: [2, 3, 1], 2: [3, 1, 2]}
PAYMENTS = 600
STORAGE = "4608Mi"  # three times what a broker has, and half as much again
LATE, CLAIM, STRAY = "broker-3", "data-broker-3", "broker-3-disk"
CLASS = "fast-ssd"  # in the cloud of the runbook there is one
GONE_WITHIN_S = 120

CLUSTER = {"brokers": 3, "backend": "kubernetes", "timeout_s": 300}
ALERT = (
    "Since the change of disks UnderReplicatedPartitions is not 0. Broker 3 was to have a faster disk by now; its pod "
    "is Pending."
)


def prepare(cluster: Cluster) -> None:
    """A topic of three replicas, everything in sync; the namespace may have 4.5 GiB of volumes."""
    set_quota(cluster, {"requests.storage": STORAGE})
    cluster.create_topic(TOPIC, replica_assignment=PLACEMENT, config={"min.insync.replicas": 2})


def break_cluster(cluster: Cluster, chance: random.Random) -> None:
    """Payments, then the runbook of another cloud: broker 3 taken away, its disk replaced, broker 3 brought back."""
    write_payments(cluster, TOPIC, PAYMENTS, partitions=len(PLACEMENT), chance=chance)
    space = space_of(cluster)
    space.scale("StatefulSet", "broker", 2)
    wait_until(lambda: len(space.pods("broker")) == 2, GONE_WITHIN_S, because=f"{LATE} to be gone", poll_s=0.3)
    space.api.delete("PersistentVolumeClaim", CLAIM, space.namespace)
    wait_until(lambda: _used(cluster) == "2Gi", GONE_WITHIN_S, because=f"{CLAIM} to count no more", poll_s=0.3)
    space.apply(_claim(STRAY, "2Gi"))  # under a name that no pod asks for
    space.apply(_claim(CLAIM, "512Mi"))  # what the quota had left
    space.scale("StatefulSet", "broker", 3)
    space.wait_until_stuck(LATE, timeout_s=GONE_WITHIN_S)
    wait_until(lambda: len(_behind(cluster)) == len(PLACEMENT), 60, because="the symptom")


def symptom(cluster: Cluster) -> str:
    """What the alert and a first look show."""
    pods = ", ".join(f"{pod.name} {pod.phase}" for pod in space_of(cluster).pods("broker"))
    behind = _behind(cluster)
    return "\n".join([f"alert  UnderReplicatedPartitions = {len(behind)}", f"pods   {pods}", *behind])


def _used(cluster: Cluster) -> str:
    """What the quota counts of volumes; it hears of a claim that is gone a moment later."""
    quota = found(cluster, "ResourceQuota", "quota") or {"status": {}}
    return str(quota["status"].get("used", {}).get("requests.storage"))


def _behind(cluster: Cluster) -> list[str]:
    return [
        f"{TOPIC}-{number}: leader {info.leader}, replicas {list(info.replicas)}, in sync {sorted(info.isr)}"
        for number, info in cluster.metadata().topics.get(TOPIC, {}).items()
        if len(info.isr) < len(info.replicas)
    ]


def _claim(name: str, size: str) -> str:
    return f"""\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}}}
spec:
  storageClassName: {CLASS}
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: {size}}}}}
"""
