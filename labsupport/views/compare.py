"""Two runs side by side: the same partition's failover in each, on one axis that begins at each run's own signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.views import timeline
from labsupport.views.happened import Mark, in_order
from labsupport.views.markup import Markup
from labsupport.views.state import MapState, title
from labsupport.views.story import Story
from labsupport.views.time_svg import TimeDrawing, ceiling, ms
from labsupport.views.timeline import Timeline
from labsupport.views.timeline_svg import draw_partition, stamps_of

if TYPE_CHECKING:
    from labsupport.observe import Failover, Recording


@dataclass(frozen=True)
class Run:
    """One of the two: its name and what runs there, and its failover on the common axis."""

    name: str
    lanes: Timeline


@dataclass(frozen=True)
class Comparison:
    """Two runs. `left.lanes.failover` and `right.lanes.failover` are the measured values."""

    left: Run
    right: Run

    @property
    def runs(self) -> tuple[Run, Run]:
        return self.left, self.right


def compare(left: Recording, right: Recording, topic: str | None, partition: int) -> Comparison:
    """Read both. Without `topic` it is the first partition of each whose leader was hit.

    Raises `BadInput` when nothing hit a leader in one of them.
    """
    seen = [_failover(recording, topic, partition) for recording in (left, right)]
    alone = [timeline.timeline_of(recording, one) for recording, one in zip((left, right), seen, strict=True)]
    window = min(one.begin for one in alone), max(one.end for one in alone)
    runs = [
        Run(_name(recording), timeline.timeline_of(recording, one, window=window))
        for recording, one in zip((left, right), seen, strict=True)
    ]
    return Comparison(*runs)


def _failover(recording: Recording, topic: str | None, partition: int) -> Failover:
    from labsupport import observe

    if topic is not None:
        return observe.failover(recording, topic, partition)
    hit = timeline.hit_partitions(recording)
    if not hit:
        name = printable(recording.header.cluster.name, limit=60)
        raise BadInput(f"The recording of {name} shows nothing that hit a leader.", fix="Kill a leader in both runs.")
    return observe.failover(recording, *hit[0])


def _name(recording: Recording) -> str:
    facts = recording.header.cluster
    return title(MapState(name=facts.name, coordination=facts.coordination, version=facts.version))


def compare_svg(both: Comparison) -> Markup:
    """One run above the other; amounts have one scale, so that heights compare as well."""
    first = both.left.lanes
    drawing = TimeDrawing(first.begin, first.end)
    top = max(ceiling(run.lanes.acked) for run in both.runs)
    for run in both.runs:
        drawing.heading(run.name)
        drawing.stamps(stamps_of(run.lanes))
        above = drawing.y
        draw_partition(drawing, run.lanes, top=top)
        if run.lanes.fault is not None:
            drawing.shade(run.lanes.fault, above)
        drawing.lines()
        drawing.space(14)
    drawing.space(-8)
    drawing.axis("time since each run's own signal (s)")
    return drawing.svg(caption(both))


def table(both: Comparison) -> list[list[str]]:
    """The figures and their ratio, in words; the first row is the head."""
    lanes = [run.lanes for run in both.runs]
    figures: list[tuple[str, list[float | None]]] = [
        ("new leader after", [one.failover.new_leader_s for one in lanes]),
        ("first acknowledged write after", [one.failover.first_acked_s for one in lanes]),
        ("longest time without an acknowledgement", [one.silent_s for one in lanes]),
    ]
    return [["", *(run.name for run in both.runs), "second / first"], *(_row(*figure) for figure in figures)]


def _row(words: str, values: list[float | None]) -> list[str]:
    first, second = values
    ratio = f"{second / first:.2f}" if first and second is not None else "–"
    return [words, *("–" if value is None else ms(value) for value in values), ratio]


def caption(both: Comparison) -> str:
    """Each run's finding after its name."""
    return " ".join(f"{run.name}: {timeline.caption(run.lanes)}" for run in both.runs)


def plain(both: Comparison) -> str:
    """The judged facts of both; no duration, and no name that a machine chose."""
    return "\n".join(
        f"{side}: {timeline.plain(run.lanes.failover)}"
        for side, run in zip(("first", "second"), both.runs, strict=True)
    )


def story_of(both: Comparison, svg: Markup) -> Story:
    """Both at once, on the common axis."""
    marks = [
        Mark(stamp.at, f"{run.name}: {stamp.words}", "fault" if stamp.at == 0 else "leader")
        for run in both.runs
        for stamp in stamps_of(run.lanes)
    ]
    return Story(
        kind="timeline",
        title="two failovers compared",
        begin=both.left.lanes.begin,
        end=both.left.lanes.end,
        marks=in_order(marks),
        faults=[run.lanes.fault for run in both.runs[:1] if run.lanes.fault is not None],
        table=table(both),
        svg=str(svg),
    )
