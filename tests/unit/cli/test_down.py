"""`down` takes back what a lab changed beyond its cluster, and ends the cluster whatever comes of that."""

from __future__ import annotations

from typing import Any

import pytest

from labsupport.cli import main
from labsupport.cluster import registry, supervised
from labsupport.core.errors import LabError
from labsupport.teaching import lab


@pytest.mark.parametrize("trouble", [None, "Nobody answers at 127.0.0.1:1."])
def test_first_the_lab_then_its_cluster(
    trouble: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be taken back is said, and stops nothing."""
    done: list[str] = []

    class FakeSupervised:
        def __init__(self, name: str, _: Any) -> None:
            self.name = name

        def shutdown(self) -> None:
            done.append(f"end {self.name}")

    def tidy_up_after(name: str) -> None:
        done.append(f"tidy up after {name}")
        if trouble:
            raise LabError(trouble)

    monkeypatch.setattr(registry, "find", lambda name: {"name": name, "folder": "/nowhere"})
    monkeypatch.setattr(supervised, "Supervised", FakeSupervised)
    monkeypatch.setattr(lab, "tidy_up_after", tidy_up_after)
    assert main(["down", "lab-drain"]) == 0
    assert done == ["tidy up after lab-drain", "end lab-drain"]
    said = capsys.readouterr()
    assert "lab-drain is stopped" in said.out
    assert (trouble or "") in said.err and bool(said.err) is (trouble is not None)
