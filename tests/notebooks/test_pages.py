"""Every page still shows what it shows: nbval runs it on real clusters and compares the judged facts."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.notebooks.pages import LONGEST_S, params, validate
from tests.notebooks.test_flip import FLIPS


@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("page", params())
def test_a_page_shows_what_it_promises(page: Path, tmp_path: Path) -> None:
    """Run on this machine, every cell shows the judged facts that are committed; others would have been noticed."""
    validation = validate(page, tmp_path, flips=FLIPS[page.stem])
    assert validation.ok, validation.output
    code = [cell for cell in nbformat.read(page, as_version=4).cells if cell.cell_type == "code"]
    assert validation.noticed == {number for number, cell in enumerate(code) if cell.id in FLIPS[page.stem]}
