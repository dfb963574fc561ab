"""Cards: a value of another room as a small piece of HTML that reads well on light and dark. Nothing here decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labsupport.core.finding import Finding, Outcome
from labsupport.views import palette as colour
from labsupport.views.markup import Markup, join, tag, text

if TYPE_CHECKING:
    from labsupport.claims import Judgement
    from labsupport.observe import HistoryVerdict

_CARD = "max-width:46em;overflow-wrap:anywhere;padding:.5em 1em;line-height:1.45;border-left:4px solid "
_SMALL = "font-size:85%;opacity:.85"
_CELL = "padding:.1em 1.2em .1em 0;text-align:right;vertical-align:top"
_WORDS = "padding:.1em 0;text-align:left;vertical-align:top"
_EDGES = {
    "holds": colour.FOLLOWER,
    "holds with conditions": colour.LEADER,
    "outdated": colour.BROKEN,
    "wrong": colour.BROKEN,
}
_OUTCOMES = {
    Outcome.SOLVED: ("✓", colour.FOLLOWER, "solved"),
    Outcome.NOT_YET: ("✗", colour.BROKEN, "not yet"),
    Outcome.COULD_NOT_CHECK: ("?", colour.GREY, "could not check"),
}


def card(title: object, *body: object, edge: str = colour.GREY, data_testid: str | None = None) -> Markup:
    """A title in small letters over its body, with a coloured edge that repeats what the words say."""
    head = tag("div", text(title), style=_SMALL)
    return tag("div", head, *body, style=f"{_CARD}{edge}", data_testid=data_testid)


def _line(*parts: object, small: bool = False) -> Markup:
    return tag("p", *parts, style=f"margin:.3em 0;{_SMALL if small else ''}")


def judgement_card(judgement: Judgement) -> Markup:
    """The guide's statement in our words, the recorded verdict, and what this run saw."""
    mark, edge = judgement.mark, _EDGES.get(judgement.verdict, colour.GREY)
    run = _line("This run: ", judgement.saw) if judgement.saw else None
    evidence = "; ".join(f"{name}: {value}" for name, value in judgement.evidence)
    return card(
        join("The guide says, §", judgement.section, " · ", tag("code", text(judgement.id))),
        tag("blockquote", text(judgement.statement), style="margin:.3em 0;padding:0 0 0 .8em"),
        _line(tag("strong", f"{mark} {judgement.verdict}"), f" · {judgement.system}" if judgement.system else ""),
        run,
        _line(judgement.why) if judgement.why else None,
        _line("Evidence of this run: ", evidence, small=True) if evidence else None,
        _line("Source: ", judgement.source, small=True) if judgement.source else None,
        edge=edge,
        data_testid="claim-card",
    )


def verdict_card(verdict: HistoryVerdict) -> Markup:
    """What became of the records: the counts in a table, the anomalies first in words."""
    unknown = f"timed out: {verdict.unknown_found:,} are there, {verdict.unknown_missing:,} are not; neither is a fault"
    rows = [
        ("acknowledged", verdict.acked, "the broker said: written"),
        *([("unconfirmed", verdict.unconfirmed, "acks=0: no broker ever said so")] if verdict.unconfirmed else []),
        ("lost", verdict.lost, _ANOMALIES["lost"][1]),
        ("duplicated", verdict.duplicated, _ANOMALIES["duplicated"][1]),
        *((kind, verdict.anomalies[kind], _ANOMALIES[kind][1]) for kind in _rarer(verdict)),
        ("unknown", verdict.unknown, unknown if verdict.unknown else "no send timed out"),
        ("failed", verdict.failed, "reported as not written"),
        *([("unexpected", verdict.unexpected, "there, and sent by nobody here")] if verdict.unexpected else []),
    ]
    cells = [_count_row(name, count, words, alarming=name in verdict.anomalies) for name, count, words in rows]
    examples = [_example(kind, entries) for kind, entries in verdict.counter_examples.items()]
    mark, said = ("✓", "Nothing lost, nothing twice.") if verdict.clean else ("✗", _anomaly(verdict))
    if verdict.clean and verdict.acked == 0:
        mark, said = "?", "No record was acknowledged, so none could be lost."
    return card(
        join("History of ", verdict.topic, f": {verdict.read:,} records read back"),
        _line(tag("strong", f"{mark} {said}")),
        tag("table", *cells, style="border-collapse:collapse;margin:0"),
        *examples,
        edge=colour.FOLLOWER if verdict.clean else colour.BROKEN,
        data_testid="verdict-card",
    )


_ANOMALIES = {  # in the sentence "3 …", and as what the word means
    "lost": ("lost", "acknowledged, and not there any more"),
    "disagreement": ("read differently", "two readers found different records at one place, or one found a gone one"),
    "duplicated": ("twice", "sent once, there twice or more"),
    "reordered": ("out of order", "there behind a record that its producer sent later"),
    "phantom": ("written though reported failed", "reported as not written, and there"),
    "moved": ("elsewhere", "acknowledged at one offset, there at another"),
    "unobserved": ("not observed", "acknowledged, and passed over by the reader"),
    "sent_missing": ("sent and missing", "sent with acks=0, never acknowledged, and not there"),
}


def _rarer(verdict: HistoryVerdict) -> list[str]:
    """The kinds of anomalies that have a row only when there are any."""
    return [kind for kind in verdict.anomalies if kind not in ("lost", "duplicated")]


def _anomaly(verdict: HistoryVerdict) -> str:
    return ", ".join(f"{count:,} {_ANOMALIES[kind][0]}" for kind, count in verdict.anomalies.items()) + "."


def _count_row(name: str, count: int, words: str, *, alarming: bool) -> Markup:
    weight = f";font-weight:600;border-bottom:2px solid {colour.BROKEN}" if alarming else ""
    return tag(
        "tr",
        tag(
            "th",
            f"{name.replace('_', ' ')}{' ✗' if alarming else ''}",
            scope="row",
            style=f"{_WORDS};padding-right:1.2em",
        ),
        tag("td", f"{count:,}", style=_CELL + weight, data_testid=f"count-{name}"),
        tag("td", words, style=_WORDS),
        style="background:none",
    )


def _example(kind: str, entries: tuple[Mapping[str, Any], ...]) -> Markup:
    lines = [tag("div", tag("code", text(_entry(entry), limit=300))) for entry in entries]
    words = f"The smallest example of “{_ANOMALIES[kind][0]}”:"
    return tag("div", _line(words, small=True), *lines, style=_SMALL, data_testid=f"example-{kind}")


def _entry(entry: Mapping[str, Any]) -> str:
    fields = ", ".join(f"{key} {value}" for key, value in entry.items() if key not in {"k", "t"} and value is not None)
    return f"{float(entry.get('t', 0)):.3f} s  {entry.get('k', '')}: {fields}"


def _lines(words: str) -> Sequence[object]:
    return [part for line in words.splitlines() for part in (Markup("<br>"), line)][1:]


def finding_card(finding: Finding) -> Markup:
    """What should be, what was seen, where to look."""
    mark, edge, words = _OUTCOMES[finding.outcome]
    return card(
        words,
        _line(tag("strong", f"{mark} {finding.should}")),
        _line("Saw: ", *_lines(finding.saw)) if finding.saw else None,
        _line("Look: ", tag("code", text(finding.look)))
        if finding.look and finding.outcome is not Outcome.SOLVED
        else None,
        edge=edge,
        data_testid="finding-card",
    )
