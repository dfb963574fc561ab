"""How nbval compares our pages; a pytest plugin (`-p tests.notebooks.nbval_rules`).

Judged facts are in `text/plain`, and are compared. What differs from machine to machine – durations, counts, pictures –
is in the types below, and is not.
"""

from __future__ import annotations

from typing import Any

NOT_COMPARED = (
    "text/html",
    "image/svg+xml",
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.plotly.v1+json",
)
OUTPUT_TIMEOUT_S = 60  # nbval's 5 s end the kernel of a busy machine


def pytest_itemcollected(item: Any) -> None:
    """Every cell of every page."""
    if type(item).__name__ == "IPyNbCell":
        item.output_timeout = OUTPUT_TIMEOUT_S
        missing = tuple(kind for kind in NOT_COMPARED if kind not in item.parent.skip_compare)
        item.parent.skip_compare += missing
