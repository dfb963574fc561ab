"""What each wrong attempt really does to the cluster: one without an effect would prove nothing of the checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from labsupport import Cluster
from labsupport.teaching import committed, members, read_values, settings, watermarks
from labsupport.teaching.pods import found, inside

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


def two_tell_one_address(cluster: Cluster) -> bool:
    told = cluster.metadata().brokers
    return told.get(3) == told.get(1) == cluster.broker(1).address


def outside_reaches_what_pods_do_not(cluster: Cluster) -> bool:
    """From outside broker 3 is where its port-forward is; pods are told an address that is each one's own."""
    told = cluster.kubernetes.setting("broker-3", "advertised.listeners")
    return "INTERNAL://127.0.0.1:9094" in told and cluster.metadata().brokers.get(3) == cluster.broker(3).address


def nobody_asks_broker_3(cluster: Cluster) -> bool:
    """The shop is content: every partition of payments is led by another broker, with two copies in sync."""
    partitions = cluster.topic("payments").partitions().values()
    return all(set(info.replicas) == set(info.isr) == {1, 2} for info in partitions)


def broker_3_is_gone(cluster: Cluster) -> bool:
    pods = [pod.name for pod in cluster.kubernetes.pods("broker")]
    return pods == ["broker-1", "broker-2"] and set(cluster.metadata().brokers) == {1, 2}


def one_client_got_through(cluster: Cluster) -> bool:
    """Records of its own are on every partition, also on the one that broker 3 leads."""
    server = f"brokers.{cluster.kubernetes.namespace}.svc:9094"
    lines = inside(cluster, "kafka-get-offsets.sh --bootstrap-server $1 --topic heartbeat", server).splitlines()
    ends = [int(line.rpartition(":")[2]) for line in lines]
    return sum(ends) >= 20 and min(ends) > 0


def all_in_sync(cluster: Cluster) -> bool:
    """Three brokers have all of payments, and their pods are ready."""
    partitions = cluster.metadata().topics.get("payments", {})
    in_sync = len(partitions) == 3 and all(len(info.isr) == 3 for info in partitions.values())
    return in_sync and sum(pod.ready for pod in cluster.kubernetes.pods("broker")) == 3


def three_empty_brokers(cluster: Cluster) -> bool:
    pods = cluster.kubernetes.pods("broker")
    return len(cluster.metadata().brokers) == sum(pod.ready for pod in pods) == 3 and not cluster.topics()


def no_quota_and_in_sync(cluster: Cluster) -> bool:
    return found(cluster, "ResourceQuota", "quota") is None and all_in_sync(cluster)


def a_terabyte_and_in_sync(cluster: Cluster) -> bool:
    quota = found(cluster, "ResourceQuota", "quota")
    return quota is not None and quota["spec"]["hard"]["requests.storage"] == "1Ti" and all_in_sync(cluster)


def in_sync_on_half_a_disk(cluster: Cluster) -> bool:
    claim = cluster.kubernetes.claim("data-broker-3")
    return (claim.phase, claim.size) == ("Bound", "512Mi") and all_in_sync(cluster)


def broker_2_has_left(cluster: Cluster) -> bool:
    """Another pod is there in its place, and no node is closed to pods any more."""
    pod = found(cluster, "Pod", "broker-2") or {"metadata": {"annotations": {"kafka-lab/kernel": "old"}}}
    left = "kafka-lab/kernel" not in pod["metadata"].get("annotations", {})
    return left and all(node.schedulable for node in cluster.kubernetes.nodes())


def refused_without_a_budget(cluster: Cluster) -> bool:
    return found(cluster, "PodDisruptionBudget", "broker") is None and refused_while_away(cluster)


def refused_past_the_budget(cluster: Cluster) -> bool:
    return _budget(cluster).get("minAvailable") == 3 and refused_while_away(cluster)


def refused_by_a_budget_of_one(cluster: Cluster) -> bool:
    return _budget(cluster).get("maxUnavailable") == 1 and refused_while_away(cluster)


def refused_while_away(cluster: Cluster) -> bool:
    """Broker 2 was away and is back, and the till wrote down customers who left."""
    return broker_2_has_left(cluster) and any(end > 0 for _, end in watermarks(cluster, "refused").values())


def away_with_a_single_copy(cluster: Cluster) -> bool:
    return broker_2_has_left(cluster) and one_replica_is_enough(cluster)


def _budget(cluster: Cluster) -> Mapping[str, object]:
    budget = found(cluster, "PodDisruptionBudget", "broker") or {"spec": {}}
    spec: Mapping[str, object] = budget["spec"]
    return spec


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
    "unreachable-broker": {
        "around-it": nobody_asks_broker_3,
        "copy-of-a-line-that-works": two_tell_one_address,
        "hosts-of-one-client": one_client_got_through,
        "local-for-everybody": outside_reaches_what_pods_do_not,
        "two-are-enough": broker_3_is_gone,
    },
    "pending-broker": {
        "a-terabyte": a_terabyte_and_in_sync,
        "everything-anew": three_empty_brokers,
        "two-are-enough": broker_3_is_gone,
        "what-is-left": in_sync_on_half_a_disk,
        "without-a-quota": no_quota_and_in_sync,
    },
    "blocked-drain": {
        "by-force": refused_past_the_budget,
        "lower-the-promise": away_with_a_single_copy,
        "past-the-budget": refused_past_the_budget,
        "the-budget-alone": refused_by_a_budget_of_one,
        "without-a-budget": refused_without_a_budget,
    },
}
