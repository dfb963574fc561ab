"""An advertised address that only pods can use: broker 3 tells clients outside its name in Kubernetes' own DNS.

A client asks any broker who leads what, and is told the address of each. Through a port-forward the first connection is
made all the same, so everything seems to work, until a record is for the broker whose address leads nowhere.
"""

from __future__ import annotations

import random
import re

from labsupport import Cluster
from labsupport.cluster.kubernetes.names import CLIENT_PORT
from labsupport.core.wait import wait_until
from labsupport.teaching.payments import write_payments
from labsupport.teaching.pods import space_of

from .both_sides import HEARTBEAT, write_outside

TOPIC = "payments"
PLACEMENT = {0: [1, 2, 3], 1: [2, 3, 1], 2: [3, 1, 2]}
PAYMENTS = 600
SETTING = "advertised.listeners"
LOST = 3  # the broker that was given its new settings last night
BACK_WITHIN_S = 240

# Leaders go back to the first of the list within seconds, and not after the usual five minutes.
CLUSTER = {
    "brokers": 3,
    "backend": "kubernetes",
    "timeout_s": 300,
    "config": {"leader.imbalance.check.interval.seconds": 3},
}
ALERT = (
    "The shop, which is outside of Kubernetes, loses one payment in three. The fraud check, which is inside, has no "
    "complaint. All brokers are ready."
)


def prepare(cluster: Cluster) -> None:
    """Two topics, three replicas each, everything in sync; each broker leads one partition of both."""
    for topic in (TOPIC, HEARTBEAT):
        cluster.create_topic(topic, replica_assignment=PLACEMENT, config={"min.insync.replicas": 2})


def break_cluster(cluster: Cluster, chance: random.Random) -> None:
    """Payments, then the settings of a colleague who tidied up: "all addresses in one form"."""
    write_payments(cluster, TOPIC, PAYMENTS, partitions=len(PLACEMENT), chance=chance)
    space = space_of(cluster)
    told = space.setting(f"broker-{LOST}", SETTING)
    theirs = f"CLIENT://{dns_name(cluster, LOST)}:{CLIENT_PORT}"
    space.configure(f"broker-{LOST}", SETTING, re.sub("CLIENT://[^,]+", theirs, told))
    before = space.pod(f"broker-{LOST}")
    space.delete_pod(before.name)
    space.wait_for_another(before, timeout_s=BACK_WITHIN_S)
    space.wait_until_ready("broker", len(cluster.brokers), timeout_s=BACK_WITHIN_S)
    wait_until(lambda: _shows(cluster), BACK_WITHIN_S, because="the symptom", poll_s=0.5)


def symptom(cluster: Cluster) -> str:
    """What the alert says, and a client outside that writes one record for each broker."""
    ready = ", ".join(f"{pod.name} {pod.state}" for pod in space_of(cluster).pods("broker"))
    unanswered = write_outside(cluster, ["are you there?"])
    tries = []
    for number, info in sorted(cluster.topic(HEARTBEAT).partitions().items()):
        answer = "no answer" if number in unanswered else "acknowledged"
        tries.append(f"outside  {HEARTBEAT}-{number}, led by broker {info.leader}: {answer}")
    return "\n".join(["alert    the shop loses one payment in three", f"pods     {ready}", *tries])


def dns_name(cluster: Cluster, node_id: int) -> str:
    """By which pods find a broker."""
    return f"broker-{node_id}.brokers.{space_of(cluster).namespace}.svc"


def _shows(cluster: Cluster) -> bool:
    """Whether broker 3 is known by its new address, leads again, and everybody is in sync."""
    metadata = cluster.metadata()
    partitions = {topic: metadata.topics.get(topic, {}) for topic in (TOPIC, HEARTBEAT)}
    settled = all(
        info.leader == info.replicas[0] and len(info.isr) == 3
        for infos in partitions.values()
        for info in infos.values()
    )
    return settled and metadata.brokers.get(LOST, "").startswith(dns_name(cluster, LOST))
