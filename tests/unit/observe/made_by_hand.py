"""What the tests of `observe` are fed with: recordings made by hand."""

from __future__ import annotations

from pathlib import Path

from labsupport.observe import Recording

VERSION_1 = Path(__file__).parent / "version-1.jsonl"
VERSION_2 = Path(__file__).parent / "version-2.view.jsonl"  # its history lies beside it


def new_recording(folder: Path, name: str = "demo") -> Recording:
    """A Recording of three brokers and a ZooKeeper server."""
    return Recording.create(
        name=name,
        coordination="zookeeper",
        version="3.9.2",
        brokers=[1, 2, 3],
        coordinators=["zookeeper-1"],
        folder=folder,
    )
