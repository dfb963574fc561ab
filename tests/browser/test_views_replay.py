"""Replays in a page of their own, opened from a file: no kernel, no network.

Screenshots are kept in the folder that KAFKA_LAB_SCREENSHOTS names, else in the test's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from labsupport.views import show
from tests.browser.views_lab import CHROMIUM, chromium
from tests.unit.views import recordings

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


class Replay:
    """A page with one replay, driven by what is labelled on it."""

    def __init__(self, page: Page, complaints: list[str], asked: list[str]) -> None:
        self.page, self.complaints, self.asked = page, complaints, asked

    def by_id(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def press(self, *keys: str) -> None:
        self.by_id("replay-time").focus()
        for key in keys:
            self.page.keyboard.press(key)

    def clock(self) -> str:
        return self.by_id("replay-clock").inner_text()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Callable[..., Replay]:
    """Save a display and open it from its file; whatever it asks of a network is written down."""

    def open_(display: Any, **options: Any) -> Replay:
        path = display.save(tmp_path / "page.html")
        page = browser.new_context(**{"viewport": {"width": 760, "height": 900}, **options}).new_page()
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.get_by_test_id("replay").first.wait_for()
        return Replay(page, complaints, asked)

    return open_


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("KAFKA_LAB_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_replay_needs_no_kernel_and_no_network(opened: Callable[..., Replay], tmp_path: Path) -> None:
    """The page is one file: it asks for itself and for nothing else, and has nothing to complain of."""
    replay = opened(show.replay(recordings.failover(tmp_path)))
    assert replay.asked == [replay.page.url]
    assert replay.page.url.startswith("file:")
    assert replay.complaints == []


def test_the_map_is_drawn_as_it_was_at_each_moment(opened: Callable[..., Replay], tmp_path: Path) -> None:
    """It opens on the last state; its beginning and the moments between are a key away."""
    replay = opened(show.replay(recordings.failover(tmp_path)))
    leader = replay.by_id("leader-of flights-0")
    assert leader.inner_text() == "broker-2"
    replay.page.wait_for_function("document.querySelector('.kl-map').style.minHeight !== ''")
    stood = replay.by_id("replay-time").bounding_box()
    replay.press("Home")
    assert replay.by_id("partition flights-0").count() == 0
    assert replay.by_id("replay-time").bounding_box() == stood, "the slider stays under the reader's hand"
    while replay.by_id("broker-1").get_attribute("data-state") != "stopped":
        replay.press("ArrowRight")
    assert (leader.inner_text(), replay.clock().split()[0]) == ("broker-1", "5.0")
    assert replay.by_id("replay-note").inner_text() == "broker-1 is stopped."
    replay.press("End")
    assert replay.by_id("broker-1").get_attribute("data-state") == "running"
    assert replay.by_id("map-title").inner_text() == "flights-lab · Kafka 4.3.1 with KRaft"
    assert replay.page.locator(".kl-buttons").count() == 0, "a replay has nothing to press on the map"


def test_space_plays_and_pauses(opened: Callable[..., Replay], tmp_path: Path) -> None:
    """It plays from the beginning when it stands at its end, and stops by itself when it gets there."""
    replay = opened(show.replay(recordings.failover(tmp_path)))
    replay.by_id("replay-speed").select_option("20")
    replay.press("Space")
    assert replay.by_id("replay-play").inner_text() == "Pause"
    replay.page.wait_for_function("document.querySelector('[data-testid=\"leader-of flights-0\"]') !== null")
    replay.press("Space")
    assert replay.by_id("replay-play").inner_text() == "Play"
    stands = replay.clock()
    replay.page.wait_for_function(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)) || true)"
    )
    assert replay.clock() == stands
    replay.by_id("replay-play").click()
    replay.page.locator('[data-testid="scrubber"][data-playing="false"]').wait_for()
    assert replay.clock().split(" of ")[0] == replay.clock().split(" of ")[1]


def test_a_screen_reader_is_told_time_and_event(opened: Callable[..., Replay], tmp_path: Path) -> None:
    """The slider says its time with a unit and what happened last; the events are a list with a way to each."""
    replay = opened(show.replay(recordings.failover(tmp_path)))
    slider = replay.by_id("replay-time")
    replay.page.locator("summary").click()
    replay.page.get_by_role("button", name="14.0 s: broker-2 now leads flights-0").click()
    assert slider.get_attribute("aria-valuetext") == "14.0 s, broker-2 now leads flights-0."
    assert replay.page.get_by_role("slider", name="Time").count() == 1
    assert replay.page.get_by_role("region", name="Replay: flights-lab").count() == 1


def test_faults_are_shaded_and_leaders_marked_on_the_track(opened: Callable[..., Replay], tmp_path: Path) -> None:
    """The fault lasts from 5 to 18 of 25 seconds; what happened carries its words."""
    replay = opened(show.replay(recordings.failover(tmp_path)))
    shade = replay.page.locator(".kl-shade")
    assert shade.get_attribute("title") == "broker-1 killed"
    track = replay.page.locator(".kl-track").bounding_box()
    box = shade.bounding_box()
    assert track is not None and box is not None
    assert abs(box["width"] / track["width"] - 13 / 24.4) < 0.02
    assert replay.page.locator('.kl-tick[data-role="leader"]').count() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_into_360_and_700_pixels_on_both_grounds(
    opened: Callable[..., Replay], tmp_path: Path, shots: Path, theme: str
) -> None:
    """Nothing is wider than the window, whatever ground the reader prefers."""
    replay = opened(show.replay(recordings.failover(tmp_path)), color_scheme=theme)
    for width in (360, 700):
        replay.page.set_viewport_size({"width": width, "height": 900})
        assert replay.page.evaluate("document.documentElement.scrollWidth") <= width
    replay.press("Home", "ArrowRight", "ArrowRight")
    replay.page.screenshot(path=shots / f"replay-{theme}.png", full_page=True)
