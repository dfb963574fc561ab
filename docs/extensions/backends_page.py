"""What runs where: `{backends-table}` asks the code of every backend, so that the page cannot say anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from labsupport.cluster.backend import backend_class
from labsupport.cluster.broker import Capability
from labsupport.cluster.spec import BackendName
from labsupport.views.markup import Markup, tag


def abilities() -> Mapping[str, frozenset[Capability]]:
    """What each backend's nodes can do."""
    return {name: backend_class(name).node_class.can for name in get_args(BackendName)}


def backends_table(can: Mapping[str, frozenset[Capability]]) -> Markup:
    """A row a capability, a column a backend."""
    head = tag("tr", tag("th", "What can be done", scope="col"), *(tag("th", name, scope="col") for name in can))
    rows = [
        tag(
            "tr",
            tag("th", _sentence(capability.value), scope="row"),
            *(tag("td", "yes" if capability in able else "no") for able in can.values()),
        )
        for capability in Capability
    ]
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="docutils kl-backends")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


class BackendsTable(SphinxDirective):
    """`{backends-table}`."""

    def run(self) -> list[nodes.Node]:
        """The table, as HTML."""
        return [nodes.raw("", str(backends_table(abilities())), format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("backends-table", BackendsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
