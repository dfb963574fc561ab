"""The ledger is complete, and says what it rests on. What makes it honest is in `test_audit`, rule by rule."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from labsupport.claims import claim
from labsupport.claims.audit import complaints, read_pages
from labsupport.claims.rows import DOCUMENTARY, Verdict, ledger, ledger_files, read_rows
from labsupport.claims.sections import SECTIONS, chapter, rank, within
from labsupport.core.errors import LabError

ROOT = Path(__file__).parents[3]
ROW = """[[claim]]
id="9-x"
section="9"
paragraph=1
statement="s"
system="k"
verdict="outdated"
why="w"
source="d"
test="documentary"
predicate=""
"""


def test_nothing_is_wrong_with_it() -> None:
    """No rule has anything to say of the rows, or of the pages of this checkout that judge them."""
    pages = read_pages(ROOT)
    assert pages and any(page.judged for page in pages.values())
    assert complaints(ledger(), pages) == []


def test_every_chapter_of_the_guide_has_rows_in_its_file() -> None:
    """Hundreds of statements, from the summary to the conclusion; a file holds the rows of its own chapter."""
    files = {path.stem.split("-")[1]: read_rows(path.read_text(encoding="utf-8")) for path in ledger_files()}
    assert list(files) == [section for section in SECTIONS if "." not in section]
    assert all(chapter(row.section) == number for number, rows in files.items() for row in rows)
    assert min(map(len, files.values())) >= 4 and len(ledger()) >= 200


@pytest.mark.parametrize(
    "claim_id",
    [
        "3.2-one-partition-each",
        "3.1-round-robin",
        "5.2.3-identity-is-an-ip",
        "5.2.3-same-ip",
        "5.2.3-headless-single-ip",
        "5.3.1-isr-floor",
        "4.1.6-two-areas-a-segment",
        "5.1-three-rolling-restarts",
        "4.5.1-acks-none",
        "4.2-default-no-fsync",
        "6.2-same-topic-name",
        "4.4.1-default-102400-kb",
        "4.3.1-10-mb-per-second",
        "5.3.3-40-percent",
    ],
)
def test_what_sounds_doubtful_is_there_and_is_left_to_a_run(claim_id: str) -> None:
    """No document settles these: an experiment does, or they stay untested."""
    assert not claim(claim_id).documentary


@pytest.mark.parametrize(
    "claim_id",
    [
        "3.3-leads-and-follows",
        "3.3-leader-serves-all",
        "3.3-leader-controls-cluster",
        "3.3-follower-takes-over",
        "5.3-one-replica-by-default",
        "5.3-round-robin-placement",
        "5.3-failover",
        "5.3-any-broker-controls",
        "5.3-controller-replaces-all",
        "5.3.1-no-majority-vote",
        "5.3.1-isr-floor",
        "5.3.1-acked-not-lost",
    ],
)
def test_an_id_that_was_published_stays(claim_id: str) -> None:
    """Pages and links name it."""
    assert claim(claim_id).id == claim_id


def test_no_two_rows_say_the_same() -> None:
    """A statement that the guide makes twice is one row."""
    assert [words for words, times in Counter(row.statement for row in ledger()).items() if times > 1] == []


def test_statements_are_single_sentences_a_card_has_room_for() -> None:
    """One sentence, which stands on its own, ends with a full stop and is short enough for a terminal."""
    for row in ledger():
        assert row.statement.endswith(".") and len(row.statement) <= 160, row.id
        assert not row.statement.startswith(("It ", "They ", "So ", "Also ", "This ", "That ")), row.id


def test_the_three_kinds_are_told_apart() -> None:
    """Each row is measured, documentary or untested, and no row is two of them."""
    for row in ledger():
        assert [row.measured, row.documentary, not row.settled].count(True) == 1, row.id


def test_a_row_with_a_field_missing_is_refused() -> None:
    """A ledger file that is not complete is not read at all."""
    with pytest.raises(ValueError, match=r"row 9\.9-x: has .* needs exactly"):
        read_rows('[[claim]]\nid = "9.9-x"\nsection = "9.9"\n')


def test_a_row_with_a_field_too_many_is_refused() -> None:
    """A misspelt field does not pass silently."""
    with pytest.raises(ValueError, match="needs exactly"):
        read_rows(ROW + 'refrence="r"\n')


@pytest.mark.parametrize("paragraph", ['"1"', "0", "-1", "1.5", "true"])
def test_a_paragraph_is_a_number_from_one(paragraph: str) -> None:
    """Anything else cannot be counted in the guide."""
    with pytest.raises(ValueError, match=r"row 9-x: paragraph is .* whole number from 1"):
        read_rows(ROW.replace("paragraph=1", f"paragraph={paragraph}"))


def test_other_values_are_strings() -> None:
    """A number in their place is a slip."""
    with pytest.raises(ValueError, match="row 9-x: every value but"):
        read_rows(ROW.replace('statement="s"', "statement=5"))


def test_a_verdict_is_one_of_five() -> None:
    """A sixth is not read."""
    with pytest.raises(ValueError, match="probably"):
        read_rows(ROW.replace("outdated", "probably"))


def test_a_documentary_row_is_told_from_a_measured_one() -> None:
    """The two kinds of verdict are counted apart."""
    (row,) = read_rows(ROW)
    assert row.documentary and not row.measured and row.verdict is Verdict.OUTDATED
    (row,) = read_rows(ROW.replace(DOCUMENTARY, "00-start-here") + 'reference="r"\n')
    assert row.measured and row.reference == "r"


def test_an_unknown_id_names_the_nearest() -> None:
    """A slip of the pen is answered with what was probably meant."""
    with pytest.raises(LabError, match=r"no claim `5\.3-failovr`.*Did you mean 5\.3-failover"):
        claim("5.3-failovr")


def test_sections_know_their_order_and_what_lies_in_them() -> None:
    """5.3.1 is within 5.3 and 5, after 5.2.4 and before 5.4."""
    assert within("5.3.1", "5.3") and within("5.3", "5.3") and within("5.3.1", "5") and chapter("5.3.1") == "5"
    assert not within("5.3", "5.3.1") and not within("5.31", "5.3") and not within("5.3", "3")
    assert sorted(["5.4", "0", "5.3.1", "5.2.4", "5.3"], key=rank) == ["0", "5.2.4", "5.3", "5.3.1", "5.4"]


def test_marks_say_with_a_character_what_the_verdict_says_in_words() -> None:
    """Only an untested row has a question mark."""
    assert "".join(verdict.mark for verdict in Verdict) == "✓◐✗✗?"
