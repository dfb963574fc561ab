"""What a failover timeline shows, read from a Recording: brokers, leaders, in-sync replicas, acknowledged writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from labsupport.core.escape import printable

if TYPE_CHECKING:
    from labsupport.observe import Failover, Recording

BEFORE_S, AFTER_S, LONGEST_S = 3.0, 2.0, 60.0
BINS = 100


@dataclass(frozen=True)
class Span:
    """Something that held from `begin` to `end`, in seconds since the kill."""

    begin: float
    end: float
    what: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """What is drawn; every time is in seconds since the kill."""

    failover: Failover
    begin: float
    end: float
    brokers: Mapping[str, Sequence[Span]]
    leaders: Sequence[Span]
    in_sync: Sequence[Span]
    fault: Span | None
    acked: Sequence[float]  # records a second to this partition, in `BINS` equal parts of the time
    silent_s: float | None  # the longest time without an acknowledgement that began or lasted after the kill


def timeline_of(recording: Recording, failover: Failover) -> Timeline:
    """Read what a timeline of `failover` shows. Raises `LabError` when the Recording is damaged."""
    events = sorted(recording.entries(kinds={"event"}), key=lambda entry: float(entry["t"]))
    last = max((float(e["t"]) for e in events), default=failover.signal_t) - failover.signal_t
    begin = max(-BEFORE_S, -failover.signal_t)
    seen = [s for s in (failover.exited_s, failover.new_leader_s, failover.first_acked_s) if s is not None]
    wanted = max(seen) * 1.15 + AFTER_S if failover.first_acked_s is not None else max([*seen, last, AFTER_S])
    end = min(max(wanted, 1.0), LONGEST_S)
    acks = _acks(recording, failover, begin, end)
    return Timeline(
        failover=failover,
        begin=begin,
        end=end,
        brokers=_broker_spans(recording, events, failover, begin, end),
        leaders=_leader_spans(events, failover, begin, end),
        in_sync=_spans(_changes(events, failover, "isr", _ids), failover.signal_t, begin, end),
        fault=_fault_span(events, failover, end),
        acked=_rates(acks, begin, end),
        silent_s=_silence(acks, end),
    )


def caption(failover: Failover, silent_s: float | None = None) -> str:
    """The finding in words, with its numbers."""
    where = f"{printable(failover.topic)}-{failover.partition}"
    said = [f"Broker {failover.old} was {hit(failover)} while it led {where}."]
    if failover.new is None or failover.new_leader_s is None:
        said.append("No other broker took over.")
    else:
        said.append(f"Broker {failover.new} led after {ms(failover.new_leader_s)}.")
    if failover.first_acked_s is None:
        said.append("No write was acknowledged after that.")
    else:
        said.append(f"The first write was acknowledged {ms(failover.first_acked_s)} after the kill.")
    if silent_s is not None:
        said.append(f"The longest time without an acknowledgement was {ms(silent_s)}.")
    if failover.fault == "paused":
        said = [line.replace("after the kill", "after the pause") for line in said]
    return " ".join(said)


def plain(failover: Failover) -> str:
    """The judged facts alone: who led, who leads, and whether writes go on. No duration."""
    new = "nobody" if failover.new is None else f"broker {failover.new}"
    return f"broker {failover.old} → {new} (leader of {printable(failover.topic)}-{failover.partition})\n{failover!r}"


def hit(failover: Failover) -> str:
    """What befell the old leader, as a participle."""
    return {"exited": "gone"}.get(failover.fault, printable(failover.fault, limit=20))


def ms(seconds: float) -> str:
    """A duration in whole milliseconds."""
    return f"{seconds * 1000:,.0f}\N{NO-BREAK SPACE}ms"


def _ids(event: Mapping[str, Any]) -> str:
    ids = sorted(event.get("isr") or ())
    return f"{len(ids)} in sync: {', '.join(map(str, ids))}" if ids else "nobody"


def _changes(
    events: Iterable[Mapping[str, Any]], failover: Failover, what: str, say: Callable[[Mapping[str, Any]], str]
) -> list[tuple[float, str]]:
    return [
        (float(e["t"]), say(e))
        for e in events
        if e.get("what") == what and e.get("topic") == failover.topic and e.get("partition") == failover.partition
    ]


def _spans(changes: Sequence[tuple[float, str]], signal_t: float, begin: float, end: float) -> list[Span]:
    """From "it became so at t" to "it was so from – to", cut to the picture; equal neighbours are one."""
    spans: list[Span] = []
    nexts = [*(t for t, _ in changes[1:]), float("inf")]
    for (t, what), until in zip(changes, nexts, strict=True):
        start, stop = max(t - signal_t, begin), min(until - signal_t, end)
        if spans and spans[-1].what == what and spans[-1].end == start:
            spans[-1] = Span(spans[-1].begin, stop, what)
        elif stop > start:
            spans.append(Span(start, stop, what))
    return spans


def _broker_spans(
    recording: Recording, events: Iterable[Mapping[str, Any]], failover: Failover, begin: float, end: float
) -> dict[str, list[Span]]:
    lanes: dict[str, list[tuple[float, str]]] = {f"broker-{n}": [] for n in recording.header.cluster.brokers}
    for event in events:
        if event.get("what") == "process" and event.get("node") in lanes:
            lanes[str(event["node"])].append((float(event["t"]), str(event.get("state"))))
    return {name: _spans(changes, failover.signal_t, begin, end) for name, changes in lanes.items()}


def _leader_spans(events: Iterable[Mapping[str, Any]], failover: Failover, begin: float, end: float) -> list[Span]:
    """Who leads according to the metadata; that the old leader is dead by then is said."""

    def who(event: Mapping[str, Any]) -> str:
        return "nobody" if event.get("node") is None else f"broker {event['node']}"

    dead = f"broker {failover.old} ({hit(failover)})"
    spans: list[Span] = []
    for span in _spans(_changes(events, failover, "leader", who), failover.signal_t, begin, end):
        if span.what == f"broker {failover.old}" and span.begin <= 0 < span.end:
            spans += [Span(span.begin, 0.0, span.what)] if span.begin < 0 else []
            spans.append(Span(0.0, span.end, dead))
        else:
            spans.append(span)
    return spans


def _fault_span(events: Iterable[Mapping[str, Any]], failover: Failover, end: float) -> Span | None:
    """From the kill to its healing, or to the end of the picture."""
    healed = end
    for event in events:
        at = float(event["t"]) - failover.signal_t
        names = {str(node) for node in event.get("nodes") or ()}
        if event.get("what") == "fault healed" and at > 0 and names & {f"broker-{failover.old}", str(failover.old)}:
            healed = min(healed, at)
    return Span(0.0, healed, f"fault: broker {failover.old} {hit(failover)}")


def _acks(recording: Recording, failover: Failover, begin: float, end: float) -> list[float]:
    signal_t = failover.signal_t
    times = [
        float(send["t"]) - signal_t
        for send in recording.entries(kinds={"send"})
        if send.get("outcome") == "acked"
        and send.get("topic") == failover.topic
        and send.get("partition") == failover.partition
        and begin <= float(send["t"]) - signal_t < end
    ]
    return sorted(times)


def _rates(acks: Sequence[float], begin: float, end: float) -> list[float]:
    counts = [0] * BINS
    width = (end - begin) / BINS
    for t in acks:
        counts[min(int((t - begin) / width), BINS - 1)] += 1
    return [count / width for count in counts]


def _silence(acks: Sequence[float], end: float) -> float | None:
    """The longest gap between two acknowledgements of which the second came after the kill."""
    gaps = [later - earlier for earlier, later in pairwise(acks) if later > 0]
    if acks and not any(t > 0 for t in acks):
        gaps.append(end - acks[-1])
    return max(gaps, default=None)
