"""Two clocks side by side: what several parties did about one and the same event, a lane each, in seconds since it.

The text tells the order, which is judged; the seconds are in the picture and the table under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from labsupport.core.errors import BadInput
from labsupport.views import palette as colour
from labsupport.views.display import Display
from labsupport.views.map_svg import WIDTH
from labsupport.views.markup import Markup, join, shorten, tag, text

_LEFT, _RIGHT, _LANE, _TOP = 100, 24, 44, 14
_TICKS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_COLOURS = (colour.LEADER, colour.OTHER, colour.FOLLOWER, colour.BROKEN)
_MOST = 12
_FIGURE = f"margin:0;max-width:{WIDTH}px;overflow-wrap:anywhere"
_CELL = "padding:.1em 1.2em .1em 0;vertical-align:top"
_WHOLE = f"{_CELL};white-space:nowrap"
_STYLES = (*(f"{_WHOLE};text-align:{side}" for side in ("left", "right", "left")), f"{_CELL};text-align:left")
_HEADS = ("", "seconds", "who", "what")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Somebody did something, so many seconds after the event."""

    who: str
    what: str
    at_s: float


@dataclass(frozen=True)
class Clock:
    """Marks of one event, in the order of time."""

    event: str
    marks: tuple[Mark, ...]

    @property
    def lanes(self) -> list[str]:
        """Who did anything, in the order of their first deed."""
        return list(dict.fromkeys(mark.who for mark in self.marks))


def clock_display(event: str, *marks: tuple[str, str, float]) -> Display:
    """`marks`: who, what, seconds since `event`. Raises `BadInput` for none, too many, or a time before the event."""
    if not 0 < len(marks) <= _MOST:
        raise BadInput(f"{len(marks)} marks make no clock.", fix=f"Give 1 to {_MOST}, each as (who, what, seconds).")
    for who, what, at_s in marks:
        if not isinstance(at_s, int | float) or isinstance(at_s, bool) or not 0 <= at_s < 1e6:
            raise BadInput(f"{who}: {what} at {at_s!r} is no time.", fix="Give seconds since the event.")
    made = tuple(Mark(who=str(who), what=str(what), at_s=float(at_s)) for who, what, at_s in marks)
    held = Clock(str(event), tuple(sorted(made, key=lambda mark: mark.at_s)))
    caption = tag("figcaption", text(_caption(held)), style="margin:.3em 0")
    still = tag("figure", _svg(held), caption, _table(held), style=_FIGURE, data_testid="clock")
    return Display(held, still, plain(held))


def plain(held: Clock) -> str:
    """Who did what, one after the other."""
    first = shorten(held.event, 80)
    return "\n".join([first, *(f"{n}. {shorten(f'{m.who}: {m.what}', 120)}" for n, m in enumerate(held.marks, 1))])


def _caption(held: Clock) -> str:
    """The first deed and the last one."""
    first, last = held.marks[0], held.marks[-1]
    told = f"{held.event}: after {first.at_s:.1f} s, {first.who}: {first.what}"
    rest = f"; the last of it after {last.at_s:.1f} s, {last.who}: {last.what}" if last is not first else ""
    return shorten(f"{told[:1].upper()}{told[1:]}{rest}.", 400)


def _table(held: Clock) -> Markup:
    """A row a mark, under the number that it has in the picture."""
    head = [tag("th", text(word), scope="col", style=style) for word, style in zip(_HEADS, _STYLES, strict=True)]
    rows = []
    for number, mark in enumerate(held.marks, 1):
        cells = (f"{mark.at_s:.1f}", mark.who, mark.what)
        named = tag("th", text(str(number)), scope="row", style=_STYLES[0])
        told = [tag("td", text(cell), style=style) for cell, style in zip(cells, _STYLES[1:], strict=True)]
        rows.append(tag("tr", named, *told, style="background:none"))
    table = tag("table", tag("tr", *head), join(*rows), style="border-collapse:collapse;margin:6px 0")
    return tag("div", table, style="overflow-x:auto")


def _svg(held: Clock) -> Markup:
    longest = max(mark.at_s for mark in held.marks) or 1.0
    every = next((tick for tick in _TICKS if longest / tick <= 8), _TICKS[-1])
    end_s = max(every * ceil(longest / every), every)
    bottom = _TOP + _LANE * len(held.lanes)
    scale = (WIDTH - _LEFT - _RIGHT) / end_s
    ticks = [_tick(n * every, _LEFT + n * every * scale, bottom) for n in range(round(end_s / every) + 1)]
    lanes = [_lane(held, who, index, scale) for index, who in enumerate(held.lanes)]
    return tag(
        "svg",
        *ticks,
        *lanes,
        tag("text", "seconds since the event", x=float(WIDTH - _RIGHT), y=bottom + 32.0, text_anchor="end"),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {bottom + 40}",
        width="100%",
        style=f"max-width:{WIDTH}px",
        role="img",
        aria_label=text(f"{held.event}: " + "; ".join(f"{m.at_s:.1f} s {m.who}: {m.what}" for m in held.marks)),
        font_family=colour.FONT,
        font_size="12",
        fill=colour.INK,
    )


def _tick(at_s: float, x: float, bottom: float) -> Markup:
    line = tag("line", x1=x, x2=x, y1=float(_TOP), y2=bottom, stroke=colour.GREY, stroke_opacity="0.35")
    return tag("g", line, tag("text", f"{at_s:g}", x=x, y=bottom + 15.0, text_anchor="middle"))


def _lane(held: Clock, who: str, index: int, scale: float) -> Markup:
    y = _TOP + index * _LANE + _LANE / 2
    shade = _COLOURS[index % len(_COLOURS)]
    marks = []
    last = -100.0
    for number, mark in enumerate(held.marks, 1):
        if mark.who != who:
            continue
        x = _LEFT + mark.at_s * scale
        above = x - last < 18  # a number on top of its neighbour could not be read
        last = x
        marks += [
            tag("circle", cx=x, cy=y, r="5", fill=shade),
            tag("text", str(number), x=x, y=y - 9 if not above else y + 19, text_anchor="middle", font_weight=600),
        ]
    return tag(
        "g",
        tag("text", text(shorten(who, 14)), x=0.0, y=y + 4, font_weight=600, font_size="13"),
        tag("line", x1=float(_LEFT), x2=float(WIDTH - _RIGHT), y1=y, y2=y, stroke=colour.GREY),
        *marks,
        data_lane=who,
    )
