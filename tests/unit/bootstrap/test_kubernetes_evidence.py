"""CI must notice when the Kubernetes suite has not run on what is in the checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))
import kubernetes_evidence as evidence

PART = "backend"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one covered and one other file."""
    for name in ("deploy/broker.yaml", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"this is {name}\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    (tmp_path / "docs" / "evidence").mkdir(parents=True)
    return tmp_path


def keep(checkout: Path, result: str, *, name: str = "kubernetes-backend-2026-11-26-120000.txt") -> None:
    """Evidence for the checkout as it is."""
    text = f"make kubernetes-test\ncovered: {evidence.digest(PART, checkout)}\n1 passed\nresult: {result}\n"
    (checkout / "docs" / "evidence" / name).write_text(text)


def test_evidence_of_this_checkout_is_enough(checkout: Path) -> None:
    keep(checkout, "passed")
    assert evidence.complaint(PART, checkout) == ""


def test_without_any_evidence_it_complains(checkout: Path) -> None:
    assert "There is no docs/evidence/kubernetes-backend-" in evidence.complaint(PART, checkout)


def test_a_covered_file_that_changed_is_noticed_committed_or_not(checkout: Path) -> None:
    keep(checkout, "passed")
    (checkout / "deploy" / "broker.yaml").write_text("other\n")
    assert "has changed since kubernetes-backend-2026-11-26-120000.txt" in evidence.complaint(PART, checkout)


def test_a_covered_file_that_is_new_or_gone_is_noticed(checkout: Path) -> None:
    keep(checkout, "passed")
    (checkout / "deploy" / "new.yaml").write_text("new\n")
    subprocess.run(["git", "-C", checkout, "add", "deploy/new.yaml"], check=True)
    assert "has changed" in evidence.complaint(PART, checkout)
    keep(checkout, "passed")
    (checkout / "deploy" / "broker.yaml").unlink()
    assert "has changed" in evidence.complaint(PART, checkout)


def test_another_file_may_change(checkout: Path) -> None:
    keep(checkout, "passed")
    (checkout / "README.md").write_text("other\n")
    assert evidence.complaint(PART, checkout) == ""


def test_a_suite_that_failed_or_was_cut_off_is_no_evidence(checkout: Path) -> None:
    keep(checkout, "failed, exit code 1")
    assert "did not pass (failed, exit code 1)" in evidence.complaint(PART, checkout)
    keep(checkout, "")
    assert "did not pass (no result)" in evidence.complaint(PART, checkout)


def test_the_newest_evidence_counts(checkout: Path) -> None:
    keep(checkout, "passed")
    keep(checkout, "failed, exit code 1", name="kubernetes-backend-2026-11-27-080000.txt")
    assert "kubernetes-backend-2026-11-27-080000.txt" in evidence.complaint(PART, checkout)


def test_each_part_has_evidence_of_its_own(checkout: Path) -> None:
    keep(checkout, "passed")
    assert evidence.complaint("backend", checkout) == ""
    assert "kubernetes-labs-" in evidence.complaint("labs", checkout)
