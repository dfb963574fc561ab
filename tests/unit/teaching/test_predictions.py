"""A prediction is kept, compared, and never in the way."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from labsupport.core.errors import BadInput, Contradiction, LabError
from labsupport.teaching import Prediction, cards, kept, predict
from labsupport.teaching.questions import question, questions

MODELS = ("layout", "style")  # ids of other widgets, new with each one that is made
AS_IT_WAS = {"new_leader": 2, "pause_s": 8.1, "lost": 0, "duplicated": 0}


def html(shown: object) -> str:
    """The HTML of a card."""
    return str(shown._repr_mimebundle_()["text/html"])  # type: ignore[attr-defined]


def test_it_works_without_widgets() -> None:
    """An answer given in code is kept."""
    assert predict("leader-dies", answer="b").answer == "b"
    assert predict("leader-dies").answer == "b"


def test_its_text_is_the_same_whether_answered_or_not() -> None:
    """nbval compares the text; what is personal is in the HTML."""
    before = predict("leader-dies")
    after = predict("leader-dies", answer="b")
    assert repr(before) == repr(after) == repr(predict("leader-dies"))
    assert html(before) != html(after) and "(b)" in html(after)


def test_the_text_lists_the_options_and_how_to_answer() -> None:
    """A terminal shows all that the widget shows."""
    text = str(predict("leader-dies"))
    assert all(question("leader-dies").option(letter) in text for letter in "abcde")
    assert 'predict("leader-dies", answer="a")' in text


def test_nothing_that_is_shown_before_the_outcome_marks_the_answer() -> None:
    """The right option is drawn like the others, and its reason is not there."""
    shown = html(predict("leader-dies")) + str(predict("leader-dies"))
    assert question("leader-dies").why[:40] not in shown


def test_the_outcome_is_the_option_that_the_run_bore_out() -> None:
    """The text has the run's part; the reader's part is in the HTML, right or wrong."""
    predict("leader-dies", answer="b")
    outcome = predict.outcome("leader-dies", AS_IT_WAS)
    assert str(outcome).startswith("(d) ")
    assert outcome.predicted == "b" and "✗ You predicted: (b)" in html(outcome)


def test_a_right_prediction_is_said_to_be_right() -> None:
    """The card says so in words, not in colour."""
    predict("leader-dies", answer="d")
    assert "✓ You predicted (d)" in html(predict.outcome("leader-dies", AS_IT_WAS))


def test_the_outcome_needs_no_prediction() -> None:
    """Answering is never required to go on."""
    outcome = predict.outcome("leader-dies", AS_IT_WAS)
    assert outcome.predicted is None and "You made no prediction" in html(outcome)


def test_the_outcome_reads_the_same_whatever_was_predicted() -> None:
    """nbval compares the text of the outcome."""
    without = str(predict.outcome("leader-dies", AS_IT_WAS))
    predict("leader-dies", answer="a")
    assert str(predict.outcome("leader-dies", AS_IT_WAS)) == without


def test_a_prediction_may_be_changed_until_the_outcome_is_shown() -> None:
    """The last answer before the outcome counts; the first one is remembered."""
    predict("leader-dies", answer="a")
    predict("leader-dies", answer="d")
    outcome = predict.outcome("leader-dies", AS_IT_WAS)
    assert outcome.predicted == "d" and "first thought was (a)" in html(outcome)


def test_an_answer_given_after_the_outcome_does_not_count() -> None:
    """It is kept, and the card says that it came later."""
    predict("leader-dies", answer="a")
    predict.outcome("leader-dies", AS_IT_WAS)
    later = predict("leader-dies", answer="d")
    assert predict.outcome("leader-dies", AS_IT_WAS).predicted == "a"
    assert "said (d) after the outcome had been shown" in html(later)


def test_a_run_that_bears_out_another_option_raises() -> None:
    """A page cannot tell a story that its own run refutes."""
    with pytest.raises(Contradiction, match=r"bears out “\(b\)"):
        predict.outcome("leader-dies", {**AS_IT_WAS, "lost": 1})


def test_missing_evidence_is_named() -> None:
    """The message says what is missing and what is wanted."""
    with pytest.raises(LabError, match="lacks lost, duplicated"):
        predict.outcome("leader-dies", {"new_leader": 2, "pause_s": 8.1})


def test_a_wrong_answer_letter_keeps_the_old_answer() -> None:
    """A refused answer changes nothing."""
    predict("leader-dies", answer="a")
    with pytest.raises(BadInput):
        predict("leader-dies", answer="x")
    assert predict("leader-dies").answer == "a"


def test_the_file_is_private(state: Path) -> None:
    """Only its owner may read what was predicted."""
    predict("leader-dies", answer="a")
    assert stat.S_IMODE((state / "predictions.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "null", '{"format":"other"}', '{"format":"kafka-lab-predictions","version":9}', "\x00"]
)
def test_a_damaged_file_is_moved_aside_and_said_in_one_sentence(state: Path, damage: str) -> None:
    """Nothing is thrown away, and the page goes on."""
    (state / "predictions.json").write_text(damage)
    asked = predict("leader-dies", answer="c")
    (aside,) = state.glob("predictions.unreadable-*.json")
    assert aside.read_text() == damage and aside.name in html(asked)
    assert predict("leader-dies").answer == "c" and aside.name not in html(predict("leader-dies"))


def test_a_file_that_is_not_text_is_moved_aside(state: Path) -> None:
    """Bytes that are no UTF-8 count as damage, too."""
    (state / "predictions.json").write_bytes(b"\xff\xfe\x00")
    assert predict("leader-dies").answer is None
    assert list(state.glob("predictions.unreadable-*.json"))


def test_without_a_place_to_keep_it_the_page_goes_on(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only home costs the memory, not the question."""
    (state / "taken").write_text("a file where the folder should be")
    monkeypatch.setenv("KAFKA_LAB_STATE", str(state / "taken"))
    assert "could not be kept" in html(predict("leader-dies", answer="a"))
    assert str(predict.outcome("leader-dies", AS_IT_WAS)).startswith("(d)")


def test_answers_given_at_the_same_moment_are_all_kept() -> None:
    """Two notebooks may answer different questions at once: neither answer is lost."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: kept.answer(f"question-{n}", "a"), range(40)))
    assert len(kept.load().answers) == 40


def test_the_file_does_not_grow_without_end(state: Path) -> None:
    """The first answer and the newest are kept, however often a mind is changed."""
    for n in range(kept.MOST_ANSWERS + 30):
        kept.answer("q", "ab"[n % 2])
    given = json.loads((state / "predictions.json").read_text())["answers"]["q"]["given"]
    assert len(given) <= kept.MOST_ANSWERS + 2 and given[0][0] == "a"


class TestTheWidget:
    """Radio buttons, when a kernel is there."""

    def test_offers_all_options_and_keeps_a_choice(self) -> None:
        """Choosing one is answering."""
        from labsupport.teaching.widget import build

        box, options, said = build(question("leader-dies"), kept.load())
        assert [letter for _, letter in options.options] == list("abcde") and options.value is None
        options.value = "c"
        assert predict("leader-dies").answer == "c" and "(c)" in said.value
        assert options in box.children

    def test_holds_no_answer_in_its_state(self) -> None:
        """What travels to the browser is the question, and nothing that marks one option."""
        from labsupport.teaching.widget import build

        asked = question("leader-dies")
        box, options, said = build(asked, kept.load())
        state = str([part.get_state() for part in (*box.children, options, said)])
        assert asked.ask[:60] in state and asked.why[:40] not in state
        assert all(state.count(text) == state.count(asked.options[asked.answer]) for text in asked.options.values())

    @pytest.mark.parametrize("name", sorted(questions()))
    def test_would_be_the_same_if_another_option_were_right(self, name: str) -> None:
        """Text, HTML and the widget's whole state: nothing of them depends on the right letter, or on the reason."""
        from labsupport.teaching.widget import build

        asked = question(name)

        def everything(letter: str) -> str:
            other = replace(asked, answer=letter, why=f"since it is {letter}")
            box, *parts = build(other, kept.load())
            states = [part.get_state() for part in (*box.children, *parts)]
            shown = [{key: value for key, value in state.items() if key not in MODELS} for state in states]
            return f"{shown} {cards.asked(other, kept.load())} {Prediction(other, kept.load())}"

        assert len({everything(letter) for letter in asked.options}) == 1

    def test_is_not_made_where_no_kernel_is(self) -> None:
        """In a terminal the bundle is text and HTML only."""
        assert set(predict("leader-dies")._repr_mimebundle_()) == {"text/plain", "text/html"}
