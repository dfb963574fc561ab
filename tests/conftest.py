"""Every test runs in folders of its own; only the cache of downloads is the user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Set when this file is imported, since some modules look at their folder early. Short: socket paths are.
_ROOT = Path(tempfile.mkdtemp(prefix="klt-"))
for _variable, _name in (("KAFKA_LAB_RUNTIME", "run"), ("KAFKA_LAB_STATE", "state")):
    os.environ[_variable] = str(_ROOT / _name)


@pytest.fixture(scope="session", autouse=True)
def _folders_are_removed() -> Iterator[None]:
    yield
    shutil.rmtree(_ROOT, ignore_errors=True)
