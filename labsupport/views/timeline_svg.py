"""The failover timeline as a picture: a lane a broker, who led, who was in sync, and the writes that came through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsupport.core.escape import printable
from labsupport.views import palette as colour
from labsupport.views.map_svg import figure
from labsupport.views.markup import Markup, tag, text
from labsupport.views.time_svg import Stamp, TimeDrawing, ceiling
from labsupport.views.timeline import Timeline, caption, hit, sentences, since

if TYPE_CHECKING:
    from labsupport.observe import Failover


def timeline_html(timeline: Timeline) -> Markup:
    """The timeline over its caption."""
    return figure(timeline_svg(timeline), caption(timeline), data_testid="failover-timeline")


def timeline_svg(timeline: Timeline) -> Markup:
    """The timeline as an `<svg>`, legible on light and dark; its label repeats the caption."""
    drawing = TimeDrawing(timeline.begin, timeline.end)
    drawing.stamps(stamps_of(timeline))
    top = drawing.y
    for name, spans in timeline.brokers.items():
        drawing.lane(name, spans)
    draw_partition(drawing, timeline)
    if timeline.fault is not None:
        drawing.shade(timeline.fault, top)  # writes pause there, so the chart leaves room for its name
    drawing.lines()
    drawing.axis(f"time since the {since(timeline.failover)} (s)")
    return drawing.svg(caption(timeline))


def draw_partition(drawing: TimeDrawing, timeline: Timeline, *, top: float | None = None) -> None:
    """Who led, who was in sync, and the acknowledged records a second, on an axis up to `top` if it is given."""
    failover = timeline.failover
    drawing.lane(f"leads {printable(failover.topic, limit=7)}-{failover.partition}", timeline.leaders)
    drawing.lane("ISR", timeline.in_sync)
    drawing.area(
        timeline.acked,
        ("acknowledged", "(records/s)"),
        top=ceiling(timeline.acked) if top is None else top,
        burst_left_of=timeline.end if failover.new_leader_s is None else failover.new_leader_s,
    )


def stamps_of(timeline: Timeline) -> list[Stamp]:
    """The moments that are measured, in their order; each has a line of its own kind."""
    failover = timeline.failover
    later = [
        (f"broker {failover.new} leads", failover.new_leader_s, colour.LEADER, "6 3"),
        (f"picture {'changed' if timeline.picture_drawn else 'sent'}", timeline.picture_s, colour.OTHER, "8 2 2 2"),
        ("first acknowledged write", failover.first_acked_s, colour.FOLLOWER, "2 2"),
    ]
    stamps = [Stamp(words, at, stroke, dash) for words, at, stroke, dash in later if at is not None]
    return [Stamp(hit(failover), 0.0, colour.BROKEN), *sorted(stamps, key=lambda stamp: stamp.at)]


def stamps_html(failover: Failover) -> Markup:
    """A failover without its Recording: the caption alone."""
    return tag("p", text(sentences(failover)), data_testid="failover-stamps")
