"""The site as a reader meets it: every page, wide and narrow, light and dark, and nothing wrong with any of them.

Pictures of all pages are kept in `artifacts/screenshots/site`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from labsupport.claims import ledger
from labsupport.core.finding import Finding
from labsupport.views import show
from tests.browser.conftest import ROOT
from tests.browser.site import OPEN, WIDE, Look, Reader, build, index_of, page_of, served
from tests.browser.views_lab import CHROMIUM, chromium
from tests.hostile import PAYLOADS, WATCH, Payload, troubles
from tests.unit.views import recordings

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine"),
    pytest.mark.timeout(600),
]

LOOKS = [Look(theme, width) for theme in ("light", "dark") for width in (WIDE, 360)]
PICTURED = (Look("light", WIDE), Look("dark", 360))  # a picture of a long page takes longer than to read it
FAULTY = """<!doctype html><html lang="en"><head><title>page</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>page</h1><article>{}</article></main></body></html>"""


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, as `make docs` builds it. Where it has just done so, KAFKA_LAB_SITE names the folder."""
    built = os.environ.get("KAFKA_LAB_SITE")
    return Path(built).resolve() if built else build(ROOT / "docs", ROOT / "build" / "site")


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


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
        if look in PICTURED:
            picture = gallery / "site" / f"{name.removesuffix('.html').replace('/', '_')}-{look}.png"
            reader.page.screenshot(path=picture, full_page=True, animations="disabled")
    reader.page.context.close()
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
    """The other side: the look above finds what is wrong, and only that."""
    (tmp_path / "sound.html").write_text(FAULTY.format("<p>Nothing is wrong here.</p>"))
    (tmp_path / "faulty.html").write_text(FAULTY.format(planted))
    reader = Reader(browser, Look("light", WIDE))
    with served(tmp_path) as url:
        assert [fault for fault in reader.faults(f"{url}sound.html") if "favicon" not in fault] == []
        assert [fault for fault in reader.faults(f"{url}faulty.html") if fault.startswith(words)] != []
    reader.page.context.close()


def test_the_first_page_leads_to_every_page_and_every_lab(address: str, browser: Browser) -> None:
    """In its text, not in the navigation alone, which a narrow window hides."""
    page = Reader(browser, Look("light", 360)).page
    page.goto(address)
    linked = {link.get_attribute("href") for link in page.locator("article a").all()}
    assert linked >= {f"notebooks/{path.stem}.html" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert linked >= {f"labs/{path.parent.name}/lab.html" for path in (ROOT / "labs").glob("*/lab.ipynb")}
    page.goto(f"{address}notebooks/00-start-here.html")
    page.evaluate(OPEN)
    page.locator("article").get_by_role("link", name="a replica is missing").click()
    page.get_by_role("heading", level=1, name="Lab: three replicas, two in sync").wait_for()
    page.context.close()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_colour_that_is_too_pale_is_found_in_each_look(tmp_path: Path, browser: Browser, look: Look) -> None:
    """In each theme; and in a narrow window outside the article, which has the same colours in a wide one."""
    pale = "<style>.pale { color: light-dark(#aaa, #555); background: light-dark(#fff, #000); }</style>"
    page = FAULTY.format("<p class='within'>here</p>").replace("<h1>page</h1>", f"{pale}<h1 class='beside'>page</h1>")
    page = page.replace("<head>", "<head><meta name='color-scheme' content='light dark'>")
    for place in ("within", "beside"):
        (tmp_path / f"{place}.html").write_text(page.replace(f"class='{place}'", f"class='{place} pale'"))
    reader = Reader(browser, look)
    with served(tmp_path) as url:
        found = {
            place: [fault for fault in reader.faults(f"{url}{place}.html") if fault.startswith("axe: color-contrast")]
            for place in ("within", "beside")
        }
    assert bool(found["within"]) is (look.width == WIDE)
    assert "h1" in found["beside"][0]
    reader.page.context.close()


# --- Predictions ----------------------------------------------------------------------------------------------------

ASKING = "notebooks/00-start-here.html"
FOLD = ".kl-fold[data-question='leader-dies']"


def test_what_follows_a_prediction_is_folded_until_it_is_answered(address: str, browser: Browser) -> None:
    """An answer opens the fold and comes back beside the outcome; opened again, the page remembers it."""
    reader = Reader(browser, Look("light", WIDE))
    page = reader.page
    page.goto(address + ASKING)
    consequences = page.get_by_role("heading", name="Kill the leader")
    assert not consequences.is_visible()
    page.get_by_role("button", name="Answer").click()  # nothing was chosen yet
    assert not consequences.is_visible()
    page.get_by_label("(b) Writes pause").check()
    assert not consequences.is_visible()  # arrow keys choose, too: that is no answer
    page.get_by_role("button", name="Answer").click()
    assert consequences.is_visible()
    assert page.locator(":focus").inner_text() == "You predicted (b). The cluster answers below."
    outcome = page.locator("#outcome-of-leader-dies strong")
    assert outcome.inner_text().startswith("✗ You predicted: (b) Writes pause")
    page.reload()
    assert consequences.is_visible()
    assert outcome.inner_text().startswith("✗ You predicted: (b) Writes pause")
    page.context.close()


def test_a_prediction_can_be_skipped_by_keyboard_or_by_a_link(address: str, browser: Browser) -> None:
    """The fold is an element that browsers and screen readers know; a link into it opens it."""
    reader = Reader(browser, Look("dark", 360))
    page = reader.page
    page.goto(address + ASKING)
    consequences = page.get_by_role("heading", name="Kill the leader")
    page.locator(f"{FOLD} > summary").focus()
    page.keyboard.press("Enter")
    assert consequences.is_visible()
    page.goto(address + ASKING)
    assert not consequences.is_visible()
    page.goto(f"{address}{ASKING}#why-it-came-out-so")
    page.get_by_role("heading", name="Why it came out so").wait_for()
    page.context.close()


def test_without_scripts_the_question_stands_and_the_fold_opens(address: str, browser: Browser) -> None:
    """Nothing of a page depends on a script."""
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(address + ASKING)
    assert page.get_by_text("(b) Writes pause for seconds").first.is_visible()
    consequences = page.get_by_role("heading", name="Kill the leader")
    assert not consequences.is_visible()
    page.locator(f"{FOLD} > summary").click()
    assert consequences.is_visible()
    page.context.close()


# --- The ledger and the search, also from files ---------------------------------------------------------------------


@pytest.fixture(params=["served", "opened from files"])
def either(request: pytest.FixtureRequest, site: Path, address: str) -> str:
    """The site's address, and its folder's."""
    return address if request.param == "served" else f"{site.as_uri()}/"


def count(page: Page) -> tuple[int, int]:
    """What the ledger says of itself: how many rows are shown, of how many; and that this is so."""
    shown, _, together, _ = page.locator(".kl-filters [role=status]").inner_text().split()
    assert page.locator("tr[data-verdict]:visible").count() == int(shown)
    return int(shown), int(together)


def test_the_ledger_shows_every_row(either: str, browser: Browser) -> None:
    """As many as the ledger has, also without scripts."""
    page = Reader(browser, Look("light", WIDE)).page
    page.goto(f"{either}claims.html")
    assert count(page) == (len(ledger()), len(ledger()))
    page.context.close()
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{either}claims.html")
    assert page.locator("tr[data-verdict]:visible").count() == len(ledger())
    page.context.close()


def test_the_ledger_is_filtered(either: str, browser: Browser) -> None:
    """By section with all that it contains, by system, by verdict, by words, and by a link."""
    page = Reader(browser, Look("light", WIDE)).page
    page.goto(f"{either}claims.html")
    form = page.locator(".kl-filters")
    form.get_by_label("Section").select_option("5.3")
    assert count(page)[0] == len([row for row in ledger() if f"{row.section}.".startswith("5.3.")])
    form.get_by_label("System", exact=True).select_option("Kafka")
    form.get_by_label("Verdict").select_option("holds")
    form.get_by_label("Words").fill("takes over by nobody")
    assert count(page)[0] == 0
    form.get_by_label("Words").fill("")
    assert page.locator("[id='5.3-failover']").is_visible()
    assert 0 < count(page)[0] < len(ledger())
    form.get_by_role("button", name="Show all").click()
    page.wait_for_function(f"document.querySelectorAll('tr[data-verdict]:not([hidden])').length === {len(ledger())}")
    page.locator(".kl-counts").get_by_role("link", name="untested").click()
    page.wait_for_function("document.querySelector('.kl-filters [name=verdict]').value === 'untested'")
    assert count(page)[0] == len([row for row in ledger() if not row.settled])
    page.context.close()


def test_a_link_to_a_row_shows_it(address: str, browser: Browser) -> None:
    """Also when a filter had hidden it."""
    page = Reader(browser, Look("light", 360)).page
    page.goto(f"{address}claims.html#verdict=untested")
    row = page.locator("[id='5.3-failover']")
    assert not row.is_visible()
    page.goto(f"{address}claims.html#5.3-failover")
    row.wait_for()
    row.get_by_role("link", name="00-start-here").click()
    page.get_by_role("heading", level=1, name="Start here").wait_for()
    page.context.close()


def test_search_finds_pages(either: str, browser: Browser) -> None:
    """Words of a page, and of an output on it; without a request to anybody else and without an error."""
    reader = Reader(browser, Look("light", WIDE))
    for words, title in (("preferred leader", "Start here"), ("longest time without an acknowledgement", "Start here")):
        reader.page.goto(f"{either}search.html?q={words}")
        reader.page.locator("#search-results li a").filter(has_text=title).wait_for()
    assert reader.heard == []
    reader.page.context.close()


# --- Pages made for these tests, all of one site --------------------------------------------------------------------

REPLAYS = "replays.html"
UNESCAPED = ("script", "image that fails", "svg", "frame", "link", "out of a style")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site whose pages are named by what they show."""
    folder = tmp_path_factory.mktemp("made")
    source = folder / "source"
    recording = recordings.failover(folder)
    pictures = [
        show.replay(recording),
        show.failover(recording, "flights"),
        show.isr_timeline(recording, "flights"),
        show.partition_log(recording, "flights"),
        show.chart(recording, "records_per_s"),
    ]
    page_of(source, *(picture.html for picture in pictures), name=Path(REPLAYS).stem)
    for number, payload in enumerate(PAYLOADS):
        page_of(source, *hostile(folder, payload), name=f"hostile-{number}", plain=repr(payload.content[:4000]))
        if payload.name in UNESCAPED:
            page_of(source, f"<div>{payload.text}</div>", name=f"unescaped-{UNESCAPED.index(payload.name)}")
    with served(build(index_of(source), folder / "site")) as url:
        yield url


def hostile(folder: Path, payload: Payload) -> list[str]:
    """Pictures in which a payload is the name of a topic, a group and a cluster, and a value."""
    name = payload.id
    run = recordings.failover(folder, name=name, topic=name, group=name)
    pictures = [
        show.replay(run),
        show.failover(run, name),
        show.isr_timeline(run, name),
        show.partition_log(run, name),
        show.chart(run),
        show.finding(Finding.of(False, should=payload.text, saw=[payload.text], look=payload.text)),
    ]
    return [str(picture.html) for picture in pictures]


# --- Replays --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_pictures_are_replays(made: str, browser: Browser, gallery: Path, look: Look) -> None:
    """Each kind of picture on a page moves with its time line, without a kernel; nothing is wrong with any."""
    reader = Reader(browser, look)
    assert reader.faults(made + REPLAYS) == []
    assert reader.page.get_by_test_id("replay").count() == 5
    reader.page.get_by_test_id("replay-time").first.focus()
    assert reader.page.get_by_test_id("leader-of flights-0").inner_text() == "broker-2"
    reader.page.keyboard.press("Home")
    assert reader.page.get_by_test_id("partition flights-0").count() == 0
    for words in reader.page.locator(":is(.kl-caption, .kl-note, .kl-controls):visible").all():
        box = words.bounding_box()  # the picture may be wider and scroll; what is said about it may not
        assert box is not None and box["x"] + box["width"] <= look.width, words.inner_text()
    reader.page.screenshot(path=gallery / "site" / f"replays-{look}.png", full_page=True, animations="disabled")
    reader.page.context.close()


def test_without_scripts_a_picture_stands_still(made: str, browser: Browser) -> None:
    """What was there last is in the page's text."""
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(made + REPLAYS)
    assert "flights-0 is led by broker-2" in page.locator(".cell_output").first.inner_text()
    page.context.close()


# --- Hostile records ------------------------------------------------------------------------------------------------


@pytest.fixture
def watchful(browser: Browser) -> Iterator[Reader]:
    """A narrow window that notices whatever runs."""
    reader = Reader(browser, Look("light", 360))
    reader.page.context.add_init_script(WATCH)
    yield reader
    reader.page.context.close()


def achieved(reader: Reader, url: str) -> list[str]:
    """What a page's records achieved there, with every fold open and every replay at its beginning and its end."""
    reader.open(url)
    for slider in reader.page.get_by_test_id("replay-time").all():
        slider.press("Home")
        slider.press("End")
    return [*troubles(reader.page), *reader.heard]


@pytest.mark.parametrize("number", range(len(PAYLOADS)), ids=[payload.name for payload in PAYLOADS])
def test_hostile_records_stay_text(made: str, watchful: Reader, number: int) -> None:
    """No script runs, nothing becomes part of the page, and nothing is wider than it; all replays are drawn."""
    assert achieved(watchful, f"{made}hostile-{number}.html") == []
    assert watchful.page.get_by_test_id("replay").count() == 5
    assert watchful.page.locator(".cell_output").count() == 7


@pytest.mark.parametrize("number", range(len(UNESCAPED)), ids=UNESCAPED)
def test_the_site_itself_escapes_no_output(made: str, watchful: Reader, number: int) -> None:
    """The other side: HTML that a cell shows is shown as it is, and the look above finds what it does."""
    assert achieved(watchful, f"{made}unescaped-{number}.html") != []
