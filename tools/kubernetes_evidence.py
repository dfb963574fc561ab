"""Whether what the Kubernetes suite covers is still what it last ran on. Needs nothing but Python and git.

The suite needs a real cluster, which not every machine can have; so its results are kept in docs/evidence/, with a
digest of all files that it covers. Whoever changes one of these runs `make kubernetes-test` again.

    python tools/kubernetes_evidence.py digest    print the digest of this checkout
    python tools/kubernetes_evidence.py check     exit with 1 when there is no evidence for this checkout, and say why
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = "docs/evidence/kubernetes-*.txt"
COVERED = (
    "deploy",
    "testbed",
    "labsupport/cluster",
    "labsupport/faults",
    "tests/cluster/conftest.py",
    "tests/cluster/test_contract.py",
    "tests/kubernetes",
    "notebooks/10-*",
    "notebooks/13-*",
    "labs/unreachable-broker",
    "labs/pending-broker",
    "labs/blocked-drain",
)
COVERED_LINE, RESULT_LINE, PASSED = "covered: ", "result: ", "passed"
AGAIN = "Run `make kubernetes-test` and commit what it writes."


def digest(root: Path = ROOT) -> str:
    """SHA-256 over names and contents of all tracked files that the suite covers, as they lie in the checkout."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--", *COVERED], capture_output=True, text=True, check=True
    )
    whole = hashlib.sha256()
    for name in sorted(filter(None, listed.stdout.split("\0"))):
        path = root / name
        content = path.read_bytes() if path.is_file() else b""  # deleted, and not committed yet
        whole.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()


def complaint(root: Path = ROOT) -> str:
    """What is wrong with the newest evidence; "" if it is of this checkout and good."""
    kept = sorted(root.glob(EVIDENCE))
    if not kept:
        return f"There is no {EVIDENCE}. {AGAIN}"
    newest = kept[-1]
    lines = newest.read_text(encoding="utf-8").splitlines()
    result = _last(lines, RESULT_LINE)
    if result != PASSED:
        return f"{newest.name} says that the suite did not pass ({result or 'no result'}). {AGAIN}"
    if _last(lines, COVERED_LINE) != digest(root):
        return f"What the Kubernetes suite covers has changed since {newest.name}. {AGAIN}"
    return ""


def _last(lines: list[str], word: str) -> str:
    found = [line.removeprefix(word).strip() for line in lines if line.startswith(word)]
    return found[-1] if found else ""


def main(arguments: list[str]) -> int:
    if arguments == ["digest"]:
        print(digest())
        return 0
    if arguments != ["check"]:
        print(__doc__, file=sys.stderr)
        return 2
    wrong = complaint()
    print(wrong or "The Kubernetes suite ran on what is in this checkout.", file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
