"""The chart: what it draws of a Recording, and how little it sends while it grows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labsupport.core import notebook
from labsupport.core.errors import BadInput
from labsupport.core.wait import wait_until
from labsupport.views import kernel, show
from labsupport.views.chart import MOST_SERIES, ChartData, Panel
from labsupport.views.chart_svg import bounds

from .conftest import HOSTILE, FakeComm, parse, with_data, words
from .recordings import Made, failover


def sample(t: float, name: str, value: float, **labels: object) -> dict[str, Any]:
    return {"t": t, "k": "sample", "name": name, "value": value, **labels}


def test_a_panel_has_one_quantity_and_its_unit(tmp_path: Path) -> None:
    """Rates, latencies and lag share an axis of time and nothing else; tails are logarithmic."""
    held = show.chart(failover(tmp_path)).value
    assert [(panel.title, panel.log) for panel in held.panels] == [
        ("acknowledged (records/s)", False),
        ("latency from the intended send (ms)", True),
        ("lag (records)", False),
    ]
    assert [series.label for series in held.series] == ["flights", "flights p50", "flights p99", "board flights"]


def test_the_still_picture_names_lines_units_and_faults(tmp_path: Path) -> None:
    drawn = parse(show.chart(failover(tmp_path))._repr_mimebundle_()["text/html"])
    assert set(with_data(drawn, "series")) == {"flights", "flights p50", "flights p99", "board flights"}
    assert "broker-1 killed" in with_data(drawn, "fault")
    assert "time since the recording began (s)" in words(drawn)
    assert "lag (records), board flights: last 3, highest 12." in words(drawn)


def test_no_latency_is_drawn_where_nothing_was_acknowledged(tmp_path: Path) -> None:
    """A line across the silence would invent one; a rate is zero there, and drawn so."""
    drawn = with_data(parse(show.chart(failover(tmp_path))._repr_mimebundle_()["text/html"]), "series")
    assert drawn["flights p99"].attrib["d"].count("M") == 2
    assert drawn["flights"].attrib["d"].count("M") == 1


def test_named_samples_alone_are_drawn(tmp_path: Path) -> None:
    """Also ones that we never heard of: their unit ends their name."""
    made = Made(tmp_path)
    made.sample(1, "tea_cups", 3, room="kitchen")
    made.sample(1, "records_per_s", 3, topic="flights")
    made.recording.close()
    held = show.chart(made.recording, "tea_cups").value
    assert [(held.panels[s.panel].title, s.label) for s in held.series] == [("tea_cups", "kitchen")]


def test_a_name_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.sample(1, "records_per_s", 3, topic="flights")
    made.recording.close()
    with pytest.raises(BadInput, match=r"no samples of lag_record\. There are: records_per_s"):
        show.chart(made.recording, "lag_record")


def test_the_text_holds_no_value(tmp_path: Path) -> None:
    assert repr(show.chart(failover(tmp_path), "records_per_s")) == "chart\n  acknowledged (records/s): flights"


def test_what_is_sent_is_what_is_new() -> None:
    """At 3,600 points a tick is some sixty bytes: a number, a time and a value."""
    held = ChartData()
    held.take(sample(n / 2, "records_per_s", 20.123456, topic="t" * 249) for n in range(3600))
    sent = (len(held.points), len(held.series))
    held.take([sample(1800.0, "records_per_s", 1234.5678, topic="t" * 249)])
    more = held.since(*sent)
    assert more == {"what": "more", "from": 3600, "points": [(0, 1800.0, 1235.0)]}
    assert len(json.dumps(more)) < 100


def test_a_new_line_is_announced_with_its_first_point() -> None:
    held = ChartData()
    held.take([sample(1, "records_per_s", 1, topic="a")])
    held.take([sample(2, "lag_records", 5, group="g", topic="a")])
    more = held.since(1, 1)
    assert more["points"] == [(1, 2.0, 5.0)]
    assert (more["lines"], [line[:2] for line in more["series"]]) == (1, [[1, "g a"]])
    assert more["panels"][1] == ["lag (records)", False]


def test_lines_of_one_panel_differ_in_more_than_colour() -> None:
    """Colour never speaks alone: a dash of its own, and a name."""
    held = ChartData()
    held.take(sample(1, "records_per_s", 1, topic=f"t{n}") for n in range(5))
    looks = [(series.stroke, series.dash) for series in held.series]
    assert len({dash for _, dash in looks}) == len(set(looks)) == 5


def test_many_lines_end_somewhere() -> None:
    held = ChartData()
    held.take(sample(1, "records_per_s", 1, topic=f"t{n}") for n in range(1000))
    assert len(held.series) == MOST_SERIES


@pytest.mark.parametrize(
    ("panel", "values", "drawn"),
    [
        (Panel("a"), [0, 37], (0, 40)),
        (Panel("a"), [], (0, 1)),
        (Panel("b", log=True), [3, 900], (1, 1000)),
        (Panel("b", log=True), [0], (1, 10)),
        (Panel("b", log=True), [5], (1, 10)),
    ],
)
def test_amounts_begin_at_zero_and_tails_have_whole_decades(
    panel: Panel, values: list[float], drawn: tuple[float, float]
) -> None:
    assert bounds(panel, values) == drawn


def test_a_long_series_keeps_its_peaks() -> None:
    """Of 100,000 points some are left out of a story, and never the highest."""
    held = ChartData()
    held.take(sample(n, "records_per_s", 9_999 if n == 54_321 else n % 7, topic="t") for n in range(100_000))
    times, values = held.payload()["values"][0]
    assert len(times) <= 2000
    assert (54_321, 9_999) in list(zip(times, values, strict=True))


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Made, Any, FakeComm]:
    """A chart on a page, of a Recording that goes on."""
    monkeypatch.setattr(notebook, "in_kernel", lambda: True)
    made = Made(tmp_path)
    made.sample(1, "records_per_s", 3, topic="flights")
    made.recording.flush()
    shown = show.chart(made.recording)
    assert set(shown._repr_mimebundle_()) == {"text/plain", "text/html", kernel.VIEW}
    comm = FakeComm()
    shown._widget.comm = comm  # type: ignore[attr-defined]
    return made, shown, comm


def test_a_page_that_comes_late_is_told_what_it_missed(live: tuple[Made, Any, FakeComm]) -> None:
    """It says how many points it has; nothing is sent twice to those who have it."""
    made, shown, comm = live
    shown._ticker.views = 1
    made.sample(2, "records_per_s", 4, topic="flights")
    assert comm.wait_for("more")["points"] == [(0, 2.0, 4.0)]
    shown._hear(None, {"do": "hello", "points": 0, "series": 0}, [])
    assert comm.customs()[-1]["points"] == [(0, 1.0, 3.0), (0, 2.0, 4.0)]
    for odd in ({}, None, {"do": "hello", "points": "all", "series": -1}, {"do": "hello", "points": -1, "series": 0}):
        shown._hear(None, odd, [])
    assert len(comm.customs()) == 2


def test_a_chart_ends_as_a_replay(live: tuple[Made, Any, FakeComm]) -> None:
    made, shown, _comm = live
    made.recording.close()
    wait_until(lambda: shown._widget.story, 10, because="the story")
    shown._ticker.thread.join(10)
    assert not shown._ticker.thread.is_alive()
    assert shown._widget.story["title"] == "rates, latency, lag"


def test_a_chart_drawn_again_stops_the_older(live: tuple[Made, Any, FakeComm]) -> None:
    made, shown, _ = live
    newer = show.chart(made.recording)
    newer._repr_mimebundle_()
    shown._ticker.thread.join(10)
    assert not shown._ticker.thread.is_alive()
    assert shown._widget.ended.startswith("This picture has stopped")
    assert newer._ticker.thread.is_alive()


def test_a_hostile_label_stays_text(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.sample(1, "records_per_s", 3, topic=HOSTILE)
    made.recording.close()
    html = show.chart(made.recording)._repr_mimebundle_()["text/html"]
    assert not list(parse(html).iter("img"))
    assert "\x1b" not in html
