"""Rooms import downward only, and the public surface changes only on purpose."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import labsupport

ROOT = Path(labsupport.__file__).parent
# What a room may import, it may import with all that lies below.
BELOW = {
    "core": set[str](),
    "provision": {"core"},
    "clients": {"core", "provision"},
    "cluster": {"provision", "clients"},
    "faults": {"cluster"},
    "storage": {"cluster"},
    "observe": {"cluster", "faults", "storage"},
    "claims": {"core"},
    "teaching": {"claims", "observe"},
    "views": {"teaching"},
    "cli": {"views"},
    "jupyter": {"cli"},
}


def allowed(room: str) -> set[str]:
    below = set(BELOW[room])
    for lower in BELOW[room]:
        below |= allowed(lower)
    return below


def imports(file: Path) -> set[str]:
    """Rooms that a file imports, wherever in the file the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names if name.startswith("labsupport.")]
    return {part[1] for part in parts}


FILES = sorted(file for file in ROOT.rglob("*.py") if file.parent != ROOT)


def test_every_room_is_known() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in FILES} <= BELOW.keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_imports_only_its_own_room_and_those_below(file: Path) -> None:
    room = file.relative_to(ROOT).parts[0]
    assert imports(file) <= allowed(room) | {room}


def test_the_public_names_are_these_and_each_can_be_loaded() -> None:
    assert labsupport.__all__ == [
        "Cluster",
        "LabError",
        "Recording",
        "claims",
        "faults",
        "flights",
        "open_lab",
        "predict",
        "show",
    ]
    assert all(getattr(labsupport, name) is not None for name in labsupport.__all__)


@pytest.mark.parametrize("heavy", ["confluent_kafka", "kafka", "IPython", "anywidget", "plotly", "ipywidgets"])
def test_the_command_line_starts_without_heavy_libraries(heavy: str) -> None:
    code = f"import sys, labsupport, labsupport.cli, labsupport.cluster.supervisor; print({heavy!r} in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert result.stdout.strip() == "False"
