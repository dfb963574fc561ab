"""The still form of the cluster map: a pure function from a state to an SVG that is legible on light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from labsupport.views import palette as colour
from labsupport.views.markup import Markup, join, shorten, tag, text
from labsupport.views.state import STATE_WORDS, MapState, NodeView, PartitionView, ids, title

WIDTH = 700
_LEFT = 12
_NAMES = 150  # the column of partition names
_GAP = 10
_WIDEST = 200  # a column of a broker
_BOX = 78
_ROW = 26
_FIGURE = f"margin:0;max-width:{WIDTH}px;overflow-wrap:anywhere"
_CELL = "padding:.1em 1.2em .1em 0;text-align:right;vertical-align:top"
_NAME = "padding:.1em 1.2em .1em 0;text-align:left;font-weight:normal;vertical-align:top"


def map_svg(state: MapState) -> Markup:
    """The cluster as an `<svg>`: a box a broker, a row a partition; its label says in words what it shows."""
    brokers = state.brokers
    names = _NAMES if state.partitions or state.hidden else 0
    column = min((WIDTH - names - 2 * _LEFT) / max(len(brokers), 1), _WIDEST)
    parts: list[object] = [_text(_LEFT, 22, shorten(title(state), 70), weight=600)]
    if state.records_per_s is not None:
        parts.append(_text(WIDTH - _LEFT, 22, f"{state.records_per_s:,.0f} records/s", anchor="end"))
    for index, node in enumerate(brokers):
        parts.append(_box(state, node, _LEFT + names + index * column, column - _GAP))
    y = 36 + _BOX + 8.0
    for part in state.partitions:
        parts.append(_row(state, part, y, column))
        y += _ROW
    if state.hidden:
        parts.append(_text(_LEFT, y + 16, f"and {state.hidden} more partitions"))
        y += _ROW
    for line in _coordinators(state):
        parts.append(_text(_LEFT, y + 18, line))
        y += _ROW
    height = y + 8
    return tag(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height:.0f}",
        width="100%",
        style=f"max-width:{WIDTH}px",
        role="img",
        aria_label=describe(state),
        font_family=colour.FONT,
        font_size="13",
        fill=colour.INK,
    )


def describe(state: MapState) -> str:
    """The map in words: the alternative text of the picture."""
    led = [f"{p.label} is led by {state.broker_name(p.leader)}, in sync: {ids(p.isr)}" for p in state.partitions]
    who = [f"controller: {state.broker_name(state.controller)}"] if state.controller is not None else []
    return "; ".join([f"{state.summary()[:1].upper()}{state.summary()[1:]}", *who, *led]) + "."


def _text(x: float, y: float, value: object, *, anchor: str = "start", weight: int | None = None) -> Markup:
    return tag("text", text(value), x=x, y=y, text_anchor=anchor, font_weight=weight)


def _box(state: MapState, node: NodeView, x: float, width: float) -> Markup:
    alert = node.state in {"paused", "stopped"}
    dash = {"stopped": "6 4", "starting": "2 3", "waiting": "2 3"}.get(node.state)
    frame = tag(
        "rect",
        x=x, y=36.0, width=width, height=float(_BOX), rx="6", fill="none",
        stroke=colour.BROKEN if alert else colour.GREY,
        stroke_width="3" if node.state == "paused" else "1.5",
        stroke_dasharray=dash,
    )  # fmt: skip
    middle = x + width / 2
    words = wrap(STATE_WORDS[node.state], int(width / 7.5))
    lines = [_text(middle, 56, shorten(node.name, 16), anchor="middle", weight=600)]
    step = 15 if len(words) < 4 else 12
    lines += [_text(middle, 74 + step * index, line, anchor="middle") for index, line in enumerate(words)]
    if len(words) == 1:
        lines[1] = _text(middle + 9, 74, words[0], anchor="middle")
        lines.append(state_mark(node.state, middle - 3.6 * len(words[0]) - 3, 69.5))
        task = "★ controller" if node.node_id == state.controller else "votes" if node.votes else ""
        lines.append(_text(middle, 96, task, anchor="middle"))
    return tag("g", frame, *lines, data_node=node.name, data_state=node.state)


def _row(state: MapState, part: PartitionView, y: float, column: float) -> Markup:
    cells: list[object] = [
        tag("line", x1=float(_LEFT), x2=float(WIDTH - _LEFT), y1=y, y2=y, stroke=colour.GREY, stroke_opacity="0.4"),
        _text(_LEFT, y + 17, shorten(part.label, 21), weight=600),
    ]
    for index, node in enumerate(state.brokers):
        role = part.role(node.node_id)
        if role:
            x = _LEFT + _NAMES + index * column + (column - _GAP) / 2
            cells.append(
                tag(
                    "g",
                    role_mark(role, x - 32, y + 13),
                    _text(x - 20, y + 17, role),
                    data_node=node.name,
                    data_role=role,
                )
            )
    return tag("g", *cells, data_partition=part.label, data_leader=part.leader)


def _coordinators(state: MapState) -> list[str]:
    def line(node: NodeView) -> str:
        active = ", ★ controller" if node.kind == "controller" and node.node_id == state.controller else ""
        return f"{shorten(node.name, 20)}: {STATE_WORDS[node.state]}{active}"

    names = [line(node) for node in state.coordinators]
    return ["  ·  ".join(names[i : i + 2]) for i in range(0, len(names), 2)]


def role_mark(role: str, x: float, y: float) -> Markup:
    """Shapes differ as well as colours: a filled diamond leads, a filled disc is in sync, a broken ring is not."""
    if role == "leader":
        return tag("path", d=f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7Z", fill=colour.LEADER)
    if role == "in sync":
        return tag("circle", cx=x, cy=y, r="5", fill=colour.FOLLOWER)
    return tag("circle", cx=x, cy=y, r="5", fill="none", stroke=colour.BROKEN, stroke_width="2", stroke_dasharray="3 2")


def state_mark(state: str, x: float, y: float) -> Markup:
    """A disc runs, two bars are paused, a cross has stopped, a dashed ring is on its way."""
    line = {"fill": "none", "stroke": colour.BROKEN, "stroke_width": "2.4", "stroke_linecap": "round"}
    if state == "running":
        return tag("circle", cx=x, cy=y, r="5", fill=colour.FOLLOWER)
    if state == "paused":
        return tag("path", d=f"M{x - 2.5:.1f} {y - 5:.1f}v10m5 -10v10", **line)
    if state == "stopped":
        return tag("path", d=f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8", **line)
    return tag("circle", cx=x, cy=y, r="5", fill="none", stroke=colour.GREY, stroke_width="2", stroke_dasharray="6 3")


def figure(picture: Markup, caption: object, *, data_testid: str | None = None) -> Markup:
    """A picture over its caption, as HTML that needs no style sheet."""
    return tag(
        "figure",
        picture,
        tag("figcaption", text(caption), style="margin-top:4px"),
        style=_FIGURE,
        data_testid=data_testid,
    )


def table_figure(picture: Markup, rows: Sequence[Sequence[str]]) -> Markup:
    """A picture over a table of figures: the first row is the head, the first column names the rows."""
    head, *body = rows
    cells = [tag("th", text(word), scope="col", style=_CELL) for word in head]
    lines = [
        tag("tr", tag("th", text(name), scope="row", style=_NAME), *(tag("td", text(c), style=_CELL) for c in figures))
        for name, *figures in body
    ]
    table = tag("table", tag("tr", *cells), *lines, style="border-collapse:collapse;margin:6px 0")
    return tag("figure", picture, tag("figcaption", table), style=_FIGURE)


def map_html(state: MapState) -> Markup:
    """The still map with its legend."""
    legend = "Diamond: leader. Disc: in sync. Broken ring: not in sync. ★: controller."
    return figure(map_svg(state), join(describe(state), " ", tag("small", legend)), data_testid="cluster-map-still")
