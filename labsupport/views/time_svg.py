"""What all timelines share: an axis of seconds, lanes of spans, stamps, areas of rates and shades, as one SVG.

The SVG says in `data-` attributes where its axis lies, so that `static/timeline.js` can show a moment of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labsupport.views import palette as colour
from labsupport.views.happened import Span
from labsupport.views.markup import Markup, tag, text

WIDTH = 700
LEFT, RIGHT = 104, 12
CHART = 88
_LETTER = 6.6  # width of a letter, on the safe side
NAME_LINES, NAME_HEIGHT = 4, 15  # of the names of faults: lines at most, and from one to the next
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True)
class Stamp:
    """A moment with a name; `dash` tells it from its neighbours without colour."""

    words: str
    at: float
    stroke: str
    dash: str | None = None


@dataclass(frozen=True)
class Look:
    """How a span is drawn."""

    stroke: str
    dash: str | None = None
    opacity: str = "0.22"


def look_of(what: str) -> Look:
    """What is broken is dashed, what is on its way is dotted, what is well is filled."""
    if what.startswith("eligible"):
        return Look(colour.FOLLOWER, "2 2", "0.04")
    if what in {"stopped", "paused", "nobody", "not in sync"} or what.endswith(")"):
        return Look(colour.BROKEN, "5 3", "0.08")
    if what in {"starting", "waiting"}:
        return Look(colour.GREY, "2 3", "0.08")
    return Look(colour.LEADER if what.startswith(("broker ", "leader")) else colour.FOLLOWER)


class TimeDrawing:
    """Draws from top to bottom; `y` is where the next lane goes. Times are seconds, `begin` to `end`."""

    def __init__(self, begin: float, end: float) -> None:
        self.begin, self.end = begin, end
        self.y = 8.0
        self._under: list[object] = []
        self._parts: list[object] = []
        self._over: list[object] = []
        self._lines: list[tuple[float, float, Stamp]] = []  # x, top and stamp of those whose line is not drawn yet

    def x(self, seconds: float) -> float:
        """Where a moment lies; what is outside the picture lies on its edge."""
        inside = min(max(seconds, self.begin), self.end)
        return LEFT + (inside - self.begin) / (self.end - self.begin) * (WIDTH - LEFT - RIGHT)

    def svg(self, label: str) -> Markup:
        """All that was drawn, as an `<svg>`."""
        return tag(
            "svg",
            *self._under,
            *self._parts,
            *self._over,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {WIDTH} {self.y:.0f}",
            width="100%",
            style=f"max-width:{WIDTH}px",
            role="img",
            aria_label=label,
            font_family=colour.FONT,
            font_size="12",
            fill=colour.INK,
            data_begin=f"{self.begin:.3f}",
            data_end=f"{self.end:.3f}",
            data_left=f"{LEFT / WIDTH * 100:.3f}",
            data_right=f"{(WIDTH - RIGHT) / WIDTH * 100:.3f}",
        )

    def heading(self, words: str) -> None:
        """A line above what follows."""
        self._parts.append(tag("text", text(words), x=8.0, y=self.y + 14, font_weight=600))
        self.y += 22

    def stamps(self, stamps: Sequence[Stamp]) -> None:
        """The moments that are measured, each with its name on a line of its own; `lines` then draws them down."""
        if not stamps:
            return
        first, *later = stamps
        leftward = bool(later) and self.x(later[-1].at) > WIDTH * 0.6
        if leftward:  # then the latest goes first, so that no line runs through the words of another
            later.reverse()
        for stamp in (first, *later):
            x, left = self.x(stamp.at), leftward and stamp is not first
            self._parts.append(
                tag(
                    "text",
                    text(f"{stamp.words}: {ms(stamp.at)}"),
                    x=x - 6 if left else x + 6,
                    y=self.y + 11,
                    text_anchor="end" if left else "start",
                    data_stamp=f"{stamp.at:.3f}",
                )
            )
            self._lines.append((x, self.y, stamp))
            self.y += 16
        self.y += 4

    def lines(self) -> None:
        """Draw the stamps' lines down to here."""
        for x, top, stamp in self._lines:
            style = {"stroke": stamp.stroke, "stroke_width": "1.6", "stroke_dasharray": stamp.dash}
            self._parts.append(tag("line", x1=x, x2=x, y1=top, y2=self.y, **style))
        self._lines = []

    def label(self, words: str, y: float) -> None:
        """Words left of the axis."""
        self._parts.append(tag("text", text(words), x=LEFT - 8, y=y, text_anchor="end"))

    def lane(
        self, name: str, spans: Sequence[Span], *, height: int = 24, look: Callable[[str], Look] = look_of
    ) -> None:
        """A row of spans, each with its word where there is room for it."""
        self.label(name, self.y + height / 2 + 3)
        for span in spans:
            self._parts.append(self._bar(span, height, look(span.what)))
        self.y += height

    def _bar(self, span: Span, height: int, look: Look) -> Markup:
        x, width = self.x(span.begin), max(self.x(span.end) - self.x(span.begin), 1.0)
        bar = tag(
            "rect",
            x=x,
            y=self.y + 2,
            width=width,
            height=float(height - 6),
            rx="3",
            fill=look.stroke,
            fill_opacity=look.opacity,
            stroke=look.stroke,
            stroke_width="1.4",
            stroke_dasharray=look.dash,
        )
        at = self._clear(x + 5, x + width, _LETTER * len(span.what))
        words = None if at is None else tag("text", text(span.what), x=at, y=self.y + height / 2 + 3)
        return tag("g", bar, words, tag("title", text(span.what)), data_what=span.what)

    def _clear(self, begin: float, end: float, width: float) -> float | None:
        """Where words of this width begin, so that no stamp's line runs through them if that can be; None: no room."""
        if begin + width > end:
            return None
        at = begin
        for line in sorted(x for x, _, _ in self._lines):
            if at < line < at + width:
                at = line + 5
        return at if at + width <= end else begin

    def area(
        self, rates: Sequence[float], label: Sequence[str], *, top: float, height: int = CHART, burst_left_of: float
    ) -> None:
        """Amounts a second in equal parts of the time, from zero to `top`; what is higher is cut, and its height said.

        The words about a burst go to the left of the moment `burst_left_of`, if they do not fit to its right.
        """
        for number, words in enumerate(label):
            self.label(words, self.y + 11 + 14 * number)
        self.y += 6 + 14 * len(label)
        bottom = self.y + height
        for value in (0.0, top / 2, top):
            y = bottom - value / top * height
            ruler = {"stroke": colour.GREY, "opacity": "0.35"}
            self._parts.append(tag("line", x1=float(LEFT), x2=float(WIDTH - RIGHT), y1=y, y2=y, **ruler))
            self.label(f"{value:,.0f}", y + 4)
        step = (self.end - self.begin) / max(len(rates), 1)
        points = []
        for index, rate in enumerate(rates):
            y = bottom - min(rate, top) / top * height
            points += [f"{self.x(self.begin + index * step):.1f} {y:.1f}"]
            points += [f"{self.x(self.begin + (index + 1) * step):.1f} {y:.1f}"]
        if points:
            line = "L".join(points)
            under = f"M{self.x(self.begin):.1f} {bottom:.1f}L{line}L{self.x(self.end):.1f} {bottom:.1f}Z"
            self._parts.append(tag("path", d=under, fill=colour.LEADER, fill_opacity="0.22"))
            self._parts.append(tag("path", d=f"M{line}", fill="none", stroke=colour.LEADER, stroke_width="1.6"))
        self.y = bottom
        most = max(rates, default=0.0)
        if most > top:
            self._burst(most, self.begin + (list(rates).index(most) + 0.5) * step, burst_left_of)

    def _burst(self, rate: float, at: float, left_of: float) -> None:
        words = f"↑ up to {rate:,.0f}/s: what had waited"
        if self.x(at) > WIDTH * 0.6:  # left of the lines of the stamps, which come shortly before
            x, anchor = self.x(min(at, left_of)) - 6, "end"
        else:
            x, anchor = self.x(at) + 6, "start"
        self._over.append(tag("text", words, x=x, y=self.y - 4, text_anchor=anchor))

    def shade(self, fault: Span, top: float) -> None:
        """A ground from `top` to here for as long as a fault lasted, with its name at its foot."""
        self._ground(fault, top)
        self._over.append(tag("text", text(fault.what), x=self._name_at(fault), y=self.y - 6))

    def shades(self, faults: Sequence[Span], top: float) -> None:
        """The grounds of several faults, and their names below what was drawn, on several lines where they meet."""
        named = name_lines(faults, self._name_at)
        for words, at, line in named:
            self._over.append(tag("text", text(words), x=at, y=self.y + 16 + NAME_HEIGHT * line))
        self.space(22 + NAME_HEIGHT * max((line for _, _, line in named), default=0))
        for fault in faults:
            self._ground(fault, top)

    def _ground(self, fault: Span, top: float) -> None:
        x, width = self.x(fault.begin), self.x(fault.end) - self.x(fault.begin)
        style = {"fill": colour.BROKEN, "fill_opacity": "0.09"}
        ground = tag("rect", x=x, y=top, width=max(width, 1.0), height=self.y - top, **style)
        self._under.append(tag("g", ground, tag("title", text(fault.what)), data_fault=fault.what))

    def _name_at(self, fault: Span) -> float:
        return name_at(fault.what, self.x(fault.begin), left=LEFT, right=WIDTH - RIGHT)

    def axis(self, words: str) -> None:
        """Seconds under what was drawn, with their unit."""
        for seconds in ticks(self.begin, self.end):
            x = self.x(seconds)
            self._parts.append(tag("line", x1=x, x2=x, y1=self.y, y2=self.y + 4, stroke=colour.GREY))
            self._parts.append(tag("text", f"{seconds:g}", x=x, y=self.y + 17, text_anchor="middle"))
        middle = (LEFT + WIDTH - RIGHT) / 2
        self._parts.append(tag("text", text(words), x=middle, y=self.y + 34, text_anchor="middle"))
        self.y += 42

    def space(self, height: float) -> None:
        """Nothing, so high."""
        self.y += height


def name_at(words: str, x: float, *, left: float, right: float) -> float:
    """Where the name of a fault that begins at `x` is written: inside its ground, and inside the picture."""
    return max(min(x + 6, right - 4 - _LETTER * len(words)), left)


def name_lines(faults: Sequence[Span], at: Callable[[Span], float]) -> list[tuple[str, float, int]]:
    """The name of each fault, where it begins and on which line, so that none is written over another.

    What would need more than `NAME_LINES` lines is left out: its ground has its name as a title.
    """
    full: list[float] = []  # how far to the right each line is taken
    named = []
    for fault in faults:
        x = at(fault)
        line = next((number for number, end in enumerate(full) if x > end), len(full))
        if line < NAME_LINES:
            full[line : line + 1] = [x + _LETTER * len(fault.what) + 6]
            named.append((fault.what, x, line))
    return named


def ms(seconds: float) -> str:
    """A duration in whole milliseconds."""
    return f"{seconds * 1000:,.0f}\N{NO-BREAK SPACE}ms"


def ceiling(rates: Sequence[float]) -> float:
    """The top of the axis: a round number that leaves the usual rate room, even beside one burst."""
    usual = sorted(rate for rate in rates if rate > 0)
    most = usual[-1] if usual else 0.0
    return nice(min(most, 3 * usual[len(usual) // 2]) if usual else most)


def nice(most: float) -> float:
    """A round number not below `most`, for the top of an axis."""
    size = 1.0
    while size * 10 <= most:
        size *= 10
    return next((size * step for step in (1, 2, 4, 6, 8, 10) if size * step >= most), size * 10)


def ticks(begin: float, end: float) -> list[float]:
    """At most about ten round numbers from `begin` to `end`."""
    step = next((s for s in _STEPS_S if (end - begin) / s <= 10), 7200)
    first = int(begin // step)
    return [round(n * step, 6) for n in range(first, int(end // step) + 1) if begin <= n * step <= end]
