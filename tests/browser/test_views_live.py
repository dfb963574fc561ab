"""Pictures that move, in a JupyterLab and a Chromium, over a Recording whose writer is a cell.

Screenshots are kept in the folder that KAFKA_LAB_SCREENSHOTS names, else in the test's own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from labsupport.core.wait import wait_until
from tests.browser.views_lab import CHROMIUM, Lab, Seat

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")

BEGIN = """from pathlib import Path
from labsupport.views import install_formatters, show
from tests.unit.views.recordings import Made, failover
install_formatters()
made = Made(Path.cwd(), name={name!r})
made.at(1, "topic", topic="flights", partitions=1, replicas={{"0": [1, 2, 3]}})
made.at(1, "leader", topic="flights", partition=0, node=1)
made.at(1, "isr", topic="flights", partition=0, isr=[1, 2, 3])
made.at(1, "log", topic="flights", partition=0, node=1, segments=[[0, 1024]], start=0, end=40)
made.sample(1, "records_per_s", 20, topic="flights")
made.recording.flush()"""
CLOSE = "made.recording.close()"


def opened(running: Lab, name: str, *cells: str) -> Seat:
    """A notebook in a new window, its first cell run."""
    running.write(name, [BEGIN.format(name=name), *cells])
    seat = running.open(running.page(), name)
    seat.run(0)
    return seat


def test_a_chart_grows_and_then_replays(running: Lab) -> None:
    """New points come one by one while it is watched; after the end the same place has a scrubber."""
    more = "for n in range(2, 22): made.sample(n / 2, 'records_per_s', 20 + n, topic='flights')\nmade.recording.flush()"
    seat = opened(running, "chart", "show.chart(made.recording)", more, CLOSE)
    seat.run(1)
    chart = seat.by_id("chart")
    seat.panel.locator('[data-testid="chart"][data-points="1"]').wait_for()
    seat.run(2)
    seat.panel.locator('[data-testid="chart"][data-points="21"]').wait_for()
    chart.focus()
    seat.page.keyboard.press("ArrowLeft")
    assert seat.by_id("chart-readout").inner_text() == "10.5 s: flights 41 records/s"
    seat.run(3)
    seat.by_id("scrubber").wait_for()
    assert seat.by_id("replay").get_attribute("aria-label") == "Replay: rates, latency, lag"
    assert running.complaints == []


def test_an_isr_timeline_moves_and_then_replays(running: Lab) -> None:
    shrink = "made.at(5, 'isr', topic='flights', partition=0, isr=[1, 3]); made.recording.flush()"
    seat = opened(running, "isr", "show.isr_timeline(made.recording, 'flights')", shrink, CLOSE)
    seat.run(1)
    seat.panel.locator('[data-what="leader"]').wait_for()
    assert seat.panel.locator('[data-what="not in sync"]').count() == 0
    seat.run(2)
    seat.panel.locator('[data-what="not in sync"]').wait_for()
    seat.run(3)
    seat.by_id("scrubber").wait_for()
    assert running.complaints == []


def test_a_log_moves_and_then_replays(running: Lab) -> None:
    roll = "made.at(5, 'log', topic='flights', partition=0, node=1, segments=[[0, 1024], [40, 9]], start=0, end=60)"
    read = "made.at(6, 'positions', topic='flights', group='board', positions={'0': 30}); made.recording.flush()"
    seat = opened(running, "log", "show.partition_log(made.recording, 'flights')", f"{roll}\n{read}", CLOSE)
    seat.run(1)
    seat.panel.locator('[data-segment="0"]').wait_for()
    seat.run(2)
    seat.panel.locator('[data-segment="40"]').wait_for()
    assert seat.panel.locator('[data-reader="board"]').text_content() == "board reads 30 next · 30 behind"
    seat.run(3)
    seat.by_id("scrubber").wait_for()
    assert running.complaints == []


def test_a_cell_that_runs_again_leaves_one_picture(running: Lab) -> None:
    """The older one's thread has ended; the newer one moves."""
    threads = "import threading; sum(t.name == 'kafka-lab picture' for t in threading.enumerate())"
    seat = opened(running, "twice", "show.chart(made.recording)", threads)
    for _ in range(2):
        seat.run(1)
        seat.by_id("chart").wait_for()
    assert seat.by_id("chart").count() == 1

    def one_is_left() -> bool:
        seat.run(2)
        return seat.cell(2).locator(".jp-OutputArea-output").inner_text().strip() == "1"

    wait_until(one_is_left, 30, because="the older picture's thread to end")


def test_the_map_tells_when_it_was_drawn(running: Lab) -> None:
    """The fourth stamp of a failover comes from the page itself."""
    begin = "from tests.unit.views.fakes import FakeCluster\ncluster = FakeCluster(Path.cwd(), name='stamp')"
    look = "sorted(e['seen'] for e in cluster.recording.entries(kinds={'event'}) if e['what'] == 'picture')"
    seat = opened(
        running, "stamp", begin, "show.cluster_map(cluster)", "cluster.lead('flights', 0, leader=2, isr=[2, 3])", look
    )
    for cell in (1, 2):
        seat.run(cell)
    seat.panel.locator('[data-testid="cluster-map"][data-connected="true"]').wait_for()
    seat.run(3)
    seat.panel.locator('[data-testid="leader-of flights-0"][data-leader="2"]').wait_for()

    def told() -> bool:
        seat.run(4)
        return seat.cell(4).locator(".jp-OutputArea-output").inner_text().strip() == "['drawn', 'sent']"

    wait_until(told, 30, because="the page to say that it has drawn the new leader")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_picture_fits_and_is_legible(running: Lab, shots: Path, theme: str) -> None:
    """In JupyterLab's own colours, with nothing wider than its 700 pixels; for eyes, screenshots."""
    running.theme(theme)
    calls = ["replay(run)", "failover(run, 'flights')", "isr_timeline(run, 'flights')", "chart(run)"]
    calls += ["partition_log(run, 'flights')", "compare(run, run)"]
    seat = opened(
        running,
        f"all-{theme}",
        "run = failover(Path.cwd()); run.close()",
        *(f"show.{call}" for call in calls),
    )
    for cell in range(1, len(calls) + 2):
        seat.run(cell)
    for number, call in enumerate(calls):
        replay = seat.cell(number + 2).get_by_test_id("replay")
        replay.wait_for()
        replay.screenshot(path=shots / f"lab-{theme}-{call.partition('(')[0]}.png")
        box = replay.bounding_box()
        assert box is not None and box["width"] <= 700
        assert replay.evaluate("node => node.scrollWidth <= node.clientWidth"), call
    assert running.complaints == []
