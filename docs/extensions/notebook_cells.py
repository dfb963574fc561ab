"""What the other extensions ask of a notebook's cells, in the document tree that MyST-NB makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes


def code_cells(tree: nodes.Node) -> Iterator[tuple[nodes.container, str]]:
    """The cells of code, each with its source."""
    for cell in tree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code":
            source = next((part for part in cell.children if part.get("nb_element") == "cell_code_source"), None)
            yield cell, source.astext() if source is not None else ""
