"""A page that promises something else fails: the comparison is not empty."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.notebooks.pages import PAGES, validate

# For each page, judged facts by cell id: what the cell shows, and what would be another story.
FLIPS = {
    "00-start-here": {
        "start": ("3 brokers (kraft)", "3 brokers (zookeeper)"),
        "create": ("(1, [1, 2, 3])", "(2, [1, 2, 3])"),
        "first": ("N14228", "N14229"),
        "ask": ("two more brokers", "one more broker"),
        "watch": ("flights-2: led by broker-3", "flights-2: led by broker-1"),
        "kill": ("([1, 2, 3], 2)", "([1, 2, 3], 3)"),
        "timeline": ("writes acknowledged again: yes", "writes acknowledged again: no"),
        "history": ("acknowledged and lost: 0", "acknowledged and lost: 1"),
        "outcome": ("(d) ", "(b) "),
        "judge-failover": ("✓ holds", "✗ wrong"),
        "judge-acked": ("no acknowledged record is missing", "acknowledged records are missing"),
    }
}


def flipped(page: Path, folder: Path) -> tuple[Path, set[int]]:
    """A copy of `page` that promises other facts, and the numbers of the code cells that were changed."""
    notebook = nbformat.read(page, as_version=4)
    changed = set()
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code_cells):
        if cell.id in FLIPS[page.stem]:
            fact, other = FLIPS[page.stem][cell.id]
            (shown,) = [output for output in cell.outputs if fact in output.get("data", {}).get("text/plain", "")]
            shown.data["text/plain"] = shown.data["text/plain"].replace(fact, other, 1)
            changed.add(number)
    assert len(changed) == len(FLIPS[page.stem])
    copy = folder / page.name
    nbformat.write(notebook, copy)
    return copy, changed


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_cell_that_shows_something_has_a_fact_to_flip(page: Path) -> None:
    """No cell of a page shows nothing but what is never compared."""
    cells = nbformat.read(page, as_version=4).cells
    assert {cell.id for cell in cells if cell.get("outputs")} == set(FLIPS[page.stem])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_each_flipped_fact_fails_its_cell_and_no_other(page: Path, tmp_path: Path) -> None:
    """One run of a copy with one fact flipped in each of several cells: just these cells fail, the others pass.

    `test_pages` has the other side: the page as it is passes.
    """
    copy, changed = flipped(page, tmp_path)
    validation = validate(copy, tmp_path)
    assert not validation.ok
    assert validation.failed_cells == changed, validation.output
