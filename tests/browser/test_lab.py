"""The lab as a reader meets it: `make lab` in a new checkout, its first page in Chromium, real clusters.

Pictures are kept in `artifacts/screenshots`. One lab serves all tests here; the last one ends it.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Locator, Page, sync_playwright

from labsupport.core.wait import wait_until
from tests.browser.views_lab import ARGUMENTS, CHROMIUM, THEMES, Seat, seat_of
from tests.browser.views_lab import Lab as Windows
from tests.marked import processes_of
from tests.setup.checkout import Checkout, Lab

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine"),
    pytest.mark.timeout(900),
]

PAGE = "00-start-here"
PATIENCE_S = 420
PATIENCE_MS = PATIENCE_S * 1000
# What a fresh page must not show, and a page that was run does.
RESULTS = {
    "output": ".jp-OutputArea-output",
    "execution count": ".jp-CodeCell .jp-InputPrompt:text-matches('[0-9]')",
    "map": "[data-testid='cluster-map']",
    "timeline": "[data-testid='timeline'], [data-testid='failover-timeline']",
    "verdict": "[data-testid='verdict-card']",
    "claim": "[data-testid='claim-card']",
}
TROUBLE = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']"  # JupyterLab shows errors so, too
DIALOG = ".jp-Dialog"
# Outputs that are wider than their place, and what of ours inside them is.
TOO_WIDE = """panel => [...panel.querySelectorAll(
    '.jp-OutputArea-output, .jp-OutputArea-child, [data-testid], .kl-scroll')]
  .filter((e) => !(e instanceof SVGElement) && e.clientWidth > 0 && e.scrollWidth > e.clientWidth)
  .map((e) => `${e.className} ${e.dataset.testid ?? ''}: ${e.scrollWidth} > ${e.clientWidth}`)"""
OFF = "buttons => buttons.map((button) => button.getAttribute('aria-disabled'))"
HEIGHT = "panel => panel.querySelector('.jp-WindowedPanel-outer').scrollHeight"


@dataclass
class Desk:
    """A running lab, and a browser whose windows are listened to."""

    lab: Lab
    windows: Windows
    asked: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """Where the lab answers."""
        return self.lab.urls[0].split("/lab")[0] + "/"

    @property
    def workspace(self) -> Path:
        """The reader's folder."""
        return self.lab.checkout.folder / "workspace"

    def window(self, **options: Any) -> Page:
        """An empty window."""
        page = self.windows.page(**options)
        page.on("request", lambda request: self.asked.append(request.url))
        return page

    def end_kernel(self, path: str) -> None:
        """End the kernel of a notebook, as shutting down the lab does."""
        (session,) = [found for found in self.lab.get("/api/sessions") if found["path"] == path]
        headers = {"Authorization": f"token {self.windows.token}"}
        request = urllib.request.Request(f"{self.base}api/sessions/{session['id']}", method="DELETE", headers=headers)
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 204

    def open(self, name: str, page: Page | None = None) -> Seat:
        """A notebook, in a window of its own or by a double click beside what is open there."""
        if page is not None:
            return self.windows.open(page, name)
        page = self.window()
        page.goto(f"{self.base}lab/tree/{name}.ipynb?token={self.windows.token}&reset")
        return seat_of(page, Path(name).name)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A new checkout, set up and opened as a user does; no start-up caches are trained meanwhile."""
    base = tmp_path_factory.mktemp("b")
    checkout = Checkout(folder=base / "a path with spaces", home=base / "h")
    ready = checkout.make("lab", "ARGS=--help")
    assert ready.returncode == 0, ready.stderr
    lab = checkout.open_lab(KAFKA_LAB_TRAINING="off")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            url, token = lab.urls[0].split("lab/tree")[0], lab.urls[0].split("token=")[1]
            yield Desk(lab, Windows(url, token, checkout.folder / "workspace", browser))
            browser.close()
        if not lab.ended():
            lab.press_ctrl_c()
            lab.wait_for_end()
    finally:
        lab.end()
    checkout.make("clean")


def choose(page: Page, *path: str) -> None:
    """Walk a menu: `choose(page, "Run", "Run All Cells")`."""
    page.locator(".lm-MenuBar-item").filter(has=page.get_by_text(path[0], exact=True)).click()
    for word in path[1:-1]:
        page.locator(".lm-Menu-item").filter(has=page.get_by_text(word, exact=True)).hover()
    page.locator(".lm-Menu-item").filter(has=page.get_by_text(path[-1], exact=True)).click()


def wear(page: Page, theme: str) -> None:
    """Change the theme by the menu, as a reader does."""
    choose(page, "Settings", "Theme", THEMES[theme])
    page.locator(f"body[data-jp-theme-name='{THEMES[theme]}']").wait_for(state="attached")
    page.locator("#jupyterlab-splash").wait_for(state="detached")


def fold(page: Page) -> None:
    """Fold the file browser, or unfold it."""
    page.locator(".jp-SideBar .lm-TabBar-tab[data-id='filebrowser']").click()


def shoot(page: Page, path: Path) -> None:
    """Keep a picture of the window in both themes: `name-light.png`, `name-dark.png`."""
    for theme in ("dark", "light"):
        wear(page, theme)
        page.screenshot(path=path.with_name(f"{path.name}-{theme}.png"), animations="disabled")


def counts(seat: Seat) -> dict[str, int]:
    """How many results of each kind are on a page."""
    return {name: seat.panel.locator(selector).count() for name, selector in RESULTS.items()}


def code_cells(notebook: Mapping[str, Any]) -> list[Any]:
    """Its cells of code, as the browser counts them."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def is_done(seat: Seat, index: int) -> bool:
    """Has a cell come to its end? Fails at once when any cell shows an error or a warning."""
    trouble = seat.panel.locator(TROUBLE)
    assert trouble.count() == 0, trouble.all_inner_texts()
    return re.fullmatch(r"\[\d+\]:", seat.prompt(index)) is not None


def wait_for_cell(seat: Seat, index: int) -> None:
    """Wait until a cell has run."""
    wait_until(lambda: is_done(seat, index), PATIENCE_S, because=f"cell {index} to end", poll_s=0.2)


def laid_out(seat: Seat, cells: int) -> None:
    """Wait until every cell of code is drawn: JupyterLab draws those out of sight when it has time."""
    wait_until(lambda: seat.panel.locator(".jp-CodeCell .jp-InputPrompt").count() == cells, 60, because="all cells")


@dataclass(frozen=True)
class Reading:
    """The first page, read from top to bottom: what it showed before, and how it looks now."""

    seat: Seat
    fresh: Mapping[str, int]
    dialogs: int


@pytest.fixture(scope="module")
def reading(desk: Desk, gallery: Path) -> Reading:
    """Open the address that the lab printed, look, and choose "Run All Cells"."""
    page = desk.window()
    page.goto(desk.lab.urls[0])
    seat = seat_of(page, PAGE)
    number = len(code_cells(json.loads((desk.workspace / f"{PAGE}.ipynb").read_text())))
    laid_out(seat, number)
    fresh, dialogs = counts(seat), page.locator(DIALOG).count()
    shoot(page, gallery / "fresh")
    choose(page, "Run", "Run All Cells")
    wait_for_cell(seat, number - 1)
    return Reading(seat, fresh, dialogs)


def test_the_printed_address_opens_the_first_page(desk: Desk, reading: Reading) -> None:
    """HTTP 200, and the page is in front, with its kernel, without a question."""
    with urllib.request.urlopen(desk.lab.urls[0]) as answer:
        assert answer.status == 200
    assert reading.seat.page.url.split("?")[0].endswith(f"/lab/tree/{PAGE}.ipynb")
    assert reading.dialogs == 0


def test_a_question_would_have_been_seen(desk: Desk) -> None:
    """The other side: a notebook for a kernel that nobody has makes JupyterLab ask."""
    other = {"name": "nobodys", "display_name": "Nobody's", "language": "python"}
    question = {"cells": [], "metadata": {"kernelspec": other}, "nbformat": 4, "nbformat_minor": 5}
    (desk.workspace / "question.ipynb").write_text(json.dumps(question))
    page = desk.window()
    page.goto(f"{desk.base}lab/tree/question.ipynb?token={desk.windows.token}&reset")
    page.locator(DIALOG).filter(has_text="Select Kernel").wait_for(timeout=60_000)
    page.context.close()


def test_nothing_is_asked_of_anybody_else(desk: Desk, reading: Reading) -> None:
    """Every request of the page goes to the lab, and none is for news or updates."""
    assert len(desk.asked) > 10
    assert [url for url in desk.asked if not url.startswith((desk.base, "data:", "blob:"))] == []
    assert [url for url in desk.asked if re.search("/lab/api/(news|update)", url)] == []


def test_a_fresh_page_shows_no_result(reading: Reading) -> None:
    """No output and no verdict before anything ran; afterwards the same look finds each kind."""
    assert reading.fresh == dict.fromkeys(RESULTS, 0)
    assert [name for name, count in counts(reading.seat).items() if count == 0] == []


def test_the_page_runs_to_its_end(reading: Reading) -> None:
    """Every cell has run, no error and no warning is shown, no acknowledged record is lost, both claims are judged."""
    seat = reading.seat
    assert seat.panel.locator(TROUBLE).count() == 0
    verdict = seat.by_id("verdict-card")
    assert int(verdict.get_by_test_id("count-acknowledged").inner_text().replace(",", "")) > 7_000
    assert verdict.get_by_test_id("count-lost").inner_text() == "0"
    assert verdict.get_by_test_id("count-duplicated").inner_text() == "0"
    judged = seat.by_id("claim-card").all_inner_texts()
    assert [re.findall("holds with conditions|holds", text)[:1] for text in judged] == [
        ["holds"],
        ["holds with conditions"],
    ]


def test_an_error_would_have_been_seen(desk: Desk) -> None:
    """The other side: the same look finds the error of a cell that raises, and its warning."""
    desk.windows.write("error", ["import sys; print('beware', file=sys.stderr); raise SystemError('broken')"])
    seat = desk.open("error")
    seat.run(0)
    assert ["beware" in shown or "SystemError" in shown for shown in seat.panel.locator(TROUBLE).all_inner_texts()] == [
        True,
        True,
    ]
    seat.page.context.close()


def test_the_whole_page_is_legible(reading: Reading, gallery: Path) -> None:
    """Pictures of the page at its end, in one piece, in both themes."""
    page = reading.seat.page
    page.set_viewport_size({"width": 1200, "height": reading.seat.panel.evaluate(HEIGHT) + 200})
    shoot(page, gallery / "end")
    assert all((gallery / f"end-{theme}.png").stat().st_size for theme in THEMES)


def test_seven_hundred_pixels_are_enough(desk: Desk, reading: Reading, gallery: Path) -> None:
    """In a window 700 px wide, its file browser folded, nothing of an output is cut or scrolled sideways.

    The other side: the same look finds an output that is too wide.
    """
    page = reading.seat.page
    fold(page)
    page.set_viewport_size({"width": 700, "height": 1000})
    page.set_viewport_size({"width": 700, "height": reading.seat.panel.evaluate(HEIGHT) + 200})
    assert reading.seat.panel.evaluate(TOO_WIDE) == []
    shoot(page, gallery / "narrow")
    desk.windows.write("wide", ["from IPython.display import HTML; HTML('<p style=width:2000px>wide</p>')"])
    seat = desk.open("wide")
    seat.run(0)
    assert seat.panel.evaluate(TOO_WIDE) != []
    seat.page.context.close()


def test_a_saved_page_shows_its_results_without_its_kernel(desk: Desk, reading: Reading) -> None:
    """Opened again on another day, the maps stand as they were, with their buttons off and the reason in words."""
    page = reading.seat.page
    choose(page, "File", "Save Notebook")
    wait_until(lambda: "verdict-card" in (desk.workspace / f"{PAGE}.ipynb").read_text(), 30, because="the file")
    page.context.close()
    desk.end_kernel(f"{PAGE}.ipynb")
    seat = desk.open(PAGE)
    maps = seat.by_id("cluster-map")
    wait_until(lambda: maps.count() == 2, 60, because="both maps")
    assert [disabled for disabled in maps.locator("button").evaluate_all(OFF) if disabled != "true"] == []
    assert seat.by_id("verdict-card").get_by_test_id("count-lost").inner_text() == "0"
    assert seat.by_id("claim-card").count() == 2
    assert seat.panel.get_by_text("Error displaying widget").count() == 0
    seat.page.context.close()


def cell(name: str, source: str) -> dict[str, Any]:
    """A cell of code as it stands in a file."""
    return {"cell_type": "code", "id": name, "metadata": {}, "execution_count": None, "outputs": [], "source": source}


def exercise(desk: Desk) -> tuple[int, int]:
    """Write a copy of the page with its first exercise: a long load after the timeline. Returns two cell numbers.

    The load does not end before another broker leads and the killed one is back: without buttons that work while it
    runs, it would never end.
    """
    notebook = json.loads((desk.workspace / f"{PAGE}.ipynb").read_text())
    (last,) = [n for n, cell in enumerate(notebook["cells"]) if cell["id"] == "timeline"]
    notebook["cells"] = notebook["cells"][: last + 1]
    load = """leader = departures.leader(partition=0)
year_2013 = flights.stream(speed_up=86_400)
with cluster.load(departures, source=year_2013) as load:
    departures.wait_for_leader(other_than=leader, timeout_s=300)
    departures.wait_for_isr(size=3, timeout_s=300)
    load.wait_for_acked(20_000, timeout_s=300)"""
    judged = "cluster.read_back(departures)\nshow.verdict(cluster, departures)"
    notebook["cells"] += [cell("by-hand", load), cell("judged", judged)]
    folder = desk.workspace / "again"
    folder.mkdir()
    (folder / f"{PAGE}.ipynb").write_text(json.dumps(notebook))
    start = "from labsupport import Cluster, show\ncluster = Cluster.start(brokers=1)\nshow.cluster_map(cluster)"
    desk.windows.write("again/beside", [start])
    timeline = len(code_cells(notebook)) - 3
    return timeline, timeline + 1


def node(seat: Seat, broker: int, state: str) -> Locator:
    """A broker in the live map, once it is in this state."""
    return seat.panel.locator(f'[data-testid="broker-{broker}"][data-state="{state}"]')


def connected(seat: Seat) -> Locator:
    """The live map whose buttons work; older ones of the same cluster have ended."""
    return seat.panel.locator('[data-testid="cluster-map"][data-connected="true"][data-ended="false"]')


def test_the_first_exercise_by_hand(desk: Desk, gallery: Path) -> None:
    """Read cell by cell; then kill a leader by its button while a cell runs, beside another notebook with a cluster.

    The map shows the dead broker and the next leader while the cell goes on, the same button brings it back, the other
    cluster is left alone, and no acknowledged record is lost.
    """
    timeline, load = exercise(desk)
    seat = desk.open(f"again/{PAGE}")
    page = seat.page
    for index in range(timeline + 1):
        seat.begin(index)
        wait_for_cell(seat, index)
    alive = connected(seat)
    picture_for_readme(seat, alive, timeline - 1, gallery)
    beside = desk.open("beside", page)
    beside.run(0)
    connected(beside).wait_for()
    seat.show()

    leader = int(alive.get_by_test_id("leader-of flights-0").get_attribute("data-leader") or 0)
    heir = min({1, 2, 3} - {leader})
    seat.begin(load)
    wait_until(lambda: alive.get_by_test_id("records-per-s").inner_text() not in {"–", "0"}, 60, because="records")
    alive.get_by_test_id(f"kill-{leader}").click()
    node(seat, leader, "stopped").last.wait_for(timeout=60_000)
    print(
        f"\nThe kernel answered the click after {alive.get_attribute('data-answer-ms')} ms, while a cell was running."
    )
    assert seat.prompt(load) == "[*]:"
    alive.locator(f'[data-testid="leader-of flights-0"][data-leader="{heir}"]').wait_for(timeout=60_000)
    assert seat.prompt(load) == "[*]:"
    shoot(page, gallery / "kill")
    assert beside.by_id("state-of broker-1").text_content() == "running"
    alive.get_by_test_id(f"start-{leader}").click()
    alive.locator(f'[data-testid="broker-{leader}"][data-state="running"]').wait_for(timeout=120_000)
    wait_for_cell(seat, load)
    seat.begin(load + 1)
    wait_for_cell(seat, load + 1)
    assert seat.by_id("verdict-card").get_by_test_id("count-lost").inner_text() == "0"


def picture_for_readme(seat: Seat, alive: Locator, shown: int, gallery: Path) -> None:
    """`readme.png`: the experiment and its timeline, and beside them the live map, on which broker 1 is dead again.

    `shown` is the number of the cell at the top.
    """
    page = seat.page
    page.set_viewport_size({"width": 1400, "height": 900})
    fold(page)
    alive.get_by_test_id("map-title").click(button="right")
    page.locator(".lm-Menu-item").filter(has=page.get_by_text("Create New View for Cell Output")).click()
    tab = page.locator(".lm-DockPanel .lm-TabBar-tab").filter(has_text="Output View")
    drag_to_the_right(page, tab)
    beside = page.locator(".jp-LinkedOutputView").locator('[data-testid="cluster-map"][data-connected="true"]')
    beside.get_by_test_id("kill-1").click()
    beside.locator('[data-testid="broker-1"][data-state="stopped"]').wait_for(timeout=60_000)
    beside.locator('[data-testid="flights-0 on broker-1"][data-role="not in sync"]').wait_for(timeout=60_000)
    seat.cell(shown).evaluate("cell => cell.scrollIntoView()")
    page.screenshot(path=gallery / "readme.png", animations="disabled")
    beside.get_by_test_id("start-1").click()
    beside.locator('[data-testid="broker-1"][data-state="running"]').wait_for(timeout=120_000)
    beside.locator('[data-testid="flights-0 on broker-1"][data-role="in sync"]').wait_for(timeout=60_000)
    tab.locator(".lm-TabBar-tabCloseIcon").click()
    fold(page)


def drag_to_the_right(page: Page, tab: Locator) -> None:
    """Put a panel beside the notebook."""
    grip, dock = tab.bounding_box(), page.locator(".lm-DockPanel").bounding_box()
    assert grip and dock
    page.mouse.move(grip["x"] + 30, grip["y"] + 8)
    page.mouse.down()
    page.mouse.move(grip["x"] + 80, grip["y"] - 60, steps=8)
    page.mouse.move(dock["x"] + dock["width"] - 30, dock["y"] + dock["height"] / 3, steps=12)
    page.mouse.up()


def test_no_page_complained(desk: Desk) -> None:
    """Nothing stood in the console of any window so far; what would stand there is seen."""
    assert desk.windows.complaints == []
    page = desk.window()
    page.goto(f"{desk.base}api")
    page.evaluate("console.error('said on purpose'); setTimeout(() => { throw new Error('thrown on purpose') })")
    wait_until(lambda: page.title() is not None and len(desk.windows.complaints) == 2, 30, because="both complaints")
    assert ["purpose" in said for said in desk.windows.complaints] == [True, True]
    desk.windows.complaints.clear()
    page.context.close()


def test_one_ctrl_c_ends_the_lab_and_all_it_started(desk: Desk) -> None:
    """With notebooks open in a browser and clusters running: server, kernels, brokers, supervisors."""
    desk.windows.write(
        "open", ["from labsupport import Cluster\ncluster = Cluster.start(brokers=1, name='still-open')"]
    )
    desk.open("open").run(0)
    clusters = desk.lab.clusters()
    family = [psutil.Process(desk.lab.pid), *psutil.Process(desk.lab.pid).children(recursive=True)]
    assert "still-open" in clusters
    assert all(processes_of(name) for name in clusters)
    assert sum("ipykernel_launcher" in " ".join(process.cmdline()) for process in family) >= 1
    desk.lab.press_ctrl_c()
    desk.lab.wait_for_end()
    assert psutil.wait_procs(family, timeout=20)[1] == []
    wait_until(lambda: not any(processes_of(name) for name in clusters), 20, because="the clusters to end")
    assert desk.lab.clusters() == []
    assert desk.lab.said().splitlines()[-1] == "The lab has ended, with its kernels and their clusters."
