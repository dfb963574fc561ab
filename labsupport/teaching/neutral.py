"""The neutral state of a lab's cluster: read, hashed, and brought back. A reset is believed when the digests agree.

What the state holds, and `wipe` removes: topics with their replicas, in-sync replicas, offsets and settings; settings
of brokers that were changed while they ran; groups and their offsets; reassignments under way; brokers that do not run
and services that do; of a cluster of pods, what is declared in its namespace. Kafka's internal topics are left out.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from labsupport.clients import kafka_python
from labsupport.core.wait import wait_until
from labsupport.teaching.looking import admin_of, committed, settings, watermarks

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster

TIMEOUT_S = 60.0

State = dict[str, Any]


def state_of(cluster: Cluster) -> State:
    """What is true of a cluster now, as plain data without times, ids and addresses. Raises what the clients raise."""
    from labsupport.cluster.services import services

    with admin_of(cluster) as admin:
        groups = sorted(row["group_id"] for row in admin.list_groups())
        moving = admin.list_partition_reassignments() or {}
    return {
        "brokers": {broker.name: broker.state for broker in cluster.brokers},
        "services": [service.name for service in services(cluster.name) if service.state == "running"],
        "topics": {name: _topic(cluster, name) for name in cluster.topics()},
        "settings": settings(cluster),
        "groups": {group: {name: committed(cluster, group, name) for name in cluster.topics()} for group in groups},
        "reassignments": sorted(f"{at.topic}-{at.partition}" for at in moving),
        "declared": declared(cluster),
    }


def _topic(cluster: Cluster, name: str) -> State:
    offsets = watermarks(cluster, name)
    return {
        str(number): {"replicas": info.replicas, "isr": sorted(info.isr), "offsets": offsets.get(number)}
        for number, info in cluster.topic(name).partitions().items()
    }


def digest(state: State) -> str:
    """SHA-256 of a state: equal states have equal digests, in any process."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def declared(cluster: Cluster) -> State:
    """What Kubernetes is told to have in the cluster's namespace; nothing when it runs elsewhere."""
    if cluster.spec.backend != "kubernetes":
        return {}
    from labsupport.cluster.kubernetes.anew import declared_in

    space = cluster.kubernetes
    return declared_in(space.api, space.namespace)


def wipe_pods(cluster: Cluster) -> None:
    """The same for a cluster of pods, whatever was done to it with kubectl: its namespace is filled anew."""
    from labsupport.cluster.kubernetes.anew import begin_anew
    from labsupport.cluster.kubernetes.node import KubernetesNode
    from labsupport.cluster.services import services

    for service in services(cluster.name):
        service.stop()
    begin_anew([node for node in (*cluster.coordinators, *cluster.brokers) if isinstance(node, KubernetesNode)])


def wipe(cluster: Cluster) -> None:
    """Bring a cluster back to nothing: every broker runs, no service does, and what people made is gone.

    Raises `LabError` when it does not get there, and what the clients raise.
    """
    from labsupport.cluster.services import services

    for service in services(cluster.name):
        service.stop()
    for broker in cluster.brokers:
        broker.start(timeout_s=TIMEOUT_S)
    with admin_of(cluster) as admin:
        _reset_settings(cluster, admin)
        moving = admin.list_partition_reassignments() or {}
        if moving:
            admin.alter_partition_reassignments(dict.fromkeys(moving))
        wait_until(lambda: _without_groups(admin), TIMEOUT_S, because="all consumer groups to be gone", poll_s=0.2)
        topics = cluster.topics()
        if topics:
            admin.delete_topics(topics)
    wait_until(lambda: _is_empty(cluster), TIMEOUT_S, because="all topics to be gone")


def _reset_settings(cluster: Cluster, admin: Any) -> None:
    """Those of single brokers. Those of topics go with them; those of every broker kafka-python 3.0.12 cannot reset."""
    kafka_python.load()
    from kafka.admin import ConfigResource, ConfigResourceType

    for of, changed in settings(cluster).items():
        kind, _, name = of.partition(" ")
        if kind == "broker":
            admin.reset_configs([ConfigResource(ConfigResourceType.BROKER, name, dict.fromkeys(changed))])


def _without_groups(admin: Any) -> bool:
    """Whether there is no group; one that still has members is deleted at a later call."""
    groups = [row["group_id"] for row in admin.list_groups()]
    if groups:
        admin.delete_groups(groups)
    return not groups


def _is_empty(cluster: Cluster) -> bool:
    """Whether every broker says so: one that still knew an old topic would refuse its successor."""
    views = [broker.metadata() for broker in cluster.brokers]
    everyone = {broker.node_id for broker in cluster.brokers}
    return all(set(view.brokers) == everyone and all(name.startswith("__") for name in view.topics) for view in views)
