"""What a failover timeline shows, read from a Recording: brokers, leaders, in-sync replicas, acknowledged writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from labsupport.core.escape import printable
from labsupport.views.happened import Mark, Span, events_of, fault_marks, in_order, spans_of
from labsupport.views.story import Story
from labsupport.views.time_svg import ms

if TYPE_CHECKING:
    from labsupport.observe import Failover, Recording

BEFORE_S, AFTER_S, LONGEST_S = 3.0, 2.0, 60.0
BINS = 100


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
    picture_s: float | None = None  # when a map showed the new leader
    picture_drawn: bool = False  # whether a page said so; else that is when it was sent to one


def hit_partitions(recording: Recording) -> list[tuple[str, int]]:
    """The topics and partitions whose leader was hit."""
    from labsupport import observe

    led = {(str(e["topic"]), int(e["partition"])) for e in events_of(recording) if e.get("what") == "leader"}
    return [place for place in sorted(led) if observe.failovers(recording, *place)]


def timeline_of(recording: Recording, failover: Failover, *, window: tuple[float, float] | None = None) -> Timeline:
    """Read what a timeline of `failover` shows; `window` is in seconds since the signal, and chosen if left out.

    Raises `LabError` when the Recording is damaged.
    """
    events = events_of(recording)
    last = max((float(e["t"]) for e in events), default=failover.signal_t) - failover.signal_t
    begin = max(-BEFORE_S, -failover.signal_t)
    seen = [s for s in (failover.exited_s, failover.new_leader_s, failover.first_acked_s) if s is not None]
    wanted = max(seen) * 1.15 + AFTER_S if failover.first_acked_s is not None else max([*seen, last, AFTER_S])
    end = min(max(wanted, 1.0), LONGEST_S)
    begin, end = window or (begin, end)
    acks = _acks(recording, failover, begin, end)
    picture_s, drawn = _picture(events, failover)
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
        picture_s=picture_s,
        picture_drawn=drawn,
    )


def story_of(recording: Recording, timeline: Timeline, svg: str) -> Story:
    """The timeline as a story, on its own clock: seconds since the kill."""
    events, signal_t = events_of(recording), timeline.failover.signal_t
    shown = [event for event in events if timeline.begin <= float(event["t"]) - signal_t <= timeline.end]
    partition = f"{printable(timeline.failover.topic)}-{timeline.failover.partition}"
    who = {span.begin: f"{span.what} leads {partition}" for span in timeline.leaders if span.begin > 0}
    marks = in_order(
        [Mark(mark.t - signal_t, mark.words, mark.role) for mark in fault_marks(shown)],
        [Mark(at, words, "leader") for at, words in who.items()],
        [Mark(at, words, "acked") for at, words in _writes_again(timeline)],
        [Mark(at, words) for at, words in _other_stamps(timeline)],
    )
    return Story(
        kind="timeline",
        title=f"failover of {partition}",
        begin=timeline.begin,
        end=timeline.end,
        marks=marks,
        faults=[] if timeline.fault is None else [timeline.fault],
        caption=caption(timeline),
        svg=svg,
    )


def _writes_again(timeline: Timeline) -> list[tuple[float, str]]:
    at = timeline.failover.first_acked_s
    return [] if at is None else [(at, "first acknowledged write")]


def _other_stamps(timeline: Timeline) -> list[tuple[float, str]]:
    at = timeline.picture_s
    return [] if at is None else [(at, "the picture changed" if timeline.picture_drawn else "the picture was sent")]


def _picture(events: Iterable[Mapping[str, Any]], failover: Failover) -> tuple[float | None, bool]:
    """When a live map showed the new leader, and whether its page said so (`drawn`) or it was only sent to one."""
    if failover.new is None or failover.new_leader_s is None:
        return None, False
    shown = [
        (event.get("seen") != "drawn", float(event["t"]) - failover.signal_t)
        for event in events
        if event.get("what") == "picture"
        and (event.get("topic"), event.get("partition"), event.get("node"))
        == (failover.topic, failover.partition, failover.new)
        and float(event["t"]) - failover.signal_t >= failover.new_leader_s
    ]
    if not shown:
        return None, False
    sent_only, at = min(shown)
    return at, not sent_only


def caption(timeline: Timeline) -> str:
    """The finding in words, with its numbers."""
    return sentences(timeline.failover, picture_s=timeline.picture_s, silent_s=timeline.silent_s)


def sentences(failover: Failover, *, picture_s: float | None = None, silent_s: float | None = None) -> str:
    """What is known of a failover, a sentence a stamp."""
    where = f"{printable(failover.topic)}-{failover.partition}"
    said = [f"Broker {failover.old} was {hit(failover)} while it led {where}."]
    if failover.new is None or failover.new_leader_s is None:
        said.append("No other broker took over.")
    else:
        said.append(f"Broker {failover.new} led after {ms(failover.new_leader_s)}.")
    if picture_s is not None:
        said.append(f"The picture showed it after {ms(picture_s)}.")
    if failover.first_acked_s is None:
        said.append("No write was acknowledged after that.")
    else:
        said.append(f"The first write was acknowledged {ms(failover.first_acked_s)} after the {since(failover)}.")
    if silent_s is not None:
        said.append(f"The longest time without an acknowledgement was {ms(silent_s)}.")
    return " ".join(said)


def plain(failover: Failover) -> str:
    """The judged facts alone: who led, who leads, and whether writes go on. No duration."""
    new = "nobody" if failover.new is None else f"broker {failover.new}"
    return f"broker {failover.old} → {new} (leader of {printable(failover.topic)}-{failover.partition})\n{failover!r}"


def hit(failover: Failover) -> str:
    """What befell the old leader, as a participle."""
    return {"exited": "gone"}.get(failover.fault, printable(failover.fault, limit=20))


def since(failover: Failover) -> str:
    """What befell the old leader, as a noun."""
    return {"killed": "kill", "stopped": "stop", "paused": "pause"}.get(failover.fault, "crash")


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
    return spans_of([(t - signal_t, what) for t, what in changes], begin, end)


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
