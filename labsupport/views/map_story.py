"""The cluster map as a story: a Recording folded into the states that the map draws, each with its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from labsupport.views.happened import Mark, Role, events_of, fault_marks, fault_spans, in_order
from labsupport.views.state import MapState, note, of, title
from labsupport.views.story import Story

if TYPE_CHECKING:
    from labsupport.observe import Entry, Recording

MOST_FRAMES = 1000
RESOLUTION_S = 0.02  # what is nearer together is one frame


def map_story(recording: Recording) -> tuple[Story, MapState]:
    """What the map showed from the Recording's beginning to its end so far, and its last state.

    Raises `LabError` when the file is damaged.
    """
    states = list(states_of(recording))
    begin, end = states[0][0], max(states[-1][0], states[0][0] + 0.1)
    events = events_of(recording)
    last = states[-1][1]
    story = Story(
        kind="map",
        title=title(last),
        begin=begin,
        end=end,
        marks=in_order(_notes(states), fault_marks(events)),
        faults=fault_spans(events, end),
        drawing=_drawing(_fewer(states)),
    )
    return story, last


def states_of(recording: Recording) -> Iterator[tuple[float, MapState]]:
    """Each moment at which the map changed, with what it showed from then on; the last entry's moment ends it."""
    from labsupport.observe import ClusterPicture

    picture = ClusterPicture.first(recording.header.cluster)
    state, t = of(picture), 0.0
    entries: Iterable[Entry] = recording.entries(kinds={"event", "sample"})
    ordered = sorted(entries, key=lambda entry: float(entry["t"]))
    yield (float(ordered[0]["t"]) if ordered else t), state
    for _, group in groupby(ordered, key=lambda entry: int(float(entry["t"]) / RESOLUTION_S)):
        together = list(group)
        t = float(together[-1]["t"])  # nothing is shown before it happened
        picture = picture.after(together)
        if (after := of(picture)) != state:
            state = after
            yield t, state
    yield t, state


def _notes(states: list[tuple[float, MapState]]) -> list[Mark]:
    notes = [(t, note(before, after), _role(before, after)) for (_, before), (t, after) in pairwise(states)]
    return [Mark(t, words, role) for t, words, role in notes if words]


def _role(before: MapState, after: MapState) -> Role:
    led = {part.label: part.leader for part in before.partitions}
    return "leader" if any(led.get(p.label, p.leader) != p.leader for p in after.partitions) else ""


def _fewer(states: list[tuple[float, MapState]]) -> list[tuple[float, MapState]]:
    """At most about `MOST_FRAMES`: of those that differ in their rate alone, every so many are left out."""
    excess = len(states) // MOST_FRAMES
    if not excess:
        return states
    kept = [states[0]]
    for number, (t, state) in enumerate(states[1:], 1):
        if number % (excess + 1) == 0 or _still(state) != _still(kept[-1][1]):
            kept.append((t, state))
    return kept


def _still(state: MapState) -> dict[str, Any]:
    return {**state.now(), "r": None, "plan": state.plan()}


def _drawing(states: list[tuple[float, MapState]]) -> dict[str, Any]:
    """Plans, which seldom change, and frames `[t, state]`, whose `l` says which plan they are laid out by."""
    plans: list[dict[str, Any]] = []
    frames: list[list[Any]] = []
    for t, state in states:
        plan = state.plan()
        if not plans or plans[-1] != plan:
            plans.append(plan)
        frame = {**state.now(), "l": len(plans) - 1}
        if not frames or frames[-1][1] != frame:
            frames.append([round(t, 2), frame])
    return {"plans": plans, "frames": frames}
