"""For pre-commit: take out of notebooks what differs from one run of a page to the next. Exit code 1 if any changed."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.notebooks.execute import cleaned


def tidy(page: Path) -> bool:
    """Rewrite `page` if it is not clean; True if it was not."""
    notebook = nbformat.read(page, as_version=4)
    clean = cleaned(notebook)
    if clean == notebook:
        return False
    nbformat.write(clean, page)
    print(f"tidied {page}")
    return True


if __name__ == "__main__":
    sys.exit(any([tidy(Path(name)) for name in sys.argv[1:]]))  # noqa: C419 - each one, not until the first
