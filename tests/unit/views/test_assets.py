"""Our JavaScript and style, put together: self-contained, and the same for a notebook, a page and the site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labsupport.views import assets

ENTRIES = ["map_widget.js", "replay_widget.js", "replay_page.js"]
STATIC = Path(assets.__file__).parent / "static"
WAYS_TO_MARKUP = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc")
WAYS_OUT = ("fetch(", "import(", "XMLHttpRequest", "WebSocket", "sendBeacon", "http://", "https://")


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_module_imports_nothing(entry: str) -> None:
    """What it needs stands before it, once."""
    text = assets.module(entry)
    assert not re.search(r"^(import|export (?!default))", text, re.MULTILINE)
    assert text.count("function element(") == 1


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_name_is_declared_once(entry: str) -> None:
    """All modules share one scope then, so two of a name would be an error of syntax."""
    names = re.findall(r"^(?:const|let|function|class) (\w+)", assets.module(entry), re.MULTILINE)
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.js")), ids=lambda file: file.name)
def test_text_never_becomes_markup_and_nothing_is_fetched(file: Path) -> None:
    """In the browser, text from a cluster is set as text."""
    source = file.read_text(encoding="utf-8").replace('"http://www.w3.org/2000/svg"', "")
    assert [way for way in (*WAYS_TO_MARKUP, *WAYS_OUT) if way in source] == []


def test_the_site_gets_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that no page needs to load as a module, and a style sheet; made anew when ours has changed."""
    monkeypatch.setenv("KAFKA_LAB_CACHE", str(tmp_path))
    (script,), (style,) = assets.site_assets()
    assert script.read_text(encoding="utf-8") == assets.page_script()
    assert style.read_text(encoding="utf-8") == assets.style()
    script.write_text("old", encoding="utf-8")
    assets.site_assets()
    assert script.read_text(encoding="utf-8") == assets.page_script()


def test_every_rule_is_about_our_classes() -> None:
    """A style sheet that is put into somebody's page leaves that page alone."""
    rules = re.sub(r"@keyframes.*?\}\s*\}|/\*.*?\*/", "", assets.style(), flags=re.DOTALL)
    selectors = [one.strip() for line in re.findall(r"([^{}]+)\{", rules) for one in line.split(",")]
    assert [one for one in selectors if not one.startswith((".kl-", "@media"))] == []
