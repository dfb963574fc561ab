"""Where pictures and questions may be alive: one answer for all rooms."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from labsupport.core.notebook import in_kernel


@pytest.mark.parametrize(
    ("ipython", "answer"),
    [
        (SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object())), True),
        (SimpleNamespace(get_ipython=SimpleNamespace), False),  # IPython in a terminal
        (SimpleNamespace(get_ipython=lambda: None), False),  # imported by a program
        (SimpleNamespace(), False),  # half loaded
        (None, False),
    ],
)
def test_only_a_kernel_has_somebody_who_looks(monkeypatch: pytest.MonkeyPatch, ipython: object, answer: bool) -> None:
    monkeypatch.setitem(sys.modules, "IPython", ipython)  # type: ignore[arg-type]
    assert in_kernel() is answer


def test_asking_loads_nothing() -> None:
    """A program that shows a picture in a terminal need not wait for IPython."""
    code = "import sys; from labsupport.core.notebook import in_kernel; print(in_kernel(), 'IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
