"""The failover timeline as a picture: a lane a broker, who led, who was in sync, and the writes that came through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from labsupport.core.escape import printable
from labsupport.views import palette as colour
from labsupport.views.map_svg import figure
from labsupport.views.markup import Markup, tag, text
from labsupport.views.timeline import Span, Timeline, caption, hit, ms

if TYPE_CHECKING:
    from labsupport.observe import Failover

WIDTH = 700
_LEFT, _RIGHT = 104, 12
_LANE, _CHART = 24, 88
_LETTER = 6.6  # width of a letter, on the safe side


def timeline_html(timeline: Timeline) -> Markup:
    """The timeline over its caption."""
    words = caption(timeline.failover, timeline.silent_s)
    return figure(timeline_svg(timeline), words, data_testid="failover-timeline")


def timeline_svg(timeline: Timeline) -> Markup:
    """The timeline as an `<svg>`, legible on light and dark; its label repeats the caption."""
    return _Drawing(timeline).svg()


class _Drawing:
    """Draws from top to bottom; `y` is where the next lane goes."""

    def __init__(self, timeline: Timeline) -> None:
        self.t = timeline
        self.y = 8.0
        self.parts: list[object] = []
        self.over: list[object] = []

    def svg(self) -> Markup:
        top = self._stamps()
        for name, spans in self.t.brokers.items():
            self._lane(name, spans)
        self._lane(f"leads {self._partition}", self.t.leaders)
        self._lane("ISR", self.t.in_sync)
        self._chart()
        bottom = self.y
        self._axis()
        shade = [] if self.t.fault is None else [self._shade(self.t.fault, top, bottom)]
        lines = [tag("line", x1=x, x2=x, y1=y, y2=bottom, **style) for x, y, style in self._stamp_lines]
        return tag(
            "svg",
            *shade,
            *self.parts,
            *lines,
            *self.over,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {WIDTH} {self.y:.0f}",
            width="100%",
            style=f"max-width:{WIDTH}px",
            role="img",
            aria_label=caption(self.t.failover, self.t.silent_s),
            font_family=colour.FONT,
            font_size="12",
            fill=colour.INK,
        )

    @property
    def _partition(self) -> str:
        name = printable(self.t.failover.topic, limit=7)
        return f"{name}-{self.t.failover.partition}"

    def _x(self, seconds: float) -> float:
        inside = min(max(seconds, self.t.begin), self.t.end)
        return _LEFT + (inside - self.t.begin) / (self.t.end - self.t.begin) * (WIDTH - _LEFT - _RIGHT)

    def _stamps(self) -> float:
        """The moments that are measured, each with its name on a line of its own; returns where lanes begin."""
        failover = self.t.failover
        stamps: list[tuple[str, float, str, str | None]] = [(hit(failover), 0.0, colour.BROKEN, None)]
        if failover.new_leader_s is not None:
            stamps.append((f"broker {failover.new} leads", failover.new_leader_s, colour.LEADER, "6 3"))
        if failover.first_acked_s is not None:
            stamps.append(("first acknowledged write", failover.first_acked_s, colour.FOLLOWER, "2 2"))
        self._stamp_lines: list[tuple[float, float, dict[str, Any]]] = []
        leftward = self._x(stamps[-1][1]) > WIDTH * 0.6
        if leftward:  # then the latest goes first, so that no line runs through the words of another
            stamps[1:] = reversed(stamps[1:])
        for name, seconds, stroke, dash in stamps:
            x, left = self._x(seconds), leftward and seconds > 0
            self.parts.append(
                tag(
                    "text",
                    text(f"{name}: {ms(seconds)}"),
                    x=x - 6 if left else x + 6,
                    y=self.y + 11,
                    text_anchor="end" if left else "start",
                    data_stamp=f"{seconds:.3f}",
                )
            )
            self._stamp_lines.append((x, self.y, {"stroke": stroke, "stroke_width": "1.6", "stroke_dasharray": dash}))
            self.y += 16
        self.y += 4
        return self.y

    def _label(self, words: str, y: float) -> None:
        self.parts.append(tag("text", text(words), x=_LEFT - 8, y=y, text_anchor="end"))

    def _lane(self, name: str, spans: Sequence[Span]) -> None:
        self._label(name, self.y + 15)
        for span in spans:
            self.parts.append(self._bar(span))
        self.y += _LANE

    def _bar(self, span: Span) -> Markup:
        x, width = self._x(span.begin), max(self._x(span.end) - self._x(span.begin), 1.0)
        broken = span.what in {"stopped", "paused", "nobody"} or span.what.endswith(")")
        moving = span.what in {"starting", "waiting"}
        stroke = colour.BROKEN if broken else colour.GREY if moving else self._good(span.what)
        bar = tag(
            "rect",
            x=x,
            y=self.y + 2,
            width=width,
            height=float(_LANE - 6),
            rx="3",
            fill=stroke,
            fill_opacity="0.08" if broken or moving else "0.22",
            stroke=stroke,
            stroke_width="1.4",
            stroke_dasharray="5 3" if broken else "2 3" if moving else None,
        )
        at = self._clear(x + 5, x + width, _LETTER * len(span.what))
        words = None if at is None else tag("text", text(span.what), x=at, y=self.y + 15)
        return tag("g", bar, words, tag("title", text(span.what)), data_what=span.what)

    def _clear(self, begin: float, end: float, width: float) -> float | None:
        """Where words of this width begin, so that no stamp's line runs through them if that can be; None: no room."""
        if begin + width > end:
            return None
        at = begin
        for line in sorted(x for x, _, _ in self._stamp_lines):
            if at < line < at + width:
                at = line + 5
        return at if at + width <= end else begin

    def _good(self, what: str) -> str:
        return colour.LEADER if what.startswith("broker ") else colour.FOLLOWER

    def _chart(self) -> None:
        """Acknowledged records a second, from zero. What rises above the top is cut there, and its height is said."""
        self._label("acknowledged", self.y + 11)
        self._label("(records/s)", self.y + 25)
        self.y += 34
        bottom, top = self.y + _CHART, ceiling(self.t.acked)
        for value in (0.0, top / 2, top):
            y = bottom - value / top * _CHART
            self.parts.append(
                tag("line", x1=float(_LEFT), x2=float(WIDTH - _RIGHT), y1=y, y2=y, stroke=colour.GREY, opacity="0.35")
            )
            self._label(f"{value:,.0f}", y + 4)
        step = (self.t.end - self.t.begin) / max(len(self.t.acked), 1)
        points = []
        for index, rate in enumerate(self.t.acked):
            y = bottom - min(rate, top) / top * _CHART
            points += [f"{self._x(self.t.begin + index * step):.1f} {y:.1f}"]
            points += [f"{self._x(self.t.begin + (index + 1) * step):.1f} {y:.1f}"]
        if points:
            line = "L".join(points)
            area = f"M{self._x(self.t.begin):.1f} {bottom:.1f}L{line}L{self._x(self.t.end):.1f} {bottom:.1f}Z"
            self.parts.append(tag("path", d=area, fill=colour.LEADER, fill_opacity="0.22"))
            self.parts.append(tag("path", d=f"M{line}", fill="none", stroke=colour.LEADER, stroke_width="1.6"))
        most = max(self.t.acked, default=0.0)
        if most > top:
            self._burst(most, self.t.begin + (self.t.acked.index(most) + 0.5) * step)
        self.y = bottom

    def _burst(self, rate: float, at: float) -> None:
        """Records that had waited for a leader are acknowledged together."""
        words = f"↑ up to {rate:,.0f}/s: what had waited"
        if self._x(at) > WIDTH * 0.6:  # left of the lines of the stamps, which come shortly before
            leads = self.t.failover.new_leader_s
            x, anchor = self._x(at if leads is None else min(at, leads)) - 6, "end"
        else:
            x, anchor = self._x(at) + 6, "start"
        self.over.append(tag("text", words, x=x, y=self.y - 4, text_anchor=anchor))

    def _axis(self) -> None:
        for seconds in _ticks(self.t.begin, self.t.end):
            x = self._x(seconds)
            self.parts.append(tag("line", x1=x, x2=x, y1=self.y, y2=self.y + 4, stroke=colour.GREY))
            self.parts.append(tag("text", f"{seconds:g}", x=x, y=self.y + 17, text_anchor="middle"))
        since = {"killed": "kill", "stopped": "stop", "paused": "pause"}.get(self.t.failover.fault, "crash")
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        self.parts.append(tag("text", f"time since the {since} (s)", x=middle, y=self.y + 34, text_anchor="middle"))
        self.y += 42

    def _shade(self, fault: Span, top: float, bottom: float) -> Markup:
        x, width = self._x(fault.begin), self._x(fault.end) - self._x(fault.begin)
        ground = tag("rect", x=x, y=top, width=width, height=bottom - top, fill=colour.BROKEN, fill_opacity="0.09")
        name = tag("text", text(fault.what), x=x + 6, y=bottom - 6)  # writes pause here, so the chart leaves room
        self.over.append(name)
        return tag("g", ground, data_fault=fault.what)


def ceiling(rates: Sequence[float]) -> float:
    """The top of the axis: a round number that leaves the usual rate room, even beside one burst."""
    usual = sorted(rate for rate in rates if rate > 0)
    most = usual[-1] if usual else 0.0
    return _nice(min(most, 3 * usual[len(usual) // 2]) if usual else most)


def _nice(most: float) -> float:
    """A round number not below `most`, for the top of an axis."""
    size = 1.0
    while size * 10 <= most:
        size *= 10
    return next((size * step for step in (1, 2, 4, 6, 8, 10) if size * step >= most), size * 10)


def _ticks(begin: float, end: float) -> list[float]:
    step = next((s for s in (0.5, 1, 2, 5, 10, 20) if (end - begin) / s <= 10), 20)
    first = int(begin // step)
    return [n * step for n in range(first, int(end // step) + 1) if begin <= n * step <= end]


def stamps_html(failover: Failover) -> Markup:
    """A failover without its Recording: the caption alone."""
    return tag("p", text(caption(failover)), data_testid="failover-stamps")
