"""Which partition each record went to, one mark a record: the text says in turn, in runs, or neither."""

from __future__ import annotations

from itertools import groupby

from labsupport.storage.spread import Spread
from labsupport.views import palette as colour
from labsupport.views.display import Display
from labsupport.views.markup import Markup, tag

_SHOWN = 1_000
_LEFT, _WIDTH, _ROW, _TICK = 92, 600, 26, 14


def spread_display(spread: Spread) -> Display:
    """A lane a partition, and in it a bar for each run of records, in the order of sending."""
    shown = spread.partitions[:_SHOWN]
    lanes = sorted(set(spread.partitions))
    caption = (
        f"The first {len(shown):,} of {len(spread.partitions):,} records, left to right in the order of sending. The "
        f"partition changed {spread.changes:,} times; the longest run has {spread.longest_run:,} records."
    )
    figure = tag(
        "figure",
        _svg(shown, lanes, caption),
        tag("figcaption", caption, style="font-size:90%;margin:.3em 0"),
        style="margin:0;max-width:700px",
        data_testid="spread",
    )
    return Display(spread, figure, _text(spread, lanes))


def _svg(shown: tuple[int, ...], lanes: list[int], caption: str) -> Markup:
    drawn = [_lane(row, partition, shown) for row, partition in enumerate(lanes)]
    return tag(
        "svg",
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 700 {_ROW * len(lanes) + 6}",
        width="100%",
        style="max-width:700px",
        role="img",
        aria_label=caption,
        font_family=colour.FONT,
    )


def _lane(row: int, partition: int, shown: tuple[int, ...]) -> Markup:
    top, step = 6 + row * _ROW, _WIDTH / max(1, len(shown))
    bars, at = [], 0
    for where, run in groupby(shown):
        size = len(list(run))
        if where == partition:
            bars.append(f"M{_LEFT + at * step:.1f} {top}h{size * step:.2f}v{_TICK}h-{size * step:.2f}z")
        at += size
    return tag(
        "g",
        tag("text", f"partition {partition}", x=0, y=top + _TICK - 2, font_size=13, fill=colour.INK),
        tag("path", d=f"M{_LEFT} {top + _TICK + 3}h{_WIDTH}", stroke=colour.GREY, stroke_width="0.5"),
        tag("path", d=" ".join(bars), fill=colour.LEADER),
    )


def _text(spread: Spread, lanes: list[int]) -> str:
    count = len(spread.partitions)
    in_turn = spread.longest_run == 1
    in_runs = spread.changes * 5 < count
    how = "in turn" if in_turn else "in runs, not in turn" if in_runs else "mixed, neither in turn nor in long runs"
    keys = f"; keys in more than one partition: {spread.keys_divided}" if spread.keys else ""
    return f"{count} records over {len(lanes)} partitions: {how}{keys}"
