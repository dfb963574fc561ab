"""Distance, or a narrow line: everything arrives, later."""

from __future__ import annotations

from labsupport.core.errors import BadInput
from labsupport.faults.breaking_links import BreakingLinks, Side

MOST_DELAY_MS = 60_000
LEAST_KBIT_PER_S = 8


def link_slowed(one: Side, other: Side, *, delay_ms: float = 0, kbit_per_s: float = 0) -> BreakingLinks:
    """Slow every link between the two sides for the length of the block.

    `delay_ms` is added each way, so that a request and its answer take twice that longer. `kbit_per_s` limits each
    direction of a link (0: no limit), shared by its connections. A side is "clients", a node, a role, or a list of
    them.

    With `acks=all` a producer waits for the slowest in-sync follower, for the leader acknowledges when all of the ISR
    have fetched. A follower that falls behind for `replica.lag.time.max.ms` (30,000 ms) leaves the ISR, and from then
    on it costs nothing. Over a long fat line, throughput is bounded by what may be in flight: `replica.fetch.max.bytes`
    and `replica.socket.receive.buffer.bytes` between brokers, `batch.size`, `max.in.flight.requests.per.connection`
    and `fetch.max.bytes` for clients, `socket.send.buffer.bytes` for both.

    Needs `Cluster.start(links=True)`; raises `BadInput` without, and for what cannot be meant.
    """
    for what, value, least, most in (
        ("delay_ms", delay_ms, 0, MOST_DELAY_MS),
        ("kbit_per_s", kbit_per_s, LEAST_KBIT_PER_S, 10_000_000),
    ):
        if isinstance(value, bool) or not isinstance(value, int | float) or not (value == 0 or least <= value <= most):
            raise BadInput(f"{what} is {value!r}.", fix=f"Use a number from {least} to {most}, or 0 for none.")
    if not delay_ms and not kbit_per_s:
        raise BadInput("A link is slowed by nothing.", fix="Give delay_ms, kbit_per_s or both.")
    return _Slowed(one, other, delay_ms=delay_ms, kbit_per_s=kbit_per_s)


class _Slowed(BreakingLinks):
    kind = "link slowed"
