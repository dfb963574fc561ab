"""Two clocks of one event: the order in the text, the seconds in the picture."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from labsupport.core.errors import BadInput
from labsupport.views import show
from tests.unit.views.fakes import HOSTILE

MARKS = (("Kubernetes", "the node is lost", 15.2), ("Kafka", "another leader", 9.3), ("Kubernetes", "a new pod", 26.0))


def test_the_text_tells_the_order_and_no_time() -> None:
    """In the order of time, whatever the order of telling."""
    shown = show.clock("a node froze", *MARKS)
    assert repr(shown).splitlines() == [
        "a node froze",
        "1. Kafka: another leader",
        "2. Kubernetes: the node is lost",
        "3. Kubernetes: a new pod",
    ]
    assert shown.lanes == ["Kafka", "Kubernetes"]


def test_the_picture_has_a_lane_each_and_the_table_the_seconds() -> None:
    """In words for whoever does not see it, too."""
    html = show.clock("a node froze", *MARKS).html
    svg = ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
    assert [g.get("data-lane") for g in svg if g.get("data-lane")] == ["Kafka", "Kubernetes"]
    assert "15.2" in html and "9.3 s Kafka: another leader" in svg.get("aria-label", "")


def test_the_caption_tells_the_first_and_the_last() -> None:
    """And nothing twice when there is one."""
    html = show.clock("a node froze", *MARKS).html
    assert (
        "A node froze: after 9.3 s, Kafka: another leader; the last of it after 26.0 s, Kubernetes: a new pod." in html
    )
    assert "A node froze: after 1.0 s, Kafka: x.<" in show.clock("a node froze", ("Kafka", "x", 1)).html


def test_marks_close_together_keep_their_numbers_apart() -> None:
    """Above the line and below it."""
    html = show.clock("e", ("a", "x", 10.0), ("a", "y", 10.05), ("a", "z", 40)).html
    svg = ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
    heights = {e.text: e.get("y") for e in svg.iter() if e.tag.endswith("text") and e.get("font-weight") == "600"}
    assert heights["1"] != heights["2"] and heights["1"] == heights["3"]


@pytest.mark.parametrize("at_s", [-1, "9", None, True, float("nan"), 1e9])
def test_what_is_no_time_is_refused(at_s: Any) -> None:
    """In one sentence."""
    with pytest.raises(BadInput, match="is no time"):
        show.clock("e", ("a", "x", at_s))


def test_no_marks_make_no_clock() -> None:
    """Nor do too many."""
    for marks in ((), MARKS * 5):
        with pytest.raises(BadInput, match="make no clock"):
            show.clock("e", *marks)


def test_words_are_never_obeyed() -> None:
    """Names of nodes come from the API."""
    shown = show.clock(HOSTILE, (HOSTILE, HOSTILE, 1.0))
    assert "<img" not in shown.html and "\x1b" not in shown.html + repr(shown)
