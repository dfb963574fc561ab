"""Pods where they run: nodes as boxes, pods in them, each with its volume; and a table of who they are.

The text says what is the same on every machine: owners, names that were declared, who shares a volume, and what became
of pods that took others' places. Nodes, addresses and uids are in the HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labsupport.views import palette as colour
from labsupport.views.display import Display
from labsupport.views.map_svg import WIDTH, state_mark
from labsupport.views.markup import Markup, join, shorten, tag, text

if TYPE_CHECKING:
    from labsupport.cluster.kubernetes.space_facts import Node, Pod

_HEAD, _POD, _GAP, _WIDEST = 46, 62, 8, 340
_TABLE = "border-collapse:collapse;margin:.4em 0;font-size:90%"
_CELL = "text-align:left;vertical-align:top;padding:.1em .9em .1em 0;white-space:nowrap"
_MONO = "font-family:var(--jp-code-font-family, monospace)"
_UID_SHOWN = 8
_BOLD = 8.9  # the width of a bold letter of 13 px in the widest of the fonts that systems use


def pods_display(pods: Sequence[Pod], nodes: Sequence[Node], before: Sequence[Pod] = ()) -> Display:
    """The pods as they are; with `before`, beside those that had their names then."""
    old = {pod.name: pod for pod in before}
    found = " ".join(f"{line}." for line in plain(pods, before).splitlines()[len(_owners(pods)) :])
    caption = join(
        _caption(pods),
        " ",
        found,
        " " if found else None,
        tag("small", "Disc: ready. Dashed ring: not ready, or ending. ▤: its volume."),
    )
    still = tag(
        "figure",
        nodes_svg(pods, nodes),
        tag("figcaption", caption, style="margin:.3em 0"),
        tag("div", _table(pods, old), style="overflow-x:auto"),
        style=f"margin:0;max-width:{WIDTH}px",
        data_testid="pods",
    )
    return Display(tuple(pods), still, plain(pods, before))


def plain(pods: Sequence[Pod], before: Sequence[Pod] = ()) -> str:
    """The judged facts, a line each."""
    lines = [_owner_line(kind, name, _of(pods, name)) for kind, name in _owners(pods)]
    for kind, name in _owners(pods) if before else []:
        lines += _changes(kind, name, _of(pods, name), _of(before, name))
    return "\n".join(lines) or "no pods"


def _owners(pods: Sequence[Pod]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(pod.owner for pod in pods))


def _of(pods: Sequence[Pod], owner: str) -> list[Pod]:
    return [pod for pod in pods if pod.owner[1] == owner]


def _owner_line(kind: str, name: str, pods: Sequence[Pod]) -> str:
    ready = [pod for pod in pods if pod.ready and not pod.ending]
    named = kind == "StatefulSet"
    who = ", ".join(shorten(pod.name, 60) for pod in ready) if named else f"{len(ready)} pods"
    waiting = f", {len(pods) - len(ready)} not ready" if len(ready) < len(pods) else ""
    return f"{shorten(f'{kind} {name}'.strip(), 80) or 'pods'}: {who or 'none'} ready{waiting}; {volumes(pods)}"


def volumes(pods: Sequence[Pod]) -> str:
    """How pods have volumes, in words."""
    claims = {claim for pod in pods for claim in pod.claims}
    if not claims:
        return "no volume"
    if len(claims) == 1 and len(pods) > 1:
        return "one volume for all"
    if len(claims) == len(pods) == 1:
        return "a volume of its own"
    return "a volume each" if len(claims) == len(pods) else f"{len(claims)} volumes"


def _changes(kind: str, owner: str, pods: Sequence[Pod], before: Sequence[Pod]) -> list[str]:
    old = {pod.name: pod for pod in before}
    kept = [pod for pod in pods if pod.name in old]
    if before and kind != "StatefulSet":
        return [f"{shorten(owner, 60)}: {len(kept)} of {len(before)} names are there still"]
    return [
        f"{shorten(pod.name, 60)}: the same name, {_same('volume', pod.claims, old[pod.name].claims)}, "
        f"{_same('address', pod.ip, old[pod.name].ip)}; another pod"
        for pod in kept
        if pod.uid != old[pod.name].uid
    ]


def _same(word: str, now: object, then: object) -> str:
    return f"the same {word}" if now == then else f"another {word}"


def _caption(pods: Sequence[Pod]) -> str:
    nodes = {pod.node for pod in pods if pod.node}
    zones = {pod.zone for pod in pods if pod.zone}
    where = f" in {len(zones)} zones" if len(zones) > 1 else ""
    count = "1 pod" if len(pods) == 1 else f"{len(pods)} pods"
    return f"{count} on {len(nodes)} {'node' if len(nodes) == 1 else 'nodes'}{where}; {volumes(pods)}."


def nodes_svg(pods: Sequence[Pod], nodes: Sequence[Node]) -> Markup:
    """A box a node that has pods of these, and in it a box a pod; its label says in words what it shows."""
    zones = {node.name: node.zone for node in nodes} | {pod.node: pod.zone for pod in pods}
    names = sorted({pod.node for pod in pods})
    here = {name: [pod for pod in pods if pod.node == name] for name in names}
    column = min(WIDTH / max(len(names), 1), _WIDEST)
    height = _HEAD + _POD * max((len(found) for found in here.values()), default=0) + _GAP
    boxes = [
        _node_box(name, zones.get(name, ""), here[name], x=index * column, width=column - _GAP, height=height)
        for index, name in enumerate(names)
    ]
    return tag(
        "svg",
        *boxes,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height + 2}",
        width="100%",
        style=f"max-width:{WIDTH}px",
        role="img",
        aria_label=_in_words(here),
        font_family=colour.FONT,
        font_size="13",
        fill=colour.INK,
    )


def _in_words(here: dict[str, list[Pod]]) -> str:
    told = [
        f"{shorten(node, 40) or 'nowhere yet'}: {', '.join(f'{p.name} ({p.state})' for p in pods)}"
        for node, pods in here.items()
    ]
    return "; ".join(told) + "." if told else "No pods."


def _node_box(name: str, zone: str, pods: Sequence[Pod], *, x: float, width: float, height: float) -> Markup:
    letters, bold = int(width / 7.6), int(width / _BOLD)
    title = shorten(name, bold) if name else "no node yet"
    frame = tag(
        "rect", x=x + 1, y=1.0, width=width - 2, height=height, rx="6", fill="none", stroke=colour.GREY,
        stroke_dasharray=None if name else "6 4",
    )  # fmt: skip
    head = tag("text", text(title), x=x + 10, y=19.0, font_weight=600)
    where = tag("text", text(shorten(zone, letters)), x=x + 10, y=36.0, font_size="12")
    drawn = [_pod_box(pod, x + 8, _HEAD + index * _POD, width - 16) for index, pod in enumerate(pods)]
    return tag("g", frame, head, where, *drawn, data_node=name)


def _pod_box(pod: Pod, x: float, y: float, width: float) -> Markup:
    letters, bold = int((width - 30) / 7.2), int((width - 30) / _BOLD)
    fine = pod.ready and not pod.ending
    frame = tag(
        "rect", x=x, y=y, width=width, height=float(_POD - 6), rx="10", fill="none", stroke=colour.INK,
        stroke_opacity="0.6", stroke_dasharray=None if fine else "4 3",
    )  # fmt: skip
    lines = [
        tag("text", text(shorten(pod.name, bold)), x=x + 24, y=y + 17, font_weight=600),
        tag("text", text(shorten(pod.ip or pod.reason or pod.phase, letters)), x=x + 24, y=y + 32, font_size="12"),
    ]
    if pod.claims:
        claims = "▤ " + ", ".join(pod.claims)
        lines.append(tag("text", text(shorten(claims, letters + 2)), x=x + 9, y=y + 48, font_size="12"))
    mark = state_mark("running" if fine else "starting", x + 14, y + 12.5)
    return tag("g", frame, mark, *lines, data_pod=pod.name, data_state=pod.state)


def _table(pods: Sequence[Pod], old: dict[str, Pod]) -> Markup:
    """Who they are; beside that, who had their names before. Zones, and then nodes as well, are in the picture."""
    compared = any(pod.name in old for pod in pods)
    head = ["pod", "is", "address", "uid", "node", "volume"]
    if compared:
        head = ["pod", "is", "address", "before", "uid", "before", "volume"]
    rows = [_compared(pod, old.get(pod.name)) if compared else _row(pod) for pod in pods]
    cells = [tag("th", text(word), scope="col", style=_CELL) for word in head]
    return tag("table", tag("tr", *cells), *rows, style=_TABLE)


def _row(pod: Pod) -> Markup:
    return _cells(pod.name, pod.state, _mono(pod.ip), _mono(pod.uid[:_UID_SHOWN]), pod.node, _claims(pod))


def _compared(pod: Pod, then: Pod | None) -> Markup:
    before = ("–", "–") if then is None else (then.ip, then.uid[:_UID_SHOWN])
    now = (pod.ip, pod.uid[:_UID_SHOWN])
    figures = [_mono(value) for pair in zip(now, before, strict=True) for value in pair]
    state = f"{pod.state}, new" if then is None or then.uid != pod.uid else pod.state
    return _cells(pod.name, state, *figures, _claims(pod))


def _cells(name: str, *figures: object) -> Markup:
    cells = [tag("td", text(figure), style=_CELL) for figure in figures]
    return tag("tr", tag("th", text(name), scope="row", style=_CELL), *cells, style="background:none")


def _claims(pod: Pod) -> str:
    return ", ".join(pod.claims) or "none"


def _mono(value: str) -> Markup:
    return tag("span", text(value or "–"), style=_MONO)
