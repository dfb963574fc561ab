"""A cluster that is well again, as all of its brokers see it."""

from __future__ import annotations

from labsupport import Cluster
from labsupport.clients.metadata import NoAnswer
from labsupport.cluster.topic import Topic
from labsupport.core.wait import wait_until


def wait_until_well(cluster: Cluster, topic: Topic, *, timeout_s: float = 90) -> None:
    """Wait until every broker says that all replicas of the topic are in sync, and all name the same leaders.

    Asking one of them is not enough: a broker that was frozen tells for a while what it knew before, and leads in its
    own eyes. Under ZooKeeper, all must also name one controller; a thawed one refuses topics until it knows that it is
    none. (In KRaft, brokers name any of them: KIP-590.)
    """
    wait_until(lambda: _well(cluster, topic), timeout_s, because=f"all brokers to call {topic} well")


def _well(cluster: Cluster, topic: Topic) -> bool:
    try:
        views = [broker.metadata() for broker in cluster.brokers]
    except NoAnswer:
        return False
    partitions = [view.topics.get(topic.name, {}) for view in views]
    leaders = [{number: info.leader for number, info in seen.items()} for seen in partitions]
    in_sync = all(set(info.isr) == set(info.replicas) for seen in partitions for info in seen.values())
    controllers = {view.controller_id for view in views} if cluster.spec.coordination == "zookeeper" else {0}
    return bool(leaders[0]) and leaders.count(leaders[0]) == len(leaders) and in_sync and len(controllers - {None}) == 1
