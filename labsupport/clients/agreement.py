"""Whether all brokers tell the same of a topic."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace

from labsupport.clients.connection import Connection
from labsupport.clients.metadata import MetadataReader, NoAnswer
from labsupport.core.errors import WaitTimeout
from labsupport.core.escape import printable
from labsupport.core.wait import wait_until

ANSWER_WITHIN_S = 1.0

Leaders = dict[int, int | None]


def wait_for_agreement(connection: Connection, topic: str, timeout_s: float) -> bool:
    """Wait until all brokers that answer name the same leaders of a topic; False when they do not within `timeout_s`.

    A broker that was frozen, or is cut off, leads in its own eyes, and its log ends early: who reads from it misses
    what was written since.
    """
    with ExitStack() as undo:
        readers = []
        for server in connection.bootstrap_servers.split(","):
            reader = MetadataReader(replace(connection, bootstrap_servers=server), timeout_s=ANSWER_WITHIN_S)
            undo.callback(reader.close)
            readers.append(reader)
        try:
            because = f"all brokers to name the same leaders of {printable(topic)}"
            return wait_until(lambda: _agree(readers, topic), timeout_s, because=because)
        except WaitTimeout:
            return False


def _agree(readers: list[MetadataReader], topic: str) -> bool:
    told: list[Leaders] = []
    for reader in readers:
        with suppress(NoAnswer):
            told.append({number: info.leader for number, info in reader.read(topic).topics.get(topic, {}).items()})
    return bool(told) and all(leaders == told[0] for leaders in told)
