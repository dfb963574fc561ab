"""Kafka's own producer, the one written in Java, for lessons on what *it* does (kafka-console-producer)."""

from __future__ import annotations

from collections.abc import Iterable

from labsupport.clients.connection import Connection
from labsupport.core.errors import BadInput
from labsupport.provision.tool_jvm import output_of


def send_lines(connection: Connection, topic: object, lines: Iterable[str], *, version: str) -> int:
    """Send each line as a record without a key, all settings at the tool's defaults; returns their number.

    They are acknowledged when it returns. Raises `BadInput` for a line that would become two records, `LabError` when
    the tool fails.
    """
    sent = list(lines)
    if any("\n" in line or "\r" in line for line in sent):
        raise BadInput("A line has a line break in it, and would become two records.", fix="Leave it out.")
    arguments = ["--bootstrap-server", connection.bootstrap_servers, "--topic", str(topic)]
    output_of("console-producer", arguments, version=version, typed="".join(f"{line}\n" for line in sent))
    return len(sent)
