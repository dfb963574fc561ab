"""The ISR timeline: who led, who was in sync and who was not, a lane a replica, over the faults that explain it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.views.happened import Mark, Span, end_of, events_of, fault_marks, fault_spans, in_order, spans_of
from labsupport.views.markup import Markup, shorten
from labsupport.views.story import Story
from labsupport.views.time_svg import TimeDrawing

if TYPE_CHECKING:
    from labsupport.observe import Entry, Recording

MOST_PARTITIONS = 6
_DOWN = {"stopped": "down", "paused": "paused"}  # a process that was killed has stopped, too


@dataclass(frozen=True, kw_only=True)
class PartitionLanes:
    """One partition: what each replica was and when, and how the number of those in sync went."""

    partition: int
    replicas: Mapping[int, Sequence[Span]]
    leaders: Sequence[int | None]  # node ids, each time another one led; None: nobody did
    sizes: Sequence[int]  # of the ISR, each time it changed


@dataclass(frozen=True, kw_only=True)
class IsrTimeline:
    """Times are seconds since the Recording began."""

    topic: str
    begin: float
    end: float
    partitions: Sequence[PartitionLanes]
    hidden: int
    faults: Sequence[Span]
    marks: Sequence[Mark]


def isr_timeline(recording: Recording, topic: str) -> IsrTimeline:
    """Read the timeline of a topic. Raises `BadInput` when the Recording knows no such topic, `LabError` if damaged."""
    events = events_of(recording)
    history = _History(topic)
    for event in events:
        history.take(event)
    if not history.lanes:
        raise BadInput(f"The recording knows no topic {printable(topic)}.", fix="Name one that was there.")
    begin = min(at for lanes in history.lanes.values() for at, _ in lanes)
    end = max(end_of(recording, events), begin + 1)
    numbers = sorted(history.isr)
    return IsrTimeline(
        topic=topic,
        begin=begin,
        end=end,
        partitions=[history.partition(number, begin, end) for number in numbers[:MOST_PARTITIONS]],
        hidden=max(0, len(numbers) - MOST_PARTITIONS),
        faults=[span for span in fault_spans(events, end) if span.end > begin],
        marks=in_order(history.marks, [mark for mark in fault_marks(events) if mark.t >= begin]),
    )


@dataclass
class _History:
    """Takes events in the order of time, and notes each change of what a replica was."""

    topic: str
    replicas: dict[int, tuple[int, ...]] = field(default_factory=dict)
    leader: dict[int, int | None] = field(default_factory=dict)
    isr: dict[int, tuple[int, ...]] = field(default_factory=dict)
    elr: dict[int, tuple[int, ...]] = field(default_factory=dict)
    down: dict[int, str] = field(default_factory=dict)
    lanes: dict[tuple[int, int], list[tuple[float, str]]] = field(default_factory=dict)
    leaders: dict[int, list[int | None]] = field(default_factory=dict)
    sizes: dict[int, list[int]] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)

    def take(self, event: Entry) -> None:
        what, t = event.get("what"), float(event["t"])
        if what == "process" and str(event.get("node")).startswith("broker-"):
            self._process(event)
        elif event.get("topic") == self.topic and what in {"topic", "leader", "isr", "elr"}:
            getattr(self, f"_{what}")(event, t)
        else:
            return
        self._look(t)

    def _process(self, event: Entry) -> None:
        node, state = int(event.get("node_id") or 0), str(event.get("state"))
        if state in _DOWN:
            self.down[node] = _DOWN[state]
        elif state == "running":
            self.down.pop(node, None)

    def _topic(self, event: Entry, t: float) -> None:
        for number, ids in (event.get("replicas") or {}).items():
            self.replicas[int(number)] = tuple(ids)

    def _leader(self, event: Entry, t: float) -> None:
        number, node = int(event["partition"]), event.get("node")
        before = self.leader.get(number)
        self.leader[number] = node
        led = self.leaders.setdefault(number, [])
        if node != before:
            led.append(node)
        if node is not None and node != before:
            if len(led) > 1:
                self.marks.append(Mark(t, f"broker {node} leads {self._label(number)}", "leader"))
        elif node is None:
            self.marks.append(Mark(t, f"nobody leads {self._label(number)}", "leader"))

    def _isr(self, event: Entry, t: float) -> None:
        number, ids = int(event["partition"]), tuple(sorted(event.get("isr") or ()))
        if number in self.isr and ids != self.isr[number]:
            words = ", ".join(map(str, ids)) or "nobody"
            self.marks.append(Mark(t, f"in sync for {self._label(number)}: {words}"))
        self.isr[number] = ids
        self.sizes.setdefault(number, []).append(len(ids))

    def _elr(self, event: Entry, t: float) -> None:
        self.elr[int(event["partition"])] = tuple(event.get("elr") or ())

    def _label(self, number: int) -> str:
        return f"{shorten(self.topic, 40)}-{number}"

    def _look(self, t: float) -> None:
        for number, isr in self.isr.items():
            for node in sorted({*self.replicas.get(number, ()), *isr}):
                lane = self.lanes.setdefault((number, node), [])
                role = self._role(number, node, isr)
                if not lane or lane[-1][1] != role:
                    lane.append((t, role))

    def _role(self, number: int, node: int, isr: tuple[int, ...]) -> str:
        """That a broker is down is said where the metadata has not noticed yet."""
        down = f" ({self.down[node]})" if node in self.down else ""
        if node == self.leader.get(number):
            return f"leader{down}"
        if node in isr:
            return f"in sync{down}"
        return "eligible (ELR)" if node in self.elr.get(number, ()) else "not in sync"

    def partition(self, number: int, begin: float, end: float) -> PartitionLanes:
        lanes = {node: changes for (where, node), changes in self.lanes.items() if where == number}
        order = [*self.replicas.get(number, ()), *sorted(lanes.keys() - set(self.replicas.get(number, ())))]
        return PartitionLanes(
            partition=number,
            replicas={node: spans_of(lanes[node], begin, end) for node in order if node in lanes},
            leaders=self.leaders.get(number, []),
            sizes=self.sizes.get(number, []),
        )


def isr_svg(timeline: IsrTimeline) -> Markup:
    """The timeline as an `<svg>`; its label says what the text says."""
    drawing = TimeDrawing(timeline.begin, timeline.end)
    top = drawing.y
    for lanes in timeline.partitions:
        drawing.heading(f"{shorten(timeline.topic, 60)}-{lanes.partition}")
        for node, spans in lanes.replicas.items():
            drawing.lane(f"broker {node}", spans, height=22)
    if timeline.hidden:
        drawing.heading(f"and {timeline.hidden} more partitions")
    drawing.shades(timeline.faults, top)
    drawing.axis("time since the recording began (s)")
    return drawing.svg(caption(timeline))


def caption(timeline: IsrTimeline) -> str:
    """The finding, a sentence a partition."""
    return " ".join(_sentence(timeline, lanes) for lanes in timeline.partitions)


def plain(timeline: IsrTimeline) -> str:
    """The judged facts: no time, and no order in which replicas fell out."""
    return "\n".join(_sentence(timeline, lanes, _brokers(lanes)).rstrip(".") for lanes in timeline.partitions)


def _brokers(lanes: PartitionLanes) -> list[int | None]:
    """Who led, one after the other: that nobody did for a moment is seen on one machine and not on another."""
    return [node for node, _ in groupby(node for node in lanes.leaders if node is not None)]


def _sentence(timeline: IsrTimeline, lanes: PartitionLanes, leaders: Sequence[int | None] | None = None) -> str:
    label = f"{printable(timeline.topic, limit=60)}-{lanes.partition}"
    names = ["nobody" if node is None else str(node) for node in (lanes.leaders if leaders is None else leaders)]
    first = "" if names[:1] == ["nobody"] else "broker "
    led = f"led by {first}{', then '.join(names)}" if names else "led by nobody"
    if not lanes.sizes:
        return f"{label}: {led}."
    least, last = min(lanes.sizes), lanes.sizes[-1]
    many = f"{last} in sync" if least == last else f"at least {least} in sync, {last} at the end"
    return f"{label}: {led}; {many}."


def story_of(timeline: IsrTimeline, svg: Markup) -> Story:
    """The timeline as a story."""
    return Story(
        kind="timeline",
        title=f"in-sync replicas of {printable(timeline.topic, limit=60)}",
        begin=timeline.begin,
        end=timeline.end,
        marks=timeline.marks,
        faults=timeline.faults,
        caption=caption(timeline),
        svg=str(svg),
    )
