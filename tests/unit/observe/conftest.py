"""What the tests of `observe` share: a new Recording in a folder of its own, or several in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labsupport.observe import Recording
from tests.unit.observe.made_by_hand import new_recording


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    """A Recording that is being written."""
    with new_recording(tmp_path) as new:
        yield new


@pytest.fixture
def record_in(tmp_path: Path) -> Iterator[Callable[[str], Recording]]:
    """Begin more Recordings, in one folder."""
    begun: list[Recording] = []

    def begin(name: str) -> Recording:
        begun.append(new_recording(tmp_path, name))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()
