"""The live map in a real browser, over a cluster that is none: buttons, keyboard, hostile text, two grounds.

Screenshots are kept in the folder that KAFKA_LAB_SCREENSHOTS names, else in the test's own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.views_lab import CHROMIUM, Lab, Seat

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")

BEGIN = """from pathlib import Path
from labsupport.views import install_formatters
from labsupport.views.map import ClusterMap
from tests.unit.views.fakes import HOSTILE, FakeCluster
install_formatters()
cluster = FakeCluster(Path.cwd(), name={name!r}, {more})"""
SHOW = "ClusterMap(cluster)"
BUSY = """import time
until = time.monotonic() + 600
while cluster.broker(1).state == "running" or cluster.broker(2).state != "paused":
    assert time.monotonic() < until
    time.sleep(0.01)"""


def drawn(running: Lab, name: str, *cells: str, more: str = "") -> Seat:
    """A notebook in a new window, its map on the screen and its buttons on."""
    running.write(name, [BEGIN.format(name=name, more=more), SHOW, *cells])
    seat = running.open(running.page(), name)
    seat.run(0)
    seat.run(1)
    seat.panel.locator('[data-testid="cluster-map"][data-connected="true"]').wait_for()
    return seat


def test_buttons_work_while_a_cell_runs_and_another_notebook_is_open(running: Lab) -> None:
    """The cell ends only because its buttons were pressed: were they to wait for the cell, it would never end."""
    running.write("other", [BEGIN.format(name="other", more=""), SHOW])
    seat = drawn(running, "busy", BUSY)
    other = running.open(seat.page, "other")
    other.run(0)
    other.run(1)
    seat.show()
    seat.begin(2)
    seat.by_id("kill-1").click()
    seat.panel.locator('[data-testid="broker-1"][data-state="stopped"]').wait_for()
    assert seat.prompt(2) == "[*]:"
    assert seat.by_id("start-1").get_attribute("aria-label") == "Start broker 1"
    seat.by_id("pause-2").click()
    seat.panel.locator('[data-testid="broker-2"][data-state="paused"]').wait_for()
    seat.panel.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    assert other.by_id("state-of broker-1").text_content() == "running"
    assert running.complaints == []


def test_the_keyboard_reaches_and_presses_a_button(running: Lab) -> None:
    """Buttons are real ones: they take the focus, show it, and keep it when their word changes."""
    seat = drawn(running, "keys")
    seat.by_id("kill-3").focus()
    seat.page.keyboard.press("Enter")
    seat.panel.locator('[data-testid="broker-3"][data-state="stopped"]').wait_for()
    assert seat.page.evaluate("document.activeElement.dataset.testid") == "start-3"
    seat.page.keyboard.press("Tab")
    assert seat.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pause broker 3"


def test_hostile_text_stays_text(running: Lab) -> None:
    """Names and error texts that are markup are shown as they read; none of it becomes part of the page."""
    hostile = "topic=HOSTILE"
    seat = drawn(running, "hostile", "cluster.broker(1).trouble = RuntimeError(HOSTILE)", more=hostile)
    seat.run(2)
    seat.by_id("kill-1").click()
    seat.by_id("map-error").filter(has_text="Broker 1 was not killed: <img src=x onerror=").wait_for()
    shown = seat.by_id("cluster-map")
    assert "<img src=x onerror=alert(1)>" in shown.locator("tbody").inner_text()
    assert shown.locator("img").count() == 0
    assert running.complaints == []


def test_a_closed_cluster_stays_as_it_was_last(running: Lab) -> None:
    """The picture stays, says that it has ended, and its buttons do nothing."""
    seat = drawn(running, "closed", "cluster.broker(2).kill(); cluster.close()")
    seat.run(2)
    seat.by_id("map-end").filter(has_text="The cluster is closed.").wait_for()
    assert seat.by_id("broker-2").get_attribute("data-state") == "stopped"
    assert seat.by_id("kill-1").get_attribute("aria-disabled") == "true"


def test_a_cell_that_runs_again_leaves_one_live_map(running: Lab) -> None:
    """Its older picture is gone from the page, and the newer one has working buttons."""
    seat = drawn(running, "again")
    seat.run(1)
    seat.panel.locator('[data-testid="cluster-map"][data-connected="true"]').wait_for()
    assert seat.by_id("cluster-map").count() == 1
    seat.by_id("kill-1").click()
    seat.panel.locator('[data-testid="broker-1"][data-state="stopped"]').wait_for()


def test_nothing_moves_for_those_who_want_no_motion(running: Lab) -> None:
    """With reduced motion a change of leader is shown without its flash."""
    running.write("still", [BEGIN.format(name="still", more=""), SHOW, "cluster.lead('flights', 0, leader=2, isr=[2])"])
    seat = running.open(running.page(reduced_motion="reduce"), "still")
    for cell in range(3):
        seat.run(cell)
    changed = seat.panel.locator('[data-testid="flights-0 on broker-2"].kl-changed')
    changed.wait_for()
    assert changed.evaluate("cell => getComputedStyle(cell).animationName") == "none"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out_on_both_grounds(running: Lab, shots: Path, theme: str) -> None:
    """Contrast of each colour that carries meaning is above 3:1, of text above 4.5:1, against the map's own ground."""
    running.theme(theme)
    seat = drawn(running, f"look-{theme}", "cluster.broker(1).kill(); cluster.lead('flights', 0, leader=2, isr=[2, 3])")
    seat.run(2)
    seat.panel.locator('[data-testid="flights-0 on broker-1"][data-role="not in sync"]').wait_for()
    seat.by_id("cluster-map").screenshot(path=shots / f"map-{theme}.png")
    contrast = seat.by_id("cluster-map").evaluate(CONTRAST)
    assert {name: round(ratio, 1) for name, ratio in contrast.items() if ratio < (4.5 if name == "text" else 3)} == {}
    assert len(contrast) == 4


CONTRAST = """map => {
  const channels = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const light = (colour) => {
    const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = channels(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(map).backgroundColor);
  const against = (colour) => (Math.max(light(colour), ground) + 0.05) / (Math.min(light(colour), ground) + 0.05);
  const style = (selector) => getComputedStyle(map.querySelector(selector));
  return {
    text: against(style(".kl-title").color),
    leader: against(style(".kl-leader").fill),
    follower: against(style(".kl-follower").fill),
    broken: against(style(".kl-broken").stroke),
  };
}"""
