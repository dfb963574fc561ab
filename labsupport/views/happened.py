"""What happened in a Recording, in words and in the order of time: the marks and shades under a replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from labsupport.core.clock import now_s
from labsupport.core.escape import printable

if TYPE_CHECKING:
    from labsupport.observe import Entry, Recording

Role = Literal["", "fault", "leader", "acked"]


@dataclass(frozen=True)
class Span:
    """Something that held from `begin` to `end`, in seconds."""

    begin: float
    end: float
    what: str


@dataclass(frozen=True)
class Mark:
    """Something that happened at `t` seconds."""

    t: float
    words: str
    role: Role = ""


def events_of(recording: Recording) -> list[Entry]:
    """Its events in the order of time; a file's order is that of writing. Raises `LabError` when it is damaged."""
    return sorted(recording.entries(kinds={"event"}), key=lambda entry: float(entry["t"]))


def end_of(recording: Recording, events: Sequence[Entry]) -> float:
    """How far a picture goes: to now while the Recording is written, else a little beyond its last event."""
    last = max((float(event["t"]) for event in events), default=0.0)
    now = 0.0 if recording.closed else now_s() - recording.began_s
    return max(last + 0.5, now)


def fault_spans(events: Iterable[Entry], end: float) -> list[Span]:
    """From the beginning of each fault to its healing, or to `end`; times as the events have them."""
    spans: list[Span] = []
    begun: dict[tuple[str, str], float] = {}
    for event in events:
        key = (str(event.get("fault")), _nodes(event))
        if event.get("what") == "fault began":
            begun.setdefault(key, float(event["t"]))
        elif event.get("what") == "fault healed" and key in begun:
            spans.append(Span(begun.pop(key), float(event["t"]), _fault_words(event)))
    open_ = [Span(at, end, f"{nodes} {fault}".strip()) for (fault, nodes), at in begun.items()]
    return sorted(spans + open_, key=lambda span: span.begin)


def fault_marks(events: Iterable[Entry]) -> list[Mark]:
    """The beginning and the healing of each fault."""
    said = {"fault began": "{}", "fault healed": "healed: {}"}
    return [
        Mark(float(event["t"]), said[str(event["what"])].format(_fault_words(event)), "fault")
        for event in events
        if event.get("what") in said
    ]


def spans_of(changes: Sequence[tuple[float, str]], begin: float, end: float) -> list[Span]:
    """From "it became so at t" to "it was so from – to", cut to the picture; equal neighbours are one."""
    spans: list[Span] = []
    nexts = [*(t for t, _ in changes[1:]), float("inf")]
    for (t, what), until in zip(changes, nexts, strict=True):
        start, stop = max(t, begin), min(until, end)
        if spans and spans[-1].what == what and spans[-1].end == start:
            spans[-1] = Span(spans[-1].begin, stop, what)
        elif stop > start:
            spans.append(Span(start, stop, what))
    return spans


def in_order(*marks: Iterable[Mark]) -> list[Mark]:
    """All of them by time."""
    return sorted((mark for some in marks for mark in some), key=lambda mark: mark.t)


def _fault_words(event: Entry) -> str:
    return f"{_nodes(event)} {printable(event.get('fault'), limit=60)}".strip()


def _nodes(event: Entry) -> str:
    nodes: Any = event.get("nodes")
    names: Sequence[object] = nodes if isinstance(nodes, list | tuple) else []
    return ", ".join(printable(node, limit=40) for node in names)
