"""Time to recover: from the moment a leader was hit to the first write that its successor acknowledged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.observe.format import Entry

if TYPE_CHECKING:
    from labsupport.observe.recording import Recording

HITS = frozenset({"killed", "stopped", "paused"})


@dataclass(frozen=True, kw_only=True)
class Failover:
    """One leader was hit. `signal_t` is that moment, in seconds since the Recording began; the others count from it.

    What was not seen is None. `old` and `new` are node ids. `first_acked_s` is the first acknowledgement of a send to
    the partition that came after the new leader was seen.
    """

    topic: str
    partition: int
    fault: str  # "killed", "stopped", "paused", or "exited" when no fault of ours was announced (a button, a crash)
    old: int
    new: int | None
    signal_t: float
    exited_s: float | None
    isr_shrunk_s: float | None
    new_leader_s: float | None
    first_acked_s: float | None

    def __repr__(self) -> str:
        """What can be judged; the figures differ from run to run and are shown as a picture."""
        moved, acked = ("yes" if seen is not None else "no" for seen in (self.new_leader_s, self.first_acked_s))
        return f"{printable(self.topic)}-{self.partition}: new leader: {moved} · writes acknowledged again: {acked}"


def failover(recording: Recording, topic: str, partition: int) -> Failover:
    """The last failover of the partition. Raises `LabError` when its leader was never hit in this Recording."""
    found = failovers(recording, topic, partition)
    if not found:
        raise LabError(
            f"The recording shows nothing that hit the leader of {printable(topic)}-{partition}.",
            fix="Kill, stop or pause it first: `with faults.killed(cluster.leader(TOPIC, PARTITION)): …`.",
        )
    return found[-1]


def failovers(recording: Recording, topic: str, partition: int) -> list[Failover]:
    """Every failover of the partition, in order. Reads the file twice and keeps only its events in memory."""
    events = sorted(recording.entries(kinds={"event"}), key=lambda entry: float(entry["t"]))
    hits = list(_hits(events, topic, partition))
    if not hits:
        return []
    ends = [*(hit.t for hit in hits[1:]), float("inf")]
    spans = [[e for e in events if hit.t <= e["t"] < end] for hit, end in zip(hits, ends, strict=True)]
    found = [_failover(hit, span, topic, partition) for hit, span in zip(hits, spans, strict=True)]
    return _with_first_acks(recording, found, ends)


@dataclass(frozen=True)
class _Hit:
    t: float
    fault: str
    leader: int


def _hits(events: Iterable[Entry], topic: str, partition: int) -> Iterator[_Hit]:
    """The moments at which whoever led the partition was hit: by an announced fault, or else its process tells."""
    leader: int | None = None
    under_fault: set[int] = set()
    for event in events:
        what, state = event["what"], event.get("state")
        if _is(event, "leader", topic, partition):
            leader = event.get("node")
        elif what == "fault began" and event.get("fault") in HITS:
            hit = _broker_ids(event.get("nodes"))
            under_fault |= hit
            if leader is not None and leader in hit:
                yield _Hit(event["t"], str(event["fault"]), leader)
        elif what == "fault healed":
            under_fault -= _broker_ids(event.get("nodes"))
        elif what == "process" and state in {"stopped", "paused"}:
            unannounced = _broker_ids([event.get("node")]) - under_fault
            if leader is not None and leader in unannounced:
                yield _Hit(event["t"], "paused" if state == "paused" else "exited", leader)


def _failover(hit: _Hit, span: list[Entry], topic: str, partition: int) -> Failover:
    """What the events from one hit to the next say."""
    moved = next(
        (e for e in span if _is(e, "leader", topic, partition) and e.get("node") not in {None, hit.leader}), None
    )
    shrunk = next((e for e in span if _is(e, "isr", topic, partition) and hit.leader not in e.get("isr", ())), None)
    exited = next((e for e in span if _stopped(e, hit.leader)), None)

    def since_hit(event: Entry | None) -> float | None:
        return None if event is None else round(event["t"] - hit.t, 6)

    return Failover(
        topic=topic,
        partition=partition,
        fault=hit.fault,
        old=hit.leader,
        new=None if moved is None else int(moved["node"]),
        signal_t=hit.t,
        exited_s=since_hit(exited),
        isr_shrunk_s=since_hit(shrunk),
        new_leader_s=since_hit(moved),
        first_acked_s=None,
    )


def _with_first_acks(recording: Recording, found: list[Failover], ends: list[float]) -> list[Failover]:
    first: dict[int, float] = {}
    waiting = [(n, f.signal_t + f.new_leader_s, ends[n]) for n, f in enumerate(found) if f.new_leader_s is not None]
    for send in recording.entries(kinds={"send"}) if waiting else ():
        if send.get("outcome") != "acked" or send.get("partition") != found[0].partition:
            continue
        if send.get("topic") != found[0].topic:
            continue
        for n, moved_t, end_t in waiting:
            if moved_t < send["t"] < end_t:
                first[n] = min(first.get(n, send["t"]), send["t"])
    return [_acked_at(f, first.get(n)) for n, f in enumerate(found)]


def _acked_at(seen: Failover, t: float | None) -> Failover:
    return seen if t is None else replace(seen, first_acked_s=round(t - seen.signal_t, 6))


def _is(event: Entry, what: str, topic: str, partition: int) -> bool:
    return event.get("what") == what and event.get("topic") == topic and event.get("partition") == partition


def _stopped(event: Entry, node_id: int) -> bool:
    return (
        event.get("what") == "process"
        and event.get("state") == "stopped"
        and node_id in _broker_ids([event.get("node")])
    )


def _broker_ids(nodes: Iterable[object] | None) -> set[int]:
    """The ids of the brokers among `nodes`, by name or by id; ZooKeeper servers and controllers lead no partition."""
    ids: set[int] = set()
    for node in nodes or ():
        role, _, number = node.partition("-") if isinstance(node, str) else ("broker", "", str(node))
        if role == "broker" and number.isdecimal():
            ids.add(int(number))
    return ids
