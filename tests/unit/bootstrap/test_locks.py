"""The locks hold what the design pins. That they resolve everywhere is tested in tests/setup (it asks the registry)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = {name: (ROOT / name).read_text() for name in ("requirements.lock", "requirements-dev.lock")}


def pins(text: str) -> dict[str, set[str]]:
    """Versions by package; a universal lock may have several, for different Pythons."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^ ;\\]+)", text):
        found.setdefault(name, set()).add(version)
    return found


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


@pytest.mark.parametrize("lock", LOCKS)
class TestEachLock:
    def test_pins_every_package_by_hash(self, lock: str) -> None:
        """No line without a version, no version without a SHA-256."""
        blocks = re.findall(r"(?m)^(?=[A-Za-z0-9])(?:.*\\\n)*.*$", LOCKS[lock])
        assert len(blocks) > 80
        assert [block.split()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block] == []

    def test_names_no_index(self, lock: str) -> None:
        """Each user's own registry or mirror is used."""
        assert not re.search(r"://|--(extra-)?index-url|--find-links|^-i\b", LOCKS[lock], flags=re.MULTILINE)

    def test_holds_the_kernel_whose_buttons_work_while_a_cell_runs(self, lock: str) -> None:
        """ipykernel 7.4.0 routes a widget's message to the shell that created it."""
        assert pins(LOCKS[lock])["ipykernel"] == {"7.3.0"}

    def test_is_above_known_vulnerabilities(self, lock: str) -> None:
        """The floors of the design."""
        for package, floor in {"jupyterlab": (4, 6, 6), "jupyter-server": (2, 21, 1)}.items():
            assert min(release(version) for version in pins(LOCKS[lock])[package]) >= floor

    def test_has_what_set_up_itself_needs(self, lock: str) -> None:
        """uv installs, and setuptools installs the project without fetching anything unpinned."""
        assert {"uv", "setuptools"} <= pins(LOCKS[lock]).keys()

    def test_is_for_all_platforms(self, lock: str) -> None:
        """A lock compiled for Linux alone breaks every Mac."""
        assert re.search(r"(?m)^appnope==.*sys_platform == 'darwin'", LOCKS[lock])


def test_maintainers_have_what_learners_have() -> None:
    """Every pin of the learner's lock is in the other one too, else tests would test something else."""
    learner, maintainer = (pins(LOCKS[name]) for name in ("requirements.lock", "requirements-dev.lock"))
    assert {name: versions for name, versions in learner.items() if maintainer.get(name) != versions} == {}
