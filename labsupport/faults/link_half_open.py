"""A silent line: a firewall or load balancer has forgotten a connection that both ends still believe in."""

from __future__ import annotations

from labsupport.faults.breaking_links import BreakingLinks, Side


def link_half_open(one: Side, other: Side) -> BreakingLinks:
    """Silence every link between the two sides for the length of the block: all looks connected, and bytes vanish.

    Neither end is told anything, not even that the other one closed; new connections are accepted, and nobody answers.
    At the end of the block, connections that lost something are reset, as a peer that knows nothing of a connection
    would reset it; the others go on. A side is "clients", a node, a role, or a list of them.

    Only time-outs find this out. A client gives a request up after `request.timeout.ms` (30,000 ms), a producer a
    record after `delivery.timeout.ms` (120,000 ms), a follower its fetch after `replica.socket.timeout.ms` (30,000 ms).
    A broker keeps a dead client's connection until `connections.max.idle.ms` (600,000 ms). On a real silent line TCP
    keep-alive would find it out, too, by Linux's default after two hours; here our proxy's kernel answers the probes.

    Needs `Cluster.start(links=True)`; raises `BadInput` without, and for what is no end of a link.
    """
    return _HalfOpen(one, other, half_open=True)


class _HalfOpen(BreakingLinks):
    kind = "link half-open"
