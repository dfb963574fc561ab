"""A picture that moves: it is drawn again when something happened, and ends with its cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labsupport.core import notebook
from labsupport.core.wait import wait_until
from labsupport.views import kernel, show

from .conftest import FakeComm
from .recordings import Made


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Made, Any, FakeComm]:
    """An ISR timeline on a page."""
    monkeypatch.setattr(notebook, "in_kernel", lambda: True)
    made = Made(tmp_path)
    made.at(1, "topic", topic="flights", partitions=1, replicas={"0": [1, 2, 3]})
    made.at(1, "isr", topic="flights", partition=0, isr=[1, 2, 3])
    made.recording.flush()
    shown = show.isr_timeline(made.recording, "flights")
    shown._repr_mimebundle_()
    comm = FakeComm()
    shown._widget.comm = comm
    return made, shown, comm


def test_news_are_drawn(live: tuple[Made, Any, FakeComm]) -> None:
    made, _shown, comm = live
    made.at(2, "isr", topic="flights", partition=0, isr=[1])
    wait_until(lambda: any("not in sync" in one["state"]["svg"] for one in comm.updates()), 10, because="the news")


def test_what_is_no_news_costs_nothing(live: tuple[Made, Any, FakeComm]) -> None:
    """Samples are for the chart; only an axis of time moves on."""
    made, shown, comm = live
    shown._ticker.stop("for the test")
    shown._ticker.thread.join(10)
    comm.sent.clear()
    shown._rests_s = float("inf")
    make, drawn = shown._make, []
    shown._make = lambda: drawn.append(1) or make()
    made.sample(2, "records_per_s", 3, topic="flights")
    made.recording.flush()
    shown._tick()
    assert (drawn, comm.sent) == ([], [])
    shown._rests_s = 0.0
    shown._tick()
    assert drawn == [1]


def test_a_picture_that_nobody_looks_at_rests(live: tuple[Made, Any, FakeComm]) -> None:
    made, shown, comm = live
    shown._ticker._hear(None, {"do": "hello"}, [])
    shown._ticker._hear(None, {"do": "bye"}, [])
    made.at(2, "isr", topic="flights", partition=0, isr=[1])
    made.recording.flush()
    assert not comm.updates()
    shown._ticker._hear(None, {"do": "hello"}, [])
    wait_until(comm.updates, 10, because="a new picture")


def test_it_ends_as_a_replay(live: tuple[Made, Any, FakeComm]) -> None:
    made, shown, _ = live
    made.at(2, "isr", topic="flights", partition=0, isr=[1])
    made.recording.close()
    shown._ticker.thread.join(10)
    assert not shown._ticker.thread.is_alive()
    assert shown._widget.story["marks"][-1][1] == "in sync for flights-0: 1"
    assert "not in sync" in shown._widget.story["svg"]


def test_a_finished_recording_is_a_replay_at_once(
    live: tuple[Made, Any, FakeComm], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No thread is needed for what has happened."""
    made, _, _ = live
    made.recording.close()
    shown = show.isr_timeline(made.recording, "flights")
    assert set(shown._repr_mimebundle_()) == {"text/plain", "text/html", kernel.VIEW}
    assert type(shown._widget).__name__ == "ReplayWidget"


def test_drawing_it_again_stops_the_older(live: tuple[Made, Any, FakeComm]) -> None:
    made, shown, _ = live
    show.isr_timeline(made.recording, "flights")._repr_mimebundle_()
    shown._ticker.thread.join(10)
    assert not shown._ticker.thread.is_alive()
    assert shown._widget.ended.startswith("This picture has stopped")


def test_another_topics_picture_goes_on(live: tuple[Made, Any, FakeComm]) -> None:
    made, shown, _ = live
    made.at(1, "isr", topic="other", partition=0, isr=[1])
    made.recording.flush()
    show.isr_timeline(made.recording, "other")._repr_mimebundle_()
    assert shown._ticker.thread.is_alive()
    assert shown._widget.ended == ""
