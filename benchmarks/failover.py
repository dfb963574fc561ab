"""How long writes stand still when a partition's leader is killed, beside the session time-out of the mode.

Nobody says goodbye for a killed broker: its session has to expire first, so no failover can be faster (ZooKeeper:
`zookeeper.session.timeout.ms`, KRaft: `broker.session.timeout.ms`, both as Kafka has them by default). What is above
a ratio of 1 is the rest: election, news of it, and the producer's next try. Both moments are those of the Recording:
the signal, and the first acknowledgement by the new leader. The killed broker is not the active controller.

    python -m benchmarks.failover [--rounds N]
"""

from __future__ import annotations

import argparse

from benchmarks.common import Row, interleaved, print_table
from labsupport import Cluster, faults
from labsupport.core.wait import wait_until
from labsupport.observe.failover import Failover, failover

SESSION_S = {"zookeeper": 18.0, "kraft": 9.0}
SETTING = {"zookeeper": "zookeeper.session.timeout.ms", "kraft": "broker.session.timeout.ms"}
GOAL = "<= 1.25"
TOPIC = "flights"


def fail_over(coordination: str) -> Failover:
    """One cluster, one killed leader under load, until its successor has acknowledged a write."""
    with Cluster.start(brokers=3, coordination=coordination) as cluster:
        others = [broker.node_id for broker in cluster.brokers if broker != cluster.controller()]
        replicas = [*others, cluster.controller().node_id]
        topic = cluster.create_topic(TOPIC, replica_assignment={0: replicas}, config={"min.insync.replicas": 2})
        with cluster.load(topic, records_per_s=200) as load:
            load.wait_for_acked(200)
            with faults.killed(cluster.leader(topic)):
                wait_until(
                    lambda: failover(cluster.recording, TOPIC, 0).first_acked_s is not None,
                    4 * SESSION_S[coordination],
                    because="the first write that the new leader acknowledges",
                )
                return failover(cluster.recording, TOPIC, 0)


def rows(readings: dict[str, list[Failover]]) -> list[Row]:
    """Two rows a mode: until the metadata names another leader, and until a write is acknowledged again."""
    table = []
    for mode, seen in readings.items():
        session = [SESSION_S[mode]] * len(seen)
        leader = [f.new_leader_s for f in seen if f.new_leader_s is not None]
        acked = [f.first_acked_s for f in seen if f.first_acked_s is not None]
        table.append(Row(f"{mode}: new leader in the metadata, s (plain: {SETTING[mode]})", leader, session))
        table.append(Row(f"{mode}: first acknowledged write, s", acked, session, GOAL))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print_table(rows(interleaved({mode: lambda mode=mode: fail_over(mode) for mode in SESSION_S}, rounds)))


if __name__ == "__main__":
    main()
