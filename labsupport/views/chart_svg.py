"""The still form of the chart; `static/chart.js` draws the same on a canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence

from labsupport.views import palette as colour
from labsupport.views.chart import ChartData, Panel, Series, caption
from labsupport.views.markup import Markup, tag, text
from labsupport.views.time_svg import NAME_HEIGHT, name_at, name_lines, nice, ticks

WIDTH, LEFT, RIGHT, HEIGHT = 700, 64, 116, 120
GAP_S = 1.6  # samples come twice a second; without an acknowledgement there is no latency to draw
Line = tuple[Series, list[float], list[float]]  # with its times and its values


def chart_svg(held: ChartData) -> Markup:
    """A panel a quantity, one under the other on one axis of time, with the faults shaded and each line named."""
    begin = min((t for _, t, _ in held.points), default=0.0)
    end = max(held.last_t, begin + 1)

    def x(t: float) -> float:
        return LEFT + (min(max(t, begin), end) - begin) / (end - begin) * (WIDTH - LEFT - RIGHT)

    named = name_lines(held.faults(), lambda fault: name_at(fault.what, x(fault.begin), left=LEFT, right=WIDTH - RIGHT))
    parts: list[object] = []
    y = 6.0
    for number, panel in enumerate(held.panels):
        lines = [(series, *held.values(n)) for n, series in enumerate(held.series) if series.panel == number]
        parts.append(tag("text", text(panel.title), x=4.0, y=y + 12, font_weight=600))
        y += 22
        for fault in held.faults():
            style = {"fill": colour.BROKEN, "fill_opacity": "0.09"}
            width = max(x(fault.end) - x(fault.begin), 1.0)
            ground = tag("rect", x=x(fault.begin), y=y, width=width, height=float(HEIGHT), **style)
            parts.append(tag("g", ground, tag("title", text(fault.what)), data_fault=fault.what))
        if number == 0:
            parts += [tag("text", text(words), x=at, y=y + 12 + NAME_HEIGHT * line) for words, at, line in named]
        parts += _panel(panel, lines, x, y)
        y += HEIGHT + 12
    for t in ticks(begin, end):
        parts.append(tag("line", x1=x(t), x2=x(t), y1=y - 12, y2=y - 8, stroke=colour.GREY))
        parts.append(tag("text", f"{t:g}", x=x(t), y=y + 6, text_anchor="middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(tag("text", "time since the recording began (s)", x=middle, y=y + 24, text_anchor="middle"))
    return tag(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {y + 32:.0f}",
        width="100%",
        style=f"max-width:{WIDTH}px",
        role="img",
        aria_label=caption(held),
        font_family=colour.FONT,
        font_size="12",
        fill=colour.INK,
    )


def bounds(panel: Panel, values: Sequence[float]) -> tuple[float, float]:
    """From where to where the vertical axis goes: whole decades, or from zero to a round number."""
    if not panel.log:
        return 0.0, nice(max(values, default=1.0))
    positive = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def _panel(
    panel: Panel, lines: Sequence[tuple[Series, list[float], list[float]]], x: object, top: float
) -> list[object]:
    assert callable(x)
    low, high = bounds(panel, [value for _, _, values in lines for value in values])

    def y(value: float) -> float:
        part = _part(panel, value, low, high)
        return top + HEIGHT * (1 - min(max(part, 0.0), 1.0))

    parts: list[object] = []
    for value in _rulers(panel, low, high):
        ruler = {"stroke": colour.GREY, "opacity": "0.35"}
        parts.append(tag("line", x1=float(LEFT), x2=float(WIDTH - RIGHT), y1=y(value), y2=y(value), **ruler))
        parts.append(tag("text", f"{value:,.10g}", x=LEFT - 6.0, y=y(value) + 4, text_anchor="end"))
    ends: list[tuple[float, Series]] = []
    for series, times, values in lines:
        points = "".join(
            f"{'L' if number and (not panel.log or t - times[number - 1] <= GAP_S) else 'M'}{x(t):.1f} {y(value):.1f}"
            for number, (t, value) in enumerate(zip(times, values, strict=True))
        )
        dash = " ".join(map(str, series.dash)) or None
        style = {"fill": "none", "stroke": series.stroke, "stroke_width": "1.6", "stroke_dasharray": dash}
        if points:
            parts.append(tag("path", d=points, data_series=series.label, **style))
            ends.append((y(values[-1]), series))
    return parts + _names(ends)


def _part(panel: Panel, value: float, low: float, high: float) -> float:
    if not panel.log:
        return (value - low) / (high - low)
    return math.log10(max(value, low) / low) / math.log10(high / low)


def _rulers(panel: Panel, low: float, high: float) -> list[float]:
    if not panel.log:
        return [low, (low + high) / 2, high]
    return [10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1)]


def _names(ends: Sequence[tuple[float, Series]]) -> list[object]:
    """Each line's name beside its end; names that would overlap make room."""
    parts: list[object] = []
    last = float("-inf")
    for wanted, series in sorted(ends, key=lambda end: end[0]):
        at = last = max(wanted, last + 14)
        style = {
            "stroke": series.stroke,
            "stroke_width": "2",
            "stroke_dasharray": " ".join(map(str, series.dash)) or None,
        }
        parts.append(tag("line", x1=WIDTH - RIGHT + 4.0, x2=WIDTH - RIGHT + 20.0, y1=at, y2=at, **style))
        parts.append(tag("text", text(series.label), x=WIDTH - RIGHT + 24.0, y=at + 4))
    return parts
