"""The index of decisions, as the repository shows it, becomes the parent of its pages."""

from __future__ import annotations

from sphinx.application import Sphinx

INDEX = "decisions/README"
CHILDREN = "\n\n```{toctree}\n:hidden:\n:glob:\n\n0*\n```\n"


def add_children(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Append the table of contents that the page does without on GitHub."""
    if docname == INDEX:
        source[0] += CHILDREN


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", add_children)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
