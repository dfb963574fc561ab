"""Which port-forwards have lost their connection without ending, as their own words tell.

On a busy machine kubectl can be left with a connection to Kubernetes that is dead: it goes on to listen, and says of
each client that it has no stream for it. Only another kubectl helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from labsupport.cluster.kubernetes.names import forward_of

LOST = (b"rror creating error stream", b"rror creating forwarding stream")  # begins small or large, by version
MOST_READ = 64 * 1024


class Forwards:
    """Reads what each port-forward has written since the last look."""

    def __init__(self, folder: Path, nodes: Sequence[str]) -> None:
        self._files = {forward: folder / f"{forward}.log" for forward in map(forward_of, nodes)}
        self._read: dict[str, int] = {}

    def lost(self) -> list[str]:
        """The port-forwards that have said so."""
        news = {forward: self._news(forward) for forward in self._files}
        return [forward for forward, text in news.items() if any(words in text for words in LOST)]

    def _news(self, forward: str) -> bytes:
        try:
            with self._files[forward].open("rb") as log:
                size = log.seek(0, 2)
                log.seek(max(min(self._read.get(forward, 0), size), size - MOST_READ))
                self._read[forward] = size
                return log.read()
        except OSError:  # it has written nothing yet
            return b""
