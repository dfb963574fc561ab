"""Static HTML of a lab: what it is, what its checks saw, a hint, the solution behind a fold."""

from __future__ import annotations

from collections.abc import Sequence

from labsupport.core.escape import for_html
from labsupport.core.finding import MARKS, Finding, Outcome

_EDGES = {Outcome.SOLVED: "#009E73", Outcome.NOT_YET: "#D55E00", Outcome.COULD_NOT_CHECK: "#787878"}
_TITLES = {
    Outcome.SOLVED: "Solved",
    Outcome.NOT_YET: "Not yet",
    Outcome.COULD_NOT_CHECK: "Could not check: nothing is held against you",
}
_SMALL = "font-size:85%;opacity:.85"
_LABEL = "padding:.1em 1em .1em 0;text-align:left;vertical-align:top;opacity:.85;font-weight:400"
_WORDS = "padding:.1em 0;text-align:left;vertical-align:top"
_PRE = "margin:.3em 0;padding:.5em .8em;overflow-x:auto;white-space:pre;border:1px solid #787878;background:none"


def report(findings: Sequence[Finding], outcome: Outcome) -> str:
    """All findings in one card, the outcome of the whole in its title."""
    return card(_TITLES[outcome], "".join(map(_finding, findings)), edge=_EDGES[outcome], testid="lab-report")


def _finding(finding: Finding) -> str:
    rows = ""
    if finding.outcome is not Outcome.SOLVED:
        saw = "<br>".join(for_html(line, limit=300) for line in finding.saw.splitlines())
        rows = _row("saw", saw) + _row(
            "look", f"<code>{for_html(finding.look, limit=300)}</code>" if finding.look else ""
        )
    table = (
        f"<table style='border-collapse:collapse;margin:0 0 0 1.4em;font-size:inherit'>{rows}</table>" if rows else ""
    )
    said = f"<strong>{MARKS[finding.outcome]} {for_html(finding.should, limit=300)}</strong>"
    return f"<div style='margin:.4em 0'><p style='margin:.2em 0'>{said}</p>{table}</div>"


def _row(label: str, words: str) -> str:
    if not words:
        return ""
    head = f"<th scope='row' style='{_LABEL}'>{label}</th>"
    return f"<tr style='background:none'>{head}<td style='{_WORDS}'>{words}</td></tr>"


def words(title: str, text: str, small: str = "") -> str:
    """A title over paragraphs."""
    paragraphs = "".join(f"<p style='margin:.3em 0'>{_with_code(part)}</p>" for part in text.split("\n\n"))
    return card(title, paragraphs + (f"<p style='margin:.3em 0;{_SMALL}'>{_with_code(small)}</p>" if small else ""))


def preformatted(title: str, text: str) -> str:
    """A title over lines that keep their columns."""
    return card(title, lines(text))


def folded(title: str, summary: str, text: str) -> str:
    """A title over lines that are seen once the fold is opened."""
    fold = f"<details><summary style='cursor:pointer'>{for_html(summary)}</summary>{lines(text, wrap=True)}</details>"
    return card(title, fold, testid="lab-solution")


def lines(text: str, *, wrap: bool = False) -> str:
    """Lines as they are; those that are too long scroll, or are broken if what they are is prose and commands."""
    shown = "\n".join(for_html(line, limit=500) for line in text.splitlines())
    style = _PRE.replace("white-space:pre;", "white-space:pre-wrap;overflow-wrap:anywhere;") if wrap else _PRE
    return f"<pre style='{style}'>{shown}</pre>"


def card(title: str, body: str, *, edge: str = "#787878", testid: str = "lab-card") -> str:
    """A title in small letters over its body, with an edge whose colour repeats what the words say."""
    style = f"max-width:46em;padding:.5em 1em;line-height:1.45;border-left:4px solid {edge}"
    return f"<div style='{style}' data-testid='{testid}'><div style='{_SMALL}'>{for_html(title)}</div>{body}</div>"


def _with_code(text: str) -> str:
    """Text in which what stands between backticks is code."""
    parts = text.split("`")
    return "".join(
        f"<code>{for_html(p, limit=300)}</code>" if n % 2 else for_html(p, limit=2000) for n, p in enumerate(parts)
    )
