"""Folds what follows a prediction until the reader has answered or skips it.

Whatever comes after the cell of `predict("id")`, to the end of the page, goes into a `<details>` element: keyboard and
screen reader know it, and it needs no script. `static/predictions.js` makes the question's options answerable.
"""

from __future__ import annotations

import re

from docutils import nodes
from notebook_cells import code_cells
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

ASKED = re.compile(r'^predict\("([\w.-]+)"\)', re.MULTILINE)
COMPARED = re.compile(r'^predict\.outcome\(\s*"([\w.-]+)"', re.MULTILINE)
OPEN = "Answer, or skip: the cluster answers here"


class fold(nodes.General, nodes.Element):
    """Consequences of the prediction whose id is in `question`."""


def fold_consequences(_app: Sphinx, tree: nodes.document, _docname: str) -> None:
    """Runs when tables of contents are made, so that they still know all sections."""
    asked = []
    for cell, source in code_cells(tree):
        if found := ASKED.search(source):
            asked.append((cell, found[1]))
            cell["classes"].append("kl-question")
        elif found := COMPARED.search(source):
            cell["ids"].append(f"outcome-of-{found[1]}")
    for cell, question in reversed(asked):  # the last first: its fold then moves into that of the one before it
        top, following = page_and_rest(cell)
        folded = fold("", question=question)
        for node in following:
            node.parent.remove(node)
            folded += node
        if folded.children:
            top += folded


def page_and_rest(cell: nodes.Node) -> tuple[nodes.Element, list[nodes.Node]]:
    """The page's own section, and all that follows `cell` in it, whatever sections these nodes are in."""
    rest: list[nodes.Node] = []
    here = cell
    while not isinstance(here.parent, nodes.document):
        rest += here.parent.children[here.parent.index(here) + 1 :]
        here = here.parent
    assert isinstance(here, nodes.Element)
    return here, rest


def visit_fold(self: HTML5Translator, node: fold) -> None:
    self.body.append(self.starttag(node, "details", CLASS="kl-fold", **{"data-question": node["question"]}))
    self.body.append(f"<summary>{OPEN}</summary>\n")


def depart_fold(self: HTML5Translator, _node: fold) -> None:
    self.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(fold, html=(visit_fold, depart_fold))
    app.connect("doctree-resolved", fold_consequences)
    app.add_js_file("predictions.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
