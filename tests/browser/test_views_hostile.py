"""Forty hostile texts through every view: no script runs, nothing becomes markup, the layout stays.

The detector is tried first on a page that escapes nothing, where each of them must trip it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from labsupport.core.finding import Finding, Outcome
from labsupport.observe import Recording
from labsupport.views import page as pages
from labsupport.views import show, whole
from labsupport.views.markup import Markup
from tests.browser.views_lab import CHROMIUM, chromium, lab
from tests.hostile import END, PAYLOADS, WATCH, Payload, canary, troubles
from tests.unit.views import recordings

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")

SHOW_ALL = """from pathlib import Path
from IPython.display import display
from labsupport.views import install_formatters, show
from labsupport.core.errors import BadInput
from tests.hostile import PAYLOADS
from tests.unit.views.fakes import FakeCluster
from tests.unit.views.recordings import failover
install_formatters()
def show_all(payload):
    folder = Path.cwd() / "recordings"
    folder.mkdir(exist_ok=True)
    name = payload.id
    cluster = FakeCluster(folder, name=name, topic=name)
    display(show.cluster_map(cluster))
    run = failover(folder, name=name, topic=name, group=name)
    for live in (show.chart(run), show.isr_timeline(run, name), show.partition_log(run, name)):
        display(live)
    display(show.failover(run, name), show.replay(run))"""
A_CELL = 5  # payloads: JupyterLab shows fifty outputs of a cell


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    """An empty window of 700 pixels that notices whatever runs."""
    context = browser.new_context(viewport={"width": 700, "height": 900})
    context.add_init_script(WATCH)
    page = context.new_page()
    page.route("http*://**", lambda route: route.abort())
    yield page
    context.close()


def named(payload: Payload) -> str:
    return payload.name


def test_there_are_forty() -> None:
    assert len(PAYLOADS) == len({payload.content for payload in PAYLOADS}) == 40


@pytest.mark.parametrize("payload", PAYLOADS, ids=named)
def test_a_page_that_escapes_nothing_trips_the_detector(window: Page, tmp_path: Path, payload: Payload) -> None:
    """Else a clean page would prove nothing."""
    path = tmp_path / "canary.html"
    path.write_text(canary(payload), encoding="utf-8")
    window.goto(path.as_uri())
    window.mouse.move(60, 60)
    assert troubles(window, ends=2) != []
    quiet = tmp_path / "quiet.html"
    quiet.write_text(canary(Payload("none", b"harmless")), encoding="utf-8")
    window.goto(quiet.as_uri())
    assert troubles(window, ends=2) == []


@pytest.mark.parametrize("payload", PAYLOADS, ids=named)
def test_a_saved_page_is_well(window: Page, tmp_path: Path, payload: Payload) -> None:
    """Map, failover, chart, ISR and log as replays, and the cards: named, led, read and refused by a payload."""
    made = hostile_recording(tmp_path, payload)
    sections = [*whole.sections(made), ("cards", cards(payload, made)), (payload.id, show.compare(made, made).html)]
    sections.append(("", Markup(END)))
    path = pages.write(tmp_path / "page.html", pages.page(payload.id, sections))
    complaints: list[str] = []
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.goto(path.as_uri())
    window.get_by_test_id("replay").first.wait_for()
    for kind in ("map", "timeline", "chart", "log"):
        assert window.locator(f'[data-testid="replay"][data-kind="{kind}"]').count() > 0
    assert troubles(window, ends=1) == []
    for slider in window.get_by_test_id("replay-time").all():
        slider.focus()
        for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
            window.keyboard.press(key)
    assert troubles(window, ends=1) == []
    assert complaints == []


@pytest.mark.parametrize("payload", PAYLOADS, ids=named)
def test_a_page_without_our_script_is_well(window: Page, tmp_path: Path, payload: Payload) -> None:
    """The still forms, as somebody's page has them: no policy and no script of ours protect them."""
    made = hostile_recording(tmp_path, payload)
    stills = "".join(str(html) for _, html in whole.sections(made))
    path = tmp_path / "still.html"
    html = f'<!doctype html><meta charset="utf-8"><body>{stills}{cards(payload, made)}{END}</body>'
    path.write_text(html, encoding="utf-8")
    window.goto(path.as_uri())
    assert troubles(window, ends=1) == []
    assert window.get_by_test_id("replay").count() == 0


def test_all_of_them_at_once_in_a_notebook(browser: Browser, tmp_path: Path) -> None:
    """Live maps, charts, timelines and logs, in a JupyterLab: what the kernel sends is shown as it reads."""
    with lab(tmp_path, browser) as running:
        some = range(0, len(PAYLOADS), A_CELL)
        cells = [f"for payload in PAYLOADS[{first}:{first + A_CELL}]: show_all(payload)" for first in some]
        running.write("hostile", [SHOW_ALL, *cells])
        page = running.page()
        page.add_init_script(WATCH)
        seat = running.open(page, "hostile")
        for cell in range(1 + len(cells)):
            seat.run(cell)
        for testid in ("cluster-map", "live-chart", "live-view", "replay"):
            page.wait_for_function(
                "([testid, least]) => document.querySelectorAll(`[data-testid='${testid}']`).length >= least",
                arg=[testid, len(PAYLOADS)],
            )
        assert page.evaluate("window.pwned") == []
        assert seat.panel.locator("[data-hostile]").count() == 0
        assert seat.panel.locator(".jp-OutputArea a").count() == 0
        assert page.evaluate("getComputedStyle(document.body).outlineColor") != "rgb(1, 2, 3)"


def hostile_recording(folder: Path, payload: Payload) -> Recording:
    """Every text that a Recording can hold is the payload."""
    text = payload.id
    made = recordings.failover(folder, name=text, topic=text, group=text)
    at = made.began_s + recordings.END_S
    made.event("process", t_s=at, node=text, node_id=1, state="stopped", detail=text)
    made.event("fault began", t_s=at, fault=text, nodes=[text, text])
    made.event(text, t_s=at, **{"topic": text})
    made.sample("lag_records", 1, t_s=at, group=text * 2, topic=text)
    made.send(text, payload.text, "failed", t_s=at, error=payload.text)
    made.read(text, 0, 0, payload.text, t_s=at)
    made.close()
    return made


def cards(payload: Payload, made: Recording) -> Any:
    """A check's finding, and the error of a view that was asked for something else."""
    text = payload.text
    found = Finding(outcome=Outcome.NOT_YET, should=text, saw=text, look=text)
    return show.finding(found).html
