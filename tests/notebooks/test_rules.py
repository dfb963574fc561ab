"""What nbval compares under our rules, tried on a page of two cells that needs no cluster."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.backends import lack_of, reasons
from tests.notebooks.execute import KERNEL, cleaned
from tests.notebooks.pages import Validation, marks_of, needed_backend, validate

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


class TestAnotherStory:
    """Of the first cell, whose id is "shown" here: the same comparison must not take it for what is promised."""

    def flips(self, folder: Path, fact: str, other: str, **promised: str) -> Validation:
        file = page(folder, **promised)
        notebook = nbformat.read(file, as_version=4)
        notebook.cells[0].id = "shown"
        nbformat.write(notebook, file)
        return validate(file, folder, flips={"shown": (fact, other)})

    def test_is_noticed_in_the_run_that_shows_what_is_promised(self, tmp_path: Path) -> None:
        """One run, both answers."""
        validation = self.flips(tmp_path, "lost 0", "lost 1")
        assert validation.ok and validation.noticed == {0}, validation.output

    def test_that_makes_no_difference_fails_the_cell(self, tmp_path: Path) -> None:
        """A comparison that would let it pass proves nothing."""
        validation = self.flips(tmp_path, "lost 0", "lost 0")
        assert validation.failed_cells == {0} and validation.noticed == set()
        assert "was not noticed" in validation.output

    def test_is_about_a_fact_that_is_compared(self, tmp_path: Path) -> None:
        """What only the HTML has is none."""
        validation = self.flips(tmp_path, "4,711", "12")
        assert validation.failed_cells == {0} and "is in 0 outputs" in validation.output

    def test_excuses_nothing(self, tmp_path: Path) -> None:
        """A cell that breaks its promise fails, whatever its other story is."""
        assert self.flips(tmp_path, "lost 1", "lost 0", text_plain="lost 1").failed_cells == {0}


def needy(folder: Path) -> Path:
    """A page that says that it needs Kubernetes."""
    file = page(folder)
    notebook = nbformat.read(file, as_version=4)
    notebook.metadata["kafka_lab"] = {"backend": "kubernetes"}
    nbformat.write(notebook, file)
    return file


class TestAPageThatNeedsKubernetes:
    def test_says_so_in_its_metadata_which_cleaning_keeps(self, tmp_path: Path) -> None:
        """Any other page needs nothing."""
        assert needed_backend(needy(tmp_path)) == "kubernetes" and needed_backend(page(tmp_path)) == ""
        notebook = nbformat.read(needy(tmp_path), as_version=4)
        assert cleaned(notebook).metadata["kafka_lab"] == {"backend": "kubernetes"}

    def test_is_skipped_elsewhere_and_says_why(self, tmp_path: Path) -> None:
        """By the hook of every other test. Its control: on its own backend nothing speaks against it."""
        marks = [mark.mark for mark in marks_of(needy(tmp_path))]
        assert list(reasons(marks, "local")) == ["for --backend kubernetes only"]
        assert list(reasons(marks, "kubernetes")) == []
        assert marks_of(page(tmp_path)) == []

    def test_cannot_run_where_there_is_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Else a suite that tests nothing would be green."""
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
        assert "no Kubernetes can be reached" in lack_of.__wrapped__("kubernetes")
        assert lack_of.__wrapped__("local") == ""


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
