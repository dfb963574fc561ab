"""A story: what a replay is made of. Python folds a Recording into it once, `static/replay.js` shows any moment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labsupport.views.happened import Mark, Span
from labsupport.views.markup import Markup, tag

MOST_MARKS = 500
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


@dataclass(frozen=True, kw_only=True)
class Story:
    """`kind` names who draws it; times are in seconds. `drawing`: what that kind needs besides, such as frames.

    `table`: figures under the picture; its first row is the head, its first column the names of rows. `svg` is the
    still picture of a kind that draws on it.
    """

    kind: str
    title: str
    begin: float
    end: float
    marks: Sequence[Mark] = ()
    faults: Sequence[Span] = ()
    caption: str = ""
    table: Sequence[Sequence[str]] = ()
    svg: str = ""
    drawing: Mapping[str, Any] = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        """The story as JSON has it: what goes to a page, beside the still picture."""
        return {
            "title": self.title,
            "begin": round(self.begin, 3),
            "end": round(self.end, 3),
            "marks": [[round(mark.t, 3), mark.words, mark.role] for mark in self.marks[:MOST_MARKS]],
            "faults": [[round(span.begin, 3), round(span.end, 3), span.what] for span in self.faults],
            "caption": self.caption,
            **({"table": [list(row) for row in self.table]} if self.table else {}),
            **self.drawing,
        }

    def alone(self) -> dict[str, Any]:
        """The payload for a place where no still picture is."""
        return {**self.payload(), "svg": self.svg}

    def now(self) -> dict[str, Any]:
        """The last moment: what a live picture of this kind is sent."""
        frames = self.drawing.get("frames")
        return dict(frames[-1][1]) if frames else {"svg": self.svg, "caption": self.caption}

    def embedded(self, still: Markup) -> Markup:
        """The still picture with the story beside it as inert data; a page that has our script makes it a replay."""
        return tag("div", still, data(self.payload()), data_kafka_lab_replay=self.kind)


def data(value: object) -> Markup:
    """JSON for a page, which no text in it can end."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character, escaped in _UNSAFE.items():  # they occur only within strings
        text = text.replace(character, escaped)
    return Markup(f'<script type="application/json">{text}</script>')
