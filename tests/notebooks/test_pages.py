"""Every page still shows what it shows: nbval runs it on real clusters and compares the judged facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.pages import PAGES, validate


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_shows_what_it_promises(page: Path, tmp_path: Path) -> None:
    """Run on this machine, every cell shows the judged facts that are committed."""
    validation = validate(page, tmp_path)
    assert validation.ok, validation.output
