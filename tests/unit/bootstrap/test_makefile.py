"""The Makefile explains itself, and works with GNU make 3.81 (macOS)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text()
RULES = re.findall(r"(?m)^([a-z-]+):", MAKEFILE)

NEWER_THAN_3_81 = {
    ".ONESHELL (3.82)": r"^\.ONESHELL",
    ".RECIPEPREFIX (3.82)": r"^\.RECIPEPREFIX",
    "undefine (3.82)": r"^undefine\b",
    "private (3.82)": r"^\s*private\b",
    "shell assignment (4.0)": r"!=",
    "::= (4.0)": r"::=",
    "$(file) (4.0)": r"\$\(file\b",
    "$(guile) (4.0)": r"\$\(guile\b",
    ".SHELLSTATUS (4.2)": r"\.SHELLSTATUS",
    "grouped targets (4.3)": r"^[^\t#].*&:",
    "$(let) (4.4)": r"\$\(let\b",
    "$(intcmp) (4.4)": r"\$\(intcmp\b",
}


@pytest.mark.parametrize("construct", NEWER_THAN_3_81)
def test_nothing_newer_than_make_3_81_is_used(construct: str) -> None:
    """What came after 3.81 would be ignored silently, or stop macOS's make."""
    code = "\n".join(line for line in MAKEFILE.splitlines() if not line.startswith("#"))
    assert not re.search(NEWER_THAN_3_81[construct], code, flags=re.MULTILINE)


def test_the_search_for_newer_constructs_finds_them() -> None:
    """The test above can fail."""
    newer = ".ONESHELL:\nx != date\na b &: c\n\techo\n"
    found = [name for name, pattern in NEWER_THAN_3_81.items() if re.search(pattern, newer, flags=re.MULTILINE)]
    assert found == [".ONESHELL (3.82)", "shell assignment (4.0)", "grouped targets (4.3)"]


def test_make_alone_lists_the_targets() -> None:
    """One line each, with what it is for."""
    run = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"(?m)^  make ([\w-]+) +\S.*$", run.stdout)
    assert listed == [rule for rule in RULES if rule != "help"]
    assert {"lab", "test", "lint", "bench", "soak", "lock", "reset", "clean"} <= set(listed)


def test_every_target_is_a_command_and_no_file() -> None:
    """A file or folder named `test` or `lab` must not keep a target from running."""
    phony = re.search(r"(?m)^\.PHONY: (.*)$", MAKEFILE)
    assert phony is not None
    assert set(phony[1].split()) == set(RULES)


def test_recipes_do_not_depend_on_the_path_of_the_checkout() -> None:
    """A path with spaces breaks $(CURDIR), $(MAKEFILE_LIST) and their like."""
    assert not re.search(r"CURDIR|MAKEFILE_LIST|\$\(PWD\)|\$\(abspath|\$\(realpath", MAKEFILE)
