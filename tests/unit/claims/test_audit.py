"""Each rule of the audit can fail: it is shown a ledger, or a page, that it must refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labsupport.claims import ledger, predicates
from labsupport.claims.audit import Page, complaints, read_page, read_pages
from labsupport.claims.rows import Claim, Verdict

ROOT = Path(__file__).parents[3]
PAGES = read_pages(ROOT)
MEASURED = next(row for row in ledger() if row.measured)
DOCUMENTARY = next(row for row in ledger() if row.documentary)
UNTESTED = next(row for row in ledger() if not row.settled)


def with_row(row: Claim, **changes: object) -> list[str]:
    """The complaints about the real ledger, in which this row has been changed."""
    rows = [replace(each, **changes) if each.id == row.id else each for each in ledger()]  # type: ignore[arg-type]
    return complaints(rows, PAGES)


@pytest.mark.parametrize(
    ("row", "changes", "words"),
    [
        # any row
        (UNTESTED, {"section": "9.9"}, "the guide has no section '9.9'"),
        (UNTESTED, {"section": "8"}, "the id is not its section"),
        (UNTESTED, {"id": "Some_Id"}, "the id is not its section"),
        (UNTESTED, {"id": f"{UNTESTED.section}-Not a slug"}, "the id is not its section"),
        (UNTESTED, {"statement": ""}, "has no statement"),
        (UNTESTED, {"system": ""}, "has no system"),
        # an untested row pretends
        (UNTESTED, {"why": "it surely holds"}, "is untested, and yet has a why"),
        (UNTESTED, {"test": "documentary"}, "is untested, and yet has a test"),
        (UNTESTED, {"test": "00-start-here"}, "is untested, and yet has a test"),
        (UNTESTED, {"predicate": MEASURED.predicate}, "is untested, and yet has a predicate"),
        (UNTESTED, {"reference": "all was well"}, "is untested, and yet has a reference"),
        # a verdict out of the air
        (UNTESTED, {"verdict": Verdict.HOLDS}, "is settled by a run, and has no test"),
        # a documentary row rests on nothing
        (DOCUMENTARY, {"source": ""}, "its source names no version or date"),
        (DOCUMENTARY, {"source": "the documentation"}, "its source names no version or date"),
        (DOCUMENTARY, {"why": ""}, "does not say why no run could settle it"),
        (DOCUMENTARY, {"predicate": MEASURED.predicate}, "rests on documents, and yet has a predicate"),
        (DOCUMENTARY, {"reference": "seen"}, "rests on documents, and yet has a reference"),
        # a measured row was measured nowhere
        (MEASURED, {"why": ""}, "is settled by a run, and has no why"),
        (MEASURED, {"source": ""}, "is settled by a run, and has no source"),
        (MEASURED, {"reference": ""}, "is settled by a run, and has no reference"),
        (MEASURED, {"system": "Kafka"}, "its system names no version"),
        (MEASURED, {"predicate": ""}, "there is no predicate ''"),
        (MEASURED, {"predicate": "it_holds"}, "there is no predicate 'it_holds'"),
        (MEASURED, {"predicate": "Measured"}, "there is no predicate 'Measured'"),
        (MEASURED, {"test": "99-no-such-page"}, "there is no chapter '99-no-such-page'"),
        (MEASURED, {"reference": "what nobody saw"}, "does not show its reference: what nobody saw"),
    ],
    ids=lambda value: value.id if isinstance(value, Claim) else None,
)
def test_a_row_that_is_not_honest_is_named(row: Claim, changes: dict[str, object], words: str) -> None:
    """With the row as it is there is no complaint; with the change there is this one, which begins with the id."""
    found = with_row(row, **changes)
    assert any(line.startswith(f"{changes.get('id', row.id)}: ") and words in line for line in found)


def test_an_id_that_is_there_twice_is_named() -> None:
    """`ledger` refuses it as well, when it reads the files."""
    assert f"{UNTESTED.id}: 2 rows have this id" in complaints([*ledger(), UNTESTED], PAGES)


def test_rows_stand_in_the_order_of_the_guide() -> None:
    """By section, and within it by paragraph."""
    rows = list(ledger())
    for before in range(len(rows) - 1):
        first, second = rows[before], rows[before + 1]
        if first.section != second.section or first.paragraph != second.paragraph:
            swapped = [*rows[:before], second, first, *rows[before + 2 :]]
            expected = f"{first.id}: stands after {second.id}, and before it in the guide"
            assert expected in complaints(swapped, PAGES)


def test_a_settled_row_that_no_page_judges_is_named() -> None:
    """The chapter is there, and has forgotten the claim."""
    pages = PAGES | {MEASURED.test: replace(PAGES[MEASURED.test], judged=frozenset())}
    assert f"{MEASURED.id}: the chapter '{MEASURED.test}' does not judge it" in complaints(ledger(), pages)


def test_a_lab_settles_nothing() -> None:
    """A lab is broken on purpose; chapters carry the reference run."""
    pages = PAGES | {"labs/slow": PAGES[MEASURED.test]}
    rows = [replace(row, test="labs/slow") if row.id == MEASURED.id else row for row in ledger()]
    assert f"{MEASURED.id}: there is no chapter 'labs/slow'" in complaints(rows, pages)


def test_a_page_that_judges_an_unknown_claim_is_named() -> None:
    """A row that goes, or an id misspelt on a page."""
    found = complaints([row for row in ledger() if row.id != MEASURED.id], PAGES)
    assert f"page '{MEASURED.test}': judges {MEASURED.id}, which is not in the ledger" in found
    found = complaints(ledger(), PAGES | {"labs/slow": Page(judged=frozenset(["5.3-failovr"]))})
    assert found == ["page 'labs/slow': judges 5.3-failovr, which is not in the ledger"]


def test_a_predicate_that_no_row_has_is_named() -> None:
    """It was left behind by a row that went."""
    rows = [replace(row, predicate="") if row.id == MEASURED.id else row for row in ledger()]
    assert f"predicate '{MEASURED.predicate}': no row has it" in complaints(rows, PAGES)


def test_a_predicate_takes_evidence_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a page could hand over the right values in the wrong order."""

    def positional(isr_before: object) -> None: ...

    positional.__module__ = predicates.__name__
    monkeypatch.setattr(predicates, MEASURED.predicate, positional)
    found = complaints(ledger(), PAGES)
    assert f"{MEASURED.id}: the predicate '{MEASURED.predicate}' takes evidence without its name" in found


# -- how a page is read


def notebook(*code: str, shown: str = "") -> str:
    """The JSON of a page with these cells; the first shows a text."""
    cells = [{"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": []} for source in code]
    cells[0]["outputs"] = [{"data": {"text/plain": [shown]}}]
    text = {"cell_type": "markdown", "source": ['claims.judge("0-only-text")']}
    return json.dumps({"cells": [text, *cells]})


@pytest.mark.parametrize(
    "source",
    [
        'claims.judge("5-x", evidence)',
        'judgement = claims.judge("5-x", evidence={"a": 1})',
        'claims.judge(claim_id="5-x", evidence=e)',
        'from labsupport.claims import judge\njudge("5-x", e)',
        'if True:\n    for _ in range(1):\n        claims.judge(\n            "5-x",\n            e,\n        )',
        '%matplotlib inline\n!ls\nclaims.judge("5-x", e)',
        '%%time\nclaims.judge("5-x", e)',
    ],
)
def test_a_judgement_is_found_however_it_is_written(source: str) -> None:
    """In code only: what the text says of a claim judges nothing."""
    page = read_page(notebook("x = 1", source))
    assert page.judged == {"5-x"} and page.unclear == ()


@pytest.mark.parametrize("source", ["claims.judge(name, e)", "claims.judge(f'5-{x}', e)", "claims.judge()", "judge(5)"])
def test_an_id_that_is_not_written_out_is_a_complaint(source: str) -> None:
    """It could not be looked up in the ledger."""
    page = read_page(notebook(source))
    assert page.judged == set() and page.unclear
    assert complaints([], {"p": page})[0] == "page 'p': a cell judges a claim whose id is not written out"


def test_a_cell_for_another_program_is_passed_over_unless_it_speaks_of_judge() -> None:
    """A shell's cell judges nothing, but nothing that might judge is overlooked."""
    assert read_page(notebook("%%bash\nif true; then ls; fi")).unclear == ()
    assert read_page(notebook('claims.judge("5-x", e')).unclear == ("a cell that is no Python speaks of `judge`",)


def test_what_a_page_shows_is_the_text_of_its_outputs() -> None:
    """The reference of a row is looked up there."""
    assert read_page(notebook("x", shown="✓ holds\n  saw    it held")).shown == "✓ holds\n  saw    it held"


def test_chapters_and_labs_are_found(tmp_path: Path) -> None:
    """By the names that rows and complaints give them."""
    for name in ("notebooks/01-topics.ipynb", "labs/slow/lab.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(notebook('claims.judge("5-x", e)'))
    assert list(read_pages(tmp_path)) == ["01-topics", "labs/slow"]
