"""In IPython our objects draw themselves, and a user's mistake shows two sentences."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from labsupport.core.errors import LabError
from labsupport.core.finding import Finding, Outcome
from labsupport.views.formatters import FORMATTERS, install_formatters, two_sentences

from .conftest import HOSTILE, FakeCluster


@pytest.fixture
def shell() -> Iterator[Any]:
    made = InteractiveShell.instance()
    install_formatters()
    yield made
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(("module", "name"), FORMATTERS)
def test_every_formatter_names_a_class_that_exists(module: str, name: str) -> None:
    """Formatters are registered by name; a class that moves would silently lose its picture."""
    assert getattr(importlib.import_module(module), name).__module__ == module


def test_objects_draw_themselves(shell: Any, cluster: FakeCluster) -> None:
    """A value of a lower room shows HTML and text, always both."""
    found = Finding(outcome=Outcome.SOLVED, should="all is well")
    for value in (found, cluster.recording):
        data, _ = shell.display_formatter.format(value)
        assert set(data) == {"text/plain", "text/html"}


def test_a_lab_error_shows_its_two_sentences(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback; the cell has failed all the same."""
    result = shell.run_cell(
        "from labsupport.core.errors import BadInput; raise BadInput('No broker 7.', fix='Take 1.')"
    )
    assert isinstance(result.error_in_exec, LabError)
    shown = "".join(capsys.readouterr())
    assert "No broker 7." in shown and "Take 1." in shown
    assert "Traceback" not in shown and "raise BadInput" not in shown


def test_another_error_keeps_its_traceback(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake of ours is ours to find."""
    shell.run_cell("1 / 0")
    assert "ZeroDivisionError" in "".join(capsys.readouterr())


def test_the_text_of_an_error_cannot_steer_a_terminal() -> None:
    """Error texts of brokers end up in ours; the end of a log keeps its lines."""
    lines = two_sentences(LabError(f"It failed.\nlog line\n{HOSTILE}", fix="Try\nagain."))
    assert [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in lines][:2] == ["It failed.", "log line"]
    assert "\x1b" not in "".join(lines[1:])
    assert lines[-2:] == ["Try", "again."]


def test_outside_ipython_it_does_nothing() -> None:
    """A script or the command line neither needs IPython nor gets it."""
    code = (
        "from labsupport.views import install_formatters; install_formatters();"
        "import sys; print([m for m in ('anywidget', 'ipywidgets', 'plotly') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
