"""A pulled cable, a firewall that rejects: connections break, and both ends know it at once."""

from __future__ import annotations

from labsupport.faults.breaking_links import BreakingLinks, Side


def link_cut(one: Side, other: Side) -> BreakingLinks:
    """Cut every link between the two sides for the length of the block: connections are reset, new ones refused.

    A side is "clients", a node, a role, or a list of them: `link_cut(cluster.broker(1), [cluster.broker(2),
    cluster.broker(3)])` sets one broker apart. All that passes between two nodes is cut, whoever dialled: replication,
    heartbeats, votes. (Where a port serves several callers, a new connection is accepted and reset at its first bytes.)

    Cut off from its leader, a follower leaves the ISR after `replica.lag.time.max.ms` (30,000 ms by default), once
    there is something that it has not fetched; as long as nothing is written, it is as good as the leader and stays.
    A leader that is cut off from the controller, too, cannot have the ISR shrunk, and `acks=all` waits. Cut off from
    the controller, a broker is fenced after `broker.session.timeout.ms` (9,000 ms; under ZooKeeper
    `zookeeper.session.timeout.ms`, 18,000 ms) and loses its partitions, yet goes on serving whoever reaches it. Clients
    dial again every `reconnect.backoff.ms` and repeat what was in flight until `delivery.timeout.ms` is over.

    Needs `Cluster.start(links=True)`; raises `BadInput` without, and for what is no end of a link.
    """
    return _Cut(one, other, cut=True)


class _Cut(BreakingLinks):
    kind = "link cut"
