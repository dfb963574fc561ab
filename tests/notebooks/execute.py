"""For maintainers: run pages anew and write them clean, as they are committed.

    python -m tests.notebooks.execute notebooks/00-start-here.ipynb

It keeps outputs and execution counts, which nbval compares; it drops the times of execution, the widgets' state, and
the live views (a page that is opened without its kernel shows their HTML or SVG instead).
"""

from __future__ import annotations

import copy
import os
import sys
import tempfile
from pathlib import Path

import nbformat

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LIVE = "application/vnd.jupyter.widget-view+json"
OURS = "kafka_lab"  # what a page says of itself: {"backend": "kubernetes"} when it needs that one
CELL_LIMIT_S = 540


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy with what one run of it and the next have in common, and the outputs."""
    clean = copy.deepcopy(notebook)
    ours = {OURS: notebook.metadata[OURS]} if OURS in notebook.metadata else {}
    clean.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}, **ours})
    for cell in clean.cells:
        cell.metadata = nbformat.from_dict({key: value for key, value in cell.metadata.items() if key == "tags"})
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(LIVE, None)
            if "metadata" in output:
                output.metadata.pop(LIVE, None)
    return clean


def execute(page: Path) -> None:
    """Run `page` with a state folder of its own, and write it only if every cell ran."""
    from nbclient import NotebookClient

    notebook = nbformat.read(page, as_version=4)
    with tempfile.TemporaryDirectory() as state:
        os.environ["KAFKA_LAB_STATE"] = state
        NotebookClient(
            notebook,
            timeout=CELL_LIMIT_S,
            kernel_name=KERNEL["name"],
            resources={"metadata": {"path": str(page.parent)}},
            record_timing=False,
            store_widget_state=False,
        ).execute()
    nbformat.write(cleaned(notebook), page)


if __name__ == "__main__":
    for argument in sys.argv[1:] or sys.exit("Name the pages to run: python -m tests.notebooks.execute PAGE…"):
        execute(Path(argument).resolve())
