"""Fake clusters, a comm that keeps what is sent, and reading HTML of ours."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labsupport.core.wait import wait_until

from .fakes import HOSTILE, FakeBroker, FakeCluster

__all__ = ["HOSTILE", "FakeBroker", "FakeCluster", "FakeComm", "parse", "with_data", "words"]


@pytest.fixture
def make_cluster(tmp_path: Path) -> Iterator[Callable[..., FakeCluster]]:
    made: list[FakeCluster] = []

    def make(**arguments: Any) -> FakeCluster:
        made.append(FakeCluster(tmp_path, **arguments))
        return made[-1]

    yield make
    for cluster in made:
        for broker in cluster.brokers:
            broker.hold.set()
        cluster.close()


@pytest.fixture
def cluster(make_cluster: Callable[..., FakeCluster]) -> FakeCluster:
    return make_cluster()


class FakeComm:
    """Keeps what a widget sends to its page."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.kernel = object()
        self.comm_id = "fake"

    def open(self, **_: Any) -> None: ...

    def on_msg(self, _: Any) -> None: ...

    def on_close(self, _: Any) -> None: ...

    def close(self, **_: Any) -> None: ...

    def send(self, data: dict[str, Any], buffers: Any = None) -> None:
        self.sent.append(data)

    def customs(self) -> list[dict[str, Any]]:
        return [message["content"] for message in self.sent if message["method"] == "custom"]

    def updates(self) -> list[dict[str, Any]]:
        return [message["state"] for message in self.sent if message["method"] == "update"]

    def wait_for(self, what: str) -> dict[str, Any]:
        found: Callable[[], list[dict[str, Any]]] = lambda: [c for c in self.customs() if c["what"] == what]  # noqa: E731
        return wait_until(found, 10, because=f"the message {what!r}")[-1]


def parse(html: str) -> ET.Element:
    """HTML of ours is well-formed: whatever is not would be markup that broke out."""
    return ET.fromstring(f"<body>{html}</body>")


def words(root: ET.Element) -> str:
    """What a reader reads: the data of a replay is no text."""

    def parts(element: ET.Element) -> Iterator[str]:
        if element.tag != "script":
            yield element.text or ""
            for child in element:
                yield from parts(child)
                yield child.tail or ""

    return " ".join(" ".join(parts(root)).split())


def with_data(root: ET.Element, name: str) -> dict[str, ET.Element]:
    return {element.attrib[f"data-{name}"]: element for element in root.iter() if f"data-{name}" in element.attrib}
