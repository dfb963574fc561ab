"""What nbval compares under our rules, tried on a page of two cells that needs no cluster."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.notebooks.execute import KERNEL, cleaned
from tests.notebooks.pages import validate

SHOWN = {"text/plain": "lost 0", "text/html": "<b>0 of 4,711</b>", "image/svg+xml": "<svg/>"}
SHOW = f"from IPython.display import display\ndisplay({SHOWN!r}, raw=True)"


def page(folder: Path, **promised: str) -> Path:
    """A page that shows `SHOWN` and promises something else where `promised` says so."""
    data = {**SHOWN, **{kind.replace("_", "/"): text for kind, text in promised.items()}}
    cell = new_code_cell(SHOW, execution_count=1, outputs=[new_output("display_data", data=data)])
    other = new_code_cell("1 + 1", execution_count=2, outputs=[new_output("execute_result", {"text/plain": "2"})])
    other.outputs[0].execution_count = 2
    nbformat.write(new_notebook(cells=[cell, other], metadata={"kernelspec": KERNEL}), folder / "page.ipynb")
    return folder / "page.ipynb"


def test_a_page_that_shows_what_it_promises_passes(tmp_path: Path) -> None:
    """The other tests here fail for their own reason."""
    validation = validate(page(tmp_path), tmp_path)
    assert validation.ok and not validation.failed_cells, validation.output


def test_a_fact_in_the_text_is_compared(tmp_path: Path) -> None:
    """Another judged fact fails the cell, and only this cell."""
    validation = validate(page(tmp_path, text_plain="lost 1"), tmp_path)
    assert not validation.ok and validation.failed_cells == {0}, validation.output


def test_figures_in_html_are_not_compared(tmp_path: Path) -> None:
    """Counts and pictures differ from run to run."""
    assert validate(page(tmp_path, text_html="<b>0 of 12</b>"), tmp_path).ok


def test_cleaning_drops_what_belongs_to_one_run() -> None:
    """Times, live views and widget state go; outputs and tags stay; cleaning twice changes nothing."""
    output = new_output("display_data", data={**SHOWN, "application/vnd.jupyter.widget-view+json": {"model_id": "x"}})
    timed = {"execution": {"iopub.execute_input": "2026-01-01T00:00:00Z"}, "tags": ["raises-exception"]}
    notebook = new_notebook(
        cells=[new_code_cell("1", metadata=timed, outputs=[output])],
        metadata={
            "widgets": {"state": {}},
            "kernelspec": KERNEL,
            "language_info": {"name": "python", "version": "3.9"},
        },
    )
    clean = cleaned(notebook)
    assert clean.cells[0].metadata == {"tags": ["raises-exception"]} and clean.cells[0].outputs[0].data == SHOWN
    assert set(clean.metadata) == {"kernelspec", "language_info"} and clean.metadata.language_info == {"name": "python"}
    assert cleaned(clean) == clean
