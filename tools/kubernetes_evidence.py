"""Whether what the Kubernetes suite covers is still what it last ran on. Needs nothing but Python and git.

The suite needs a real cluster, which not every machine can have; so its results are kept in docs/evidence/, a file a
part, with a digest of all files that the part covers. Whoever changes one of these runs `make kubernetes-test` again,
or that part of it: `make kubernetes-test ARGS=labs`.

    python tools/kubernetes_evidence.py digest PART    print the digest of this checkout
    python tools/kubernetes_evidence.py check          exit with 1 when evidence is missing, and say which and why
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = "docs/evidence"
COVERED_LINE, RESULT_LINE, PASSED = "covered: ", "result: ", "passed"
# What decides where a test runs is among them: without it a suite could be green that ran nothing.
BACKEND = ("deploy", "testbed", "labsupport/cluster", "labsupport/faults", "tests/backends.py")
# What only pages and labs about Kubernetes use.
SHOWN = (
    "labsupport/observe/node_loss.py",
    "labsupport/teaching/pods.py",
    "labsupport/views/pods.py",
    "labsupport/views/volumes.py",
)


@dataclass(frozen=True)
class Part:
    """Of the suite: the folders of its tests, and the paths on which their results depend."""

    tests: tuple[str, ...]
    covers: tuple[str, ...]


PARTS = {
    "testbed": Part(("testbed",), ("testbed", "tests/testbed", "deploy/kind.yaml")),
    "backend": Part(
        ("kubernetes", "cluster"),
        (
            *BACKEND,
            "labsupport/cli/kubernetes.py",
            "tests/kubernetes",
            "tests/cluster/conftest.py",
            "tests/cluster/test_contract.py",
        ),
    ),
    "pages": Part(("notebooks",), (*BACKEND, *SHOWN, "notebooks/00-*", "notebooks/10-*", "notebooks/13-*")),
    "labs": Part(("labs",), (*BACKEND, *SHOWN, "labs/unreachable-broker", "labs/pending-broker", "labs/blocked-drain")),
}


def digest(part: str, root: Path = ROOT) -> str:
    """SHA-256 over names and contents of all tracked files that a part covers, as they lie in the checkout."""
    covers = PARTS[part].covers
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--", *covers], capture_output=True, text=True, check=True
    )
    whole = hashlib.sha256()
    for name in sorted(filter(None, listed.stdout.split("\0"))):
        path = root / name
        content = path.read_bytes() if path.is_file() else b""  # deleted, and not committed yet
        whole.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()


def complaint(part: str, root: Path = ROOT) -> str:
    """What is wrong with the newest evidence of a part; "" if it is of this checkout and good."""
    again = f"Run `make kubernetes-test ARGS={part}` and commit what it writes."
    kept = sorted((root / EVIDENCE).glob(f"kubernetes-{part}-*.txt"))
    if not kept:
        return f"There is no {EVIDENCE}/kubernetes-{part}-*.txt. {again}"
    newest = kept[-1]
    lines = newest.read_text(encoding="utf-8").splitlines()
    result = _last(lines, RESULT_LINE)
    if result != PASSED:
        return f"{newest.name} says that the suite did not pass ({result or 'no result'}). {again}"
    if _last(lines, COVERED_LINE) != digest(part, root):
        return f"What the Kubernetes suite covers has changed since {newest.name}. {again}"
    return ""


def _last(lines: list[str], word: str) -> str:
    found = [line.removeprefix(word).strip() for line in lines if line.startswith(word)]
    return found[-1] if found else ""


def main(arguments: list[str]) -> int:
    if len(arguments) == 2 and arguments[0] == "digest" and arguments[1] in PARTS:
        print(digest(arguments[1]))
        return 0
    if arguments != ["check"]:
        print(__doc__, file=sys.stderr)
        return 2
    wrong = list(filter(None, map(complaint, PARTS)))
    words = "\n".join(wrong) or "The Kubernetes suite ran on what is in this checkout."
    print(words, file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
