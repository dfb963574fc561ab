"""A JupyterLab of its own on loopback, and a Chromium that looks at it: for tests of what the reader sees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, sync_playwright

from labsupport.core.wait import wait_until

REPO = Path(__file__).parents[2]
# Debian's Chromium, told not to call home.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


class Seat:
    """A notebook in a browser, driven as a reader would: by its cells and by what is labelled on the page."""

    def __init__(self, page: Page, panel: Locator) -> None:
        self.page, self.panel = page, panel

    def by_id(self, name: str) -> Locator:
        """What carries the `data-testid` `name`, in this notebook."""
        return self.panel.get_by_test_id(name)

    def cell(self, index: int) -> Locator:
        """A code cell."""
        return self.panel.locator(".jp-CodeCell").nth(index)

    def prompt(self, index: int) -> str:
        """`[*]:` while a cell runs or waits, `[3]:` when it is done."""
        return self.cell(index).locator(".jp-InputPrompt").inner_text()

    def begin(self, index: int) -> None:
        """Run a cell and do not wait for it."""
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")

    def run(self, index: int) -> None:
        """Run a cell to its end."""
        before = self.prompt(index)

        def done() -> bool:
            now = self.prompt(index)
            return now != before and now[1:-2].isdigit()

        self.begin(index)
        wait_until(done, 60, because=f"cell {index} to end", poll_s=0.1)

    def show(self) -> None:
        """Bring this notebook to the front."""
        self.page.locator(f'.lm-TabBar-tab[data-id="{self.panel.get_attribute("id")}"]').click()


def seat_of(page: Page, name: str) -> Seat:
    """The notebook in front, once it is `name`, its kernel is there and its cells are laid out."""
    tab = page.locator(".lm-DockPanel .lm-TabBar-tab.lm-mod-current").filter(has_text=f"{name}.ipynb")
    tab.wait_for(timeout=60_000)
    seat = Seat(page, page.locator(f"[id='{tab.get_attribute('data-id')}']"))
    # "idle" stands there also while there is "No Kernel" yet, and a cell that is run before that is forgotten.
    seat.panel.locator(".jp-KernelName").filter(has_text="Python 3").wait_for(timeout=60_000)
    seat.panel.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(timeout=60_000)
    wait_until(lambda: "[" in seat.prompt(0), 60, because="the page to be laid out")
    return seat


class Lab:
    """A running JupyterLab, and what its pages complained of in the console."""

    def __init__(self, url: str, token: str, folder: Path, browser: Browser) -> None:
        self.url, self.token, self.folder, self._browser = url, token, folder, browser
        self.complaints: list[str] = []

    def page(self, **options: Any) -> Page:
        """An empty window whose console is listened to."""
        page = self._browser.new_context(**{"viewport": {"width": 1200, "height": 1000}, **options}).new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _heard(self, said: ConsoleMessage) -> None:
        """A status of 500 of Jupyter's own API, seen once in weeks, is none of our pages: it is printed, and not held
        against them. The address is told without its token.
        """
        if said.type != "error":
            return
        address = said.location.get("url", "").partition("?")[0]
        if "status of 500" in said.text and address.startswith((f"{self.url}api/", f"{self.url}lab/api/")):
            print(f"JupyterLab: {said.text} {address}")
        else:
            self.complaints.append(f"{said.text} {address}".strip())

    def write(self, name: str, cells: Sequence[str]) -> None:
        """Put a notebook into the lab's folder."""
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel})
        nbformat.write(notebook, self.folder / f"{name}.ipynb")

    def open(self, page: Page, name: str) -> Seat:
        """Open a notebook in a window, alone or beside others, once its kernel is there."""
        if page.url == "about:blank":
            page.goto(f"{self.url}lab/tree/{name}.ipynb?token={self.token}&reset")
        else:
            page.locator(".jp-DirListing-item").filter(has_text=f"{name}.ipynb").dblclick()
        return seat_of(page, name)

    def theme(self, name: str) -> None:
        """Light or dark, for windows that are opened from now on."""
        settings(self.folder.parent / "settings", {"@jupyterlab/apputils-extension:themes": {"theme": THEMES[name]}})


def settings(folder: Path, values: Mapping[str, Mapping[str, object]]) -> None:
    """Write user settings as JupyterLab keeps them."""
    for name, value in values.items():
        extension, _, plugin = name.partition(":")
        path = folder / extension / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without JupyterLab, for pages that need no kernel."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def lab(root: Path, browser: Browser | None = None) -> Iterator[Lab]:
    """Start a JupyterLab whose every folder is in `root`, and a browser unless one is given; end what was started."""
    folder = root / "pages"
    folder.mkdir()
    settings(
        root / "settings",
        {
            "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
            "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
        },
    )
    places = {"CONFIG": "config", "DATA": "data", "RUNTIME": "runtime"}
    environment = dict(os.environ) | {f"JUPYTER_{key}_DIR": str(root / value) for key, value in places.items()}
    environment |= {
        "JUPYTERLAB_SETTINGS_DIR": str(root / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(root / "workspaces"),
        "IPYTHONDIR": str(root / "ipython"),
        "KAFKA_LAB_STATE": str(root / "state"),
        "PYTHONPATH": str(REPO),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0"]
    command += ["--allow-root"] if os.getuid() == 0 else []
    with (root / "lab.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        about = wait_until(lambda: _about(root / "runtime", server), 60, because="JupyterLab to listen")
        with nullcontext(browser) if browser else chromium() as window:
            yield Lab(about["url"], about["token"], folder, window)
    finally:
        server.terminate()
        server.wait(30)


def _about(runtime: Path, server: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert server.poll() is None, "JupyterLab ended at once: see lab.log"
    files = [path for path in runtime.glob("jpserver-*.json") if path.stat().st_size]
    about: dict[str, Any] = json.loads(files[0].read_text()) if files else {}
    return about
