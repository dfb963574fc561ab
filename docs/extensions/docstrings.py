"""Docstrings are written to be read in an editor; here the few places are mended where reStructuredText differs."""

from __future__ import annotations

import re

from sphinx.application import Sphinx

ITEM = re.compile(r"(- |\d+\. )")


def set_lists_apart(_app: Sphinx, _what: str, _name: str, _value: object, _options: object, lines: list[str]) -> None:
    """Put an empty line before a list that follows its sentence at once, and after one that ends in the same way."""
    spaced: list[str] = []
    for line in lines:
        before = spaced[-1] if spaced else ""
        in_list = bool(ITEM.match(before)) or before.startswith("  ")
        begins = ITEM.match(line) and not in_list
        ends = in_list and re.match(r"\S", line) and not ITEM.match(line)
        if before and (begins or ends):
            spaced.append("")
        spaced.append(line)
    lines[:] = spaced


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", set_lists_apart)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
