"""The page of each lab still shows what it shows, gives nothing away, and has the parts that a lab needs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from labsupport.teaching.scenarios import names, scenario
from labsupport.teaching.workspace import lay_out
from tests.labs.conftest import LABS, params, wrong
from tests.notebooks.execute import cleaned
from tests.notebooks.pages import LONGEST_S, needed_backend, validate

# For each page, judged facts by cell id: what the cell shows, and what would be another story.
FLIPS = {
    "under-replicated": {
        "open": ("UnderReplicatedPartitions is not 0", "UnderReplicatedPartitions is 0"),
        "symptom": ("replicas [1, 2, 3], in sync [1, 2]", "replicas [1, 2, 3], in sync [1, 3]"),
        "check": ("✓ payments holds all", "✗ payments holds all"),
        "hint": ("Hint 1 of 3: where", "Hint 2 of 3: what"),
    },
    "stuck-consumer": {
        "open": ("on one partition", "on two partitions"),
        "symptom": ("departures-0: lag 0", "departures-0: lag 1"),
        "check": ("✓ every departure", "✗ every departure"),
        "hint": ("Hint 1 of 3: where", "Hint 2 of 3: what"),
    },
    "unreachable-broker": {
        "open": ("one payment in three", "every payment"),
        "symptom": ("led by broker 3: no answer", "led by broker 3: acknowledged"),
        "check": ("✓ pods reach every broker", "✗ pods reach every broker"),
        "hint": ("Hint 1 of 3: where", "Hint 2 of 3: what"),
    },
    "pending-broker": {
        "open": ("its pod is Pending", "its pod is Running"),
        "symptom": ("broker-3 Pending", "broker-3 Running"),
        "check": ("data-broker-3: Pending, 512Mi", "data-broker-3: Bound, 512Mi"),
        "hint": ("Hint 1 of 3: where", "Hint 2 of 3: what"),
    },
    "blocked-drain": {
        "open": ("Cannot evict pod", "Has evicted pod"),
        "symptom": ("0 may be missing", "1 may be missing"),
        "check": ("✓ the till is open", "✗ the till is open"),
        "hint": ("Hint 1 of 3: where", "Hint 2 of 3: what"),
    },
}
PARTS = [
    "Three in the morning",
    "What is at stake",
    "How a lab works",
    "What you see",
    'What "well" means',
    "Your repair",
]
PARTS += ["Stuck?", "Debrief", "Your turn", "Close"]


def page(name: str) -> Path:
    return LABS / name / "lab.ipynb"


def flipped(name: str, folder: Path) -> tuple[Path, set[int]]:
    """A copy of a page that promises other facts, and the numbers of the code cells that were changed."""
    notebook = nbformat.read(page(name), as_version=4)
    changed = set()
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        if cell.id in FLIPS[name]:
            fact, other = FLIPS[name][cell.id]
            (output,) = cell.outputs
            assert fact in output.data["text/plain"], cell.id
            output.data["text/plain"] = output.data["text/plain"].replace(fact, other, 1)
            changed.add(number)
    assert len(changed) == len(FLIPS[name])
    copy = folder / f"{name}.ipynb"
    nbformat.write(notebook, copy)
    return copy, changed


@pytest.mark.contract
@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("name", params())
def test_a_page_shows_what_it_promises_and_nothing_else(name: str, tmp_path: Path) -> None:
    """One run by nbval of a copy with some facts flipped: just these cells fail, and all others pass."""
    copy, changed = flipped(name, tmp_path)
    validation = validate(copy, tmp_path)
    assert validation.failed_cells == changed, validation.output


@pytest.mark.parametrize("name", names())
def test_a_page_is_committed_clean_and_was_run_from_top_to_bottom(name: str) -> None:
    notebook = nbformat.read(page(name), as_version=4)
    nbformat.validate(notebook)
    assert cleaned(notebook) == nbformat.read(page(name), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type in ("error", "stream")]
    assert code[-1].source == "lab.close()"


@pytest.mark.parametrize("name", names())
def test_a_page_says_which_backend_it_needs(name: str) -> None:
    """As its scenario does: by that its test is run where it can be."""
    assert needed_backend(page(name)) == scenario(name).backend


@pytest.mark.parametrize("name", names())
def test_a_page_has_the_parts_of_a_lab(name: str) -> None:
    """In this order: the night, the stake, the symptom, what is well, the repair, hints, the debrief."""
    prose = [cell.source for cell in nbformat.read(page(name), as_version=4).cells if cell.cell_type == "markdown"]
    assert re.findall(r"^## (.+)$", "\n".join(prose), flags=re.MULTILINE) == PARTS
    assert "<details>" in next(text for text in prose if text.startswith("## Debrief"))


@pytest.mark.parametrize("name", names())
def test_what_the_learner_gets_gives_nothing_away(name: str, tmp_path: Path) -> None:
    """In the workspace: no hint, no line of the solution, no word of a refusal; the page alone, without outputs."""
    lay_out(workspace=tmp_path)
    laid = json.loads((tmp_path / "labs" / f"{name}.ipynb").read_text())
    source = json.dumps(laid, ensure_ascii=False)
    what = scenario(name)
    assert not [hint for hint in what.hints if hint[:60] in source]
    commands = [line.strip() for line in what.solution.splitlines() if line.strip() and not line.startswith("#")]
    assert not [line for line in commands if "--execute" in line or "--verify" in line if line in source]
    assert not [attempt.words for attempt in wrong(name) if attempt.words in source]
    assert all(not cell.get("outputs") for cell in laid["cells"])
    assert [path.name for path in (tmp_path / "labs").iterdir() if path.stem == name] == [f"{name}.ipynb"]


@pytest.mark.parametrize("name", names())
def test_hints_go_from_where_to_how_in_some_forty_words(name: str) -> None:
    assert len(scenario(name).hints) == 3
    assert all(25 <= len(hint.split()) <= 65 for hint in scenario(name).hints)
