"""What each wrong attempt really does to the cluster: one without an effect would prove nothing of the checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from labsupport import Cluster
from labsupport.teaching import committed, members, read_values, settings, watermarks

Effect = Callable[[Cluster], bool]


def two_replicas(cluster: Cluster) -> bool:
    partitions = cluster.topic("payments").partitions().values()
    return all(len(info.replicas) == 2 and len(info.isr) == 2 for info in partitions)


def an_empty_topic_in_sync(cluster: Cluster) -> bool:
    partitions = cluster.metadata().topics.get("payments", {})
    in_sync = len(partitions) == 3 and all(len(info.isr) == 3 for info in partitions.values())
    return in_sync and all(end == 0 for _, end in watermarks(cluster, "payments").values())


def caught_up_under_a_throttle(cluster: Cluster) -> bool:
    in_sync = all(len(info.isr) == 3 for info in cluster.topic("payments").partitions().values())
    return in_sync and settings(cluster)["broker 3"]["follower.replication.throttled.rate"] == "100000000"


def one_replica_is_enough(cluster: Cluster) -> bool:
    return settings(cluster)["topic payments"]["min.insync.replicas"] == "1"


def no_lag(cluster: Cluster) -> bool:
    """The consumer is back, and has read all that it is going to read."""
    stood = committed(cluster, "airport-fees", "departures")
    ends = watermarks(cluster, "departures")
    return members(cluster, "airport-fees") == 1 and all(stood.get(n) == end for n, (_, end) in ends.items())


def no_lag_and_records_gone(cluster: Cluster) -> bool:
    return no_lag(cluster) and any(start > 0 for start, _ in watermarks(cluster, "departures").values())


def charged_twice_and_stuck_again(cluster: Cluster) -> bool:
    """Every fee but those behind the poison record stands there twice, and there is lag again."""
    fees, stood = read_values(cluster, "fees"), committed(cluster, "airport-fees", "departures")
    return members(cluster, "airport-fees") == 1 and len(fees) == 2 * sum(stood.values()) and not no_lag(cluster)


EFFECTS: Mapping[str, Mapping[str, Effect]] = {
    "under-replicated": {
        "lower-the-factor": two_replicas,
        "delete-and-create": an_empty_topic_in_sync,
        "raise-the-rate": caught_up_under_a_throttle,
        "lower-the-promise": one_replica_is_enough,
    },
    "stuck-consumer": {
        "to-the-end": no_lag,
        "some-further": no_lag,
        "delete-the-records": no_lag_and_records_gone,
        "from-the-beginning": charged_twice_and_stuck_again,
    },
}
