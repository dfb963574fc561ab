"""What every page keeps to, whatever it is about."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.execute import cleaned
from tests.notebooks.pages import PAGES, ROOT

MACHINE = {
    "a port or an address": r"\b\d{1,3}(\.\d{1,3}){3}|localhost:\d+",
    "a duration": r"\b\d+([.,]\d+)? ?(ms|s|seconds)\b",
    "a date or a time of day": r"\b20\d\d-\d\d-\d\d\b|\b\d\d:\d\d:\d\d\b",
    "a path": r"(?<!\w)/(home|root|tmp|work|Users|var)/",
    "an object's address": r"\bat 0x[0-9a-f]{6,}",
}

Notebook = nbformat.NotebookNode


def code(page: Path) -> list[Notebook]:
    """The code cells."""
    return [cell for cell in nbformat.read(page, as_version=4).cells if cell.cell_type == "code"]


def texts(cell: Notebook) -> list[str]:
    """What nbval compares of a cell's outputs."""
    return [output.get("data", {}).get("text/plain", output.get("text", "")) for output in cell.outputs]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
class TestEveryPage:
    def test_is_a_valid_notebook_that_needs_no_question(self, page: Path) -> None:
        """It names its kernel, else JupyterLab asks."""
        notebook = nbformat.read(page, as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec == {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        }

    def test_is_committed_clean(self, page: Path) -> None:
        """No times of execution, no widget state, no stray metadata: what `execute` writes."""
        notebook = nbformat.read(page, as_version=4)
        assert cleaned(notebook) == nbformat.read(page, as_version=4)

    def test_was_run_from_top_to_bottom(self, page: Path) -> None:
        """The outputs belong to one run."""
        assert [cell.execution_count for cell in code(page)] == list(range(1, len(code(page)) + 1))

    def test_shows_no_error(self, page: Path) -> None:
        """An error on a page is content only in a tagged cell."""
        for cell in code(page):
            if "raises-exception" not in cell.metadata.get("tags", []):
                assert not [output for output in cell.outputs if output.output_type == "error"]

    def test_shows_values_and_prints_nothing(self, page: Path) -> None:
        """Cells return values; nothing is printed, logged or warned."""
        for cell in code(page):
            calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
            assert "print" not in {ast.unparse(call.func) for call in calls}
            assert not [output for output in cell.outputs if output.output_type == "stream"]

    def test_has_cells_of_a_size_to_read(self, page: Path) -> None:
        """A page has 10 to 25 code cells of at most 9 lines, and each follows prose or belongs to it."""
        assert 10 <= len(code(page)) <= 25
        assert max(len(cell.source.splitlines()) for cell in code(page)) <= 9
        kinds = [cell.cell_type for cell in nbformat.read(page, as_version=4).cells]
        after_prose = sum(kinds[n - 1] == "markdown" for n, kind in enumerate(kinds) if kind == "code" and n)
        assert after_prose >= 0.8 * len(code(page))

    def test_has_headings(self, page: Path) -> None:
        """One title, and 8 to 18 headings in all."""
        prose = [cell.source for cell in nbformat.read(page, as_version=4).cells if cell.cell_type == "markdown"]
        headings = re.findall(r"^#+ ", "\n".join(prose), flags=re.MULTILINE)
        assert headings.count("# ") == 1 and 8 <= len(headings) <= 18

    def test_ends_closed(self, page: Path) -> None:
        """The last cell of code ends what the page started."""
        assert "cluster.close()" in code(page)[-1].source

    @pytest.mark.parametrize("what", MACHINE)
    def test_compares_nothing_of_this_machine(self, page: Path, what: str) -> None:
        """The text that nbval compares is the same everywhere."""
        for cell in code(page):
            for text in texts(cell):
                assert not re.search(MACHINE[what], text), f"{cell.id}: {text}"

    def test_leaves_nothing_of_this_machine_in_its_pictures(self, page: Path) -> None:
        """No path of the machine that ran it, in any output."""
        assert not re.search(MACHINE["a path"], json.dumps([cell.outputs for cell in code(page)]))

    def test_is_light(self, page: Path) -> None:
        """A page is read on the train: at most 1 MB."""
        assert page.stat().st_size < 1_000_000

    def test_links_lead_somewhere(self, page: Path) -> None:
        """A relative link names a page or a file that is there."""
        prose = " ".join(c.source for c in nbformat.read(page, as_version=4).cells if c.cell_type == "markdown")
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", prose):
            assert (page.parent / target).exists(), target


def test_no_output_is_ever_ignored() -> None:
    """nbval's way to look away is used nowhere, by comment or by tag."""
    marker = "nbval" + "_ignore_output"
    sources = [path.read_text(encoding="utf-8").lower().replace("-", "_") for path in (ROOT / "notebooks").rglob("*.*")]
    assert sources and sum(source.count(marker) for source in sources) == 0
