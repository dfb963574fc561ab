"""Cards say in words what their colours say, and show text as text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labsupport.claims import ledger
from labsupport.claims.judging import Judgement
from labsupport.core.errors import LabError
from labsupport.core.finding import Finding, Outcome
from labsupport.observe import HistoryVerdict
from labsupport.observe.history import ANOMALIES
from labsupport.views import show
from labsupport.views.markup import Markup, join, shorten, tag

from .conftest import HOSTILE, parse, with_data, words

CLEAN = HistoryVerdict(
    topic="flights",
    acked=4210,
    lost=0,
    duplicated=0,
    unknown=0,
    unknown_found=0,
    unknown_missing=0,
    failed=0,
    phantom=0,
    unexpected=0,
    read=4210,
)


def html(shown: Any) -> str:
    return str(shown._repr_mimebundle_()["text/html"])


def test_a_clean_history_says_so() -> None:
    """The counts stand in the HTML; the text holds only what can be judged."""
    shown = show.verdict(CLEAN)
    assert "✓ Nothing lost, nothing twice." in words(parse(html(shown)))
    assert words(with_data(parse(html(shown)), "testid")["count-acknowledged"]) == "4,210"
    assert "4210" not in repr(shown) and "4,210" not in repr(shown)
    assert shown.lost == 0


def test_a_loss_stands_in_words_and_with_its_example() -> None:
    """Lost records are named with a mark, and the smallest example is shown."""
    example = ({"t": 1.5, "k": "send", "id": HOSTILE, "outcome": "acked", "offset": 17},)
    drawn = parse(html(show.verdict(replace(CLEAN, lost=3, duplicated=2, counter_examples={"lost": example}))))
    assert "✗ 3 lost, 2 twice." in words(drawn)
    assert "lost ✗ 3" in words(drawn) and "duplicated ✗ 2" in words(drawn)
    assert "1.500 s send: id <img src=x" in words(drawn)
    assert not list(drawn.iter("img"))


def test_every_anomaly_stands_in_words_with_its_own_example() -> None:
    """A kind that is not there takes no room; each that is there is counted, marked, explained and proved."""
    for kind in ANOMALIES:
        example = ({"t": 2.0, "k": "read", "id": f"a-{HOSTILE}", "partition": 0, "offset": 4},)
        drawn = parse(html(show.verdict(replace(CLEAN, **{kind: 7}, counter_examples={kind: example}))))
        assert words(with_data(drawn, "testid")[f"count-{kind}"]) == "7"
        assert f"{kind.replace('_', ' ')} ✗ 7" in words(drawn)
        assert "2.000 s read: id a-<img src=x" in words(with_data(drawn, "testid")[f"example-{kind}"])
        assert "✗ 7 " in words(drawn) and "Nothing lost" not in words(drawn)
        assert not list(drawn.iter("img"))
    assert not [name for name in with_data(parse(html(show.verdict(CLEAN))), "testid") if name.startswith("example")]


def test_acks_0_promises_nothing_and_the_card_says_so() -> None:
    """Records that nobody acknowledged cannot be lost; they can be missing."""
    said = words(parse(html(show.verdict(replace(CLEAN, acked=0, unconfirmed=50, sent_missing=9)))))
    assert "✗ 9 sent and missing." in said
    assert "acks=0: no broker ever said so" in said


def test_nothing_acknowledged_proves_nothing() -> None:
    """Without an acknowledged record the card claims no success."""
    said = words(parse(html(show.verdict(replace(CLEAN, acked=0)))))
    assert "? No record was acknowledged, so none could be lost." in said
    assert "✓" not in said


def test_unknown_sends_are_split() -> None:
    """A send that timed out may be there or not; both are counted and neither is a fault."""
    said = words(parse(html(show.verdict(replace(CLEAN, unknown=5, unknown_found=3, unknown_missing=2)))))
    assert "timed out: 3 are there, 2 are not; neither is a fault" in said


def test_a_verdict_needs_a_topic() -> None:
    """One sentence, with what to write."""
    with pytest.raises(LabError, match="Which topic's records"):
        show.verdict(object())  # type: ignore[arg-type]


def test_a_judgement_shows_statement_verdict_and_run() -> None:
    """The guide's statement, our verdict with its mark, what this run saw, and the source."""
    claim = next(row for row in ledger() if row.settled)
    judged = Judgement(claim=claim, saw=f"lost 0 {HOSTILE}", evidence=(("lost", "0"), (HOSTILE, HOSTILE)))
    drawn = parse(html(show.judgement(judged)))
    said = words(drawn)
    assert claim.statement in said
    assert f"{judged.mark} {judged.verdict}" in said
    assert "This run: lost 0 <img" in said
    assert f"Source: {claim.source}" in said
    assert not list(drawn.iter("img"))
    assert repr(show.judgement(judged)) == str(judged)


@pytest.mark.parametrize(
    ("outcome", "mark"), [(Outcome.SOLVED, "✓"), (Outcome.NOT_YET, "✗"), (Outcome.COULD_NOT_CHECK, "?")]
)
def test_a_finding_says_its_outcome_in_words(outcome: Outcome, mark: str) -> None:
    """Colour never speaks alone; where to look is said only when there is something to find."""
    found = Finding(outcome=outcome, should=HOSTILE, saw=f"a\n{HOSTILE}", look="kafka-topics.sh")
    drawn = parse(html(show.finding(found)).replace("<br>", "<br/>"))
    assert words(drawn).startswith(f"{outcome.value} {mark} <img")
    assert ("kafka-topics.sh" in words(drawn)) is (outcome is not Outcome.SOLVED)
    assert not list(drawn.iter("img"))


def test_text_is_escaped_unless_it_was_made_as_markup() -> None:
    """Escaping is the default: in content, in attributes, and never twice."""
    made = tag("p", HOSTILE, tag("b", "x"), title=HOSTILE)
    assert isinstance(made, Markup)
    assert parse(made)[0].attrib["title"] == parse(made)[0].text
    assert words(parse(join(tag("i", "&"), "&"))) == "& &" or words(parse(join(tag("i", "&"), "&"))) == "&&"


def test_a_long_name_keeps_both_ends() -> None:
    """Names of topics differ at their ends."""
    assert shorten("a" * 20 + "-0", 9) == "aaaa…aa-0"
    assert shorten("short", 9) == "short"
