"""The site as a reader meets it: every page, wide and narrow, light and dark, and nothing wrong with any of them.

Pictures of all pages are kept in `artifacts/screenshots/site`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import ROOT
from tests.browser.site import Look, Reader, served
from tests.browser.views_lab import ARGUMENTS, CHROMIUM

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine"),
    pytest.mark.timeout(600),
]

LOOKS = [Look(theme, width) for theme in ("light", "dark") for width in (1280, 360)]
FAULTY = """<!doctype html><html lang="en"><head><title>page</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>page</h1><article>{}</article></main></body></html>"""


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built anew where anything changed since `make docs`."""
    folder = ROOT / "build" / "site"
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield launched
        launched.close()


def pages(site: Path) -> list[str]:
    """Every page of the site, by its address below the site's own."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_no_page_has_a_fault(site: Path, address: str, browser: Browser, gallery: Path, look: Look) -> None:
    """No console error, no request elsewhere, no empty output, nothing too wide, no serious fault for axe-core."""
    reader = Reader(browser, look)
    found: list[str] = []
    for name in pages(site):
        found += [f"{name}: {fault}" for fault in reader.faults(address + name)]
        picture = gallery / "site" / f"{name.removesuffix('.html').replace('/', '_')}-{look}.png"
        reader.page.screenshot(path=picture, full_page=True, animations="disabled")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ("<script>null.x</script>", "console: "),
        ("<img src='missing.png' alt='missing'>", "console: "),
        ("<img src='http://192.0.2.1/x.png' alt='elsewhere'>", "asked elsewhere: "),
        ("<script>alert(1)</script>", "dialog: "),
        ("<div class='cell_output'><div class='output'></div></div>", "empty output: "),
        ("<details><div class='cell_output'><div class='output'> <p></p></div></div></details>", "empty output: "),
        ("<p style='width:2000px'>wide</p>", "too wide: "),
        ("<input>", "axe: label"),
        ("<p style='color:#aaa;background:#fff'>pale</p>", "axe: color-contrast"),
    ],
)
def test_a_planted_fault_is_found(tmp_path: Path, browser: Browser, planted: str, words: str) -> None:
    """The other side: each look finds what is wrong, and only that."""
    (tmp_path / "sound.html").write_text(FAULTY.format("<p>Nothing is wrong here.</p>"))
    (tmp_path / "faulty.html").write_text(FAULTY.format(planted))
    reader = Reader(browser, Look("light", 360))
    with served(tmp_path) as url:
        assert [fault for fault in reader.faults(f"{url}sound.html") if "favicon" not in fault] == []
        assert [fault for fault in reader.faults(f"{url}faulty.html") if fault.startswith(words)] != []
    reader.page.context.close()
