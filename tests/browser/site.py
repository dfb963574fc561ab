"""A built site on loopback, a browser that opens its pages, and what it finds wrong with them, in words."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Browser, Page, Route

from tests.browser.conftest import ROOT

GRAVE = ("serious", "critical")
ALL = {"include": [":root"]}
WIDE = 1280  # from here on all of a page is there: the article, and the navigation on both sides of it
# Whether colours can be told apart takes axe-core ten times as long as all its other questions.
OF_COLOURS = ("color-contrast", "link-in-text-block")

# All folds open, as for a reader who skips every question; lazy pictures drawn.
OPEN = "for (const fold of document.querySelectorAll('details')) fold.open = true"
# An output that takes no room, or shows neither words nor a picture.
EMPTY = """() => [...document.querySelectorAll('.cell_output > *')].filter((output) => {
  const box = output.getBoundingClientRect();
  const shows = output.innerText.trim() || output.querySelector('svg, img, canvas, input, button');
  return box.width < 2 || box.height < 2 || !shows;
}).map((output) => output.outerHTML.slice(0, 160))"""
# What reaches beyond the window without a box of its own that scrolls.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const scrolls = (e) => /auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX);
  const inBox = (e) => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
    if (scrolls(p)) return true; return false; };
  const wide = [...document.querySelectorAll('article *')].filter((e) =>
    e.getBoundingClientRect().right > width + 1 && e.getBoundingClientRect().width > 1 && !inBox(e));
  const page = document.documentElement.scrollWidth > width ? ['the page scrolls sideways'] : [];
  return page.concat(wide.slice(0, 5).map((e) => `${e.tagName} ${e.className}: ${e.textContent.trim().slice(0, 60)}`));
}"""
AXE = """async ([where, rules]) => {
  const { violations } = await axe.run(where, { resultTypes: ['violations'], ...rules });
  return violations.map((found) => {
    const places = found.nodes.map((node) => node.target.join(' ')).slice(0, 3);
    return { impact: found.impact, what: `${found.id}: ${places.join(', ')}` };
  });
}"""


@cache
def axe_core() -> str:
    """axe-core's text, from the package that the lock of developers names."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def build(source: Path, folder: Path) -> Path:
    """Build the site of `source` into `folder`, as `make docs` does; a warning is an error."""
    options = ["-q", "-E", "-W", "--keep-going", "-c", "docs"]
    command = [sys.executable, "-m", "sphinx", *options, str(source), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def page_of(folder: Path, *outputs: str, name: str = "index", plain: str = "picture") -> Path:
    """Add a page to the source of a site: an executed notebook whose cells showed this HTML, and one this text."""
    shown = [{"text/html": str(html), "text/plain": "picture"} for html in outputs] + [{"text/plain": plain}]
    cells = [new_code_cell("show", outputs=[new_output("display_data", bundle)]) for bundle in shown]
    notebook = new_notebook(cells=[new_markdown_cell("# Pictures"), *cells])
    notebook.metadata["language_info"] = {"name": "python"}
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


def index_of(folder: Path) -> Path:
    """Add the page that names all others."""
    (folder / "index.md").write_text("# Pages\n\n```{toctree}\n:glob:\n\n*\n```\n", encoding="utf-8")
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder on loopback; yields its address, which ends with `/`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    theme: str
    width: int

    def __str__(self) -> str:
        return f"{self.theme}-{self.width}"

    @property
    def questions(self) -> Iterator[tuple[dict[str, list[str]], dict[str, object]]]:
        """What axe-core is asked: on which part of the page, and with which rules. Only what no other look answers.

        A theme changes colours and nothing else. A width changes no colour, and what it hides or shows, such as the
        navigation, is not in the article.
        """
        if self.theme == "light":
            yield ALL, {"rules": {rule: {"enabled": False} for rule in OF_COLOURS}}
        yield ALL if self.width >= WIDE else {"exclude": ["article"]}, {"runOnly": OF_COLOURS}


class Reader:
    """A window of one width and theme, that reads one page after the other and writes down their faults."""

    def __init__(self, browser: Browser, look: Look) -> None:
        self.look = look
        viewport = {"width": look.width, "height": 900}
        context = browser.new_context(viewport=viewport, color_scheme=look.theme, reduced_motion="reduce")  # type: ignore[arg-type]
        context.route(re.compile("."), self._let_through)
        self.page: Page = context.new_page()
        self.heard: list[str] = []
        self.page.on("console", lambda said: self._hear(f"console: {said.text}") if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self._hear(f"console: {error}"))
        self.page.on("dialog", lambda dialog: (self._hear(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _hear(self, fault: str) -> None:
        self.heard.append(fault)

    def _let_through(self, route: Route) -> None:
        if re.match(r"(http://127\.0\.0\.1:\d+/|data:|blob:|file:)", route.request.url):
            route.continue_()
        else:
            self.heard.append(f"asked elsewhere: {route.request.url}")
            route.abort()

    def open(self, url: str) -> None:
        """Open a page, with all its folds."""
        self.heard.clear()
        self.page.goto(url, wait_until="load")
        self.page.evaluate(OPEN)

    def faults(self, url: str) -> list[str]:
        """Open a page and say what is wrong with it; nothing if all is well."""
        self.open(url)
        empty = [f"empty output: {found}" for found in self.page.evaluate(EMPTY)]
        wide = [f"too wide: {found}" for found in self.page.evaluate(TOO_WIDE)]
        self.page.evaluate(axe_core())
        answers = [found for question in self.look.questions for found in self.page.evaluate(AXE, question)]
        grave = [f"axe: {found['what']}" for found in answers if found["impact"] in GRAVE]
        return [*self.heard, *empty, *wide, *grave]
