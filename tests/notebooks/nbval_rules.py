"""How nbval compares our pages; a pytest plugin (`-p tests.notebooks.nbval_rules`).

Judged facts are in `text/plain`, and are compared. What differs from machine to machine – durations, counts, pictures –
is in the types below, and is not.

A comparison that notices nothing would always pass. So, where KAFKA_LAB_FLIPS says (JSON: for each cell id a fact and
what would be another story), what a cell showed is compared twice: with what is committed, which must agree, and with
the other story, which must not. One run of a page answers both.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

NOT_COMPARED = (
    "text/html",
    "image/svg+xml",
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.plotly.v1+json",
)
FLIPS_VARIABLE, NOTICED = "KAFKA_LAB_FLIPS", "other stories noticed in cells "
_noticed: list[int] = []
OUTPUT_TIMEOUT_S = 60  # nbval's 5 s end the kernel of a busy machine


def pytest_itemcollected(item: Any) -> None:
    """Every cell of every page."""
    if type(item).__name__ == "IPyNbCell":
        item.output_timeout = OUTPUT_TIMEOUT_S
        missing = tuple(kind for kind in NOT_COMPARED if kind not in item.parent.skip_compare)
        item.parent.skip_compare += missing
        flip = json.loads(os.environ.get(FLIPS_VARIABLE, "{}")).get(item.cell.get("id"))
        if flip:
            item.compare_outputs = partial(_both_ways, item, item.compare_outputs, flip)


def _both_ways(
    item: Any, compare: Callable[..., bool], flip: Sequence[str], shown: object, promised: Sequence[Any], *rest: Any
) -> bool:
    """Whether a cell showed what is promised, and its comparison would have noticed another story."""
    fact, other = flip
    if not compare(shown, promised, *rest):
        return False
    flipped = copy.deepcopy(promised)
    holders = [output["data"] for output in flipped if fact in output.get("data", {}).get("text/plain", "")]
    if len(holders) != 1:
        item.comparison_traceback = [f"{fact!r} is in {len(holders)} outputs of the cell, and not in one."]
        return False
    holders[0]["text/plain"] = holders[0]["text/plain"].replace(fact, other, 1)
    if compare(shown, flipped, *rest):
        item.comparison_traceback = [f"{other!r} in place of {fact!r} was not noticed."]
        return False
    item.comparison_traceback = []
    _noticed.append(item.cell_num)
    return True


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The numbers of the cells whose other story was noticed, for who started this run."""
    if FLIPS_VARIABLE in os.environ:
        terminalreporter.write_line(f"{NOTICED}{json.dumps(sorted(_noticed))}")
