"""`docs/notebooks` and `docs/labs` are links to folders of the repository; Sphinx follows links between their pages out
of `docs`, to a page that it does not know. Here they come back."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx


def come_back(app: Sphinx, tree: nodes.document) -> None:
    """Name a page by its place in the repository, which is its place below `docs`, too."""
    for reference in tree.findall(addnodes.pending_xref):
        target = Path(reference["reftarget"])
        if reference.get("refdomain") == "doc" and target.is_relative_to(app.confdir.parent):
            reference["reftarget"] = target.relative_to(app.confdir.parent).as_posix()


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", come_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
