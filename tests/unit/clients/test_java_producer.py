"""Lines for Kafka's own producer: what cannot be one record each is refused before anything is started."""

from __future__ import annotations

from typing import Any

import pytest

from labsupport.clients import java_producer
from labsupport.clients.connection import Connection
from labsupport.core.errors import BadInput

CONNECTION = Connection(bootstrap_servers="h:1")


def test_lines_go_to_the_console_producer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line a record, the tool's own settings."""
    called: list[Any] = []
    monkeypatch.setattr(java_producer, "output_of", lambda name, words, **more: called.append((name, words, more)))
    assert java_producer.send_lines(CONNECTION, "flights", iter(["0 a", "1 b"]), version="4.3.1") == 2
    arguments = ["--bootstrap-server", "h:1", "--topic", "flights"]
    assert called == [("console-producer", arguments, {"version": "4.3.1", "typed": "0 a\n1 b\n"})]


@pytest.mark.parametrize("line", ["a\nb", "a\r", "\n"])
def test_a_line_break_is_refused(line: str) -> None:
    with pytest.raises(BadInput, match="would become two records"):
        java_producer.send_lines(CONNECTION, "flights", [line], version="4.3.1")
