"""What was acknowledged since somebody last asked, by topic: the source of rates and latencies."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

LATENCIES_LIMIT = 50_000  # of a topic, the newest, while nobody asks


@dataclass
class Window:
    """Sends to a topic that were acknowledged in some span of time, and how long each took, in seconds."""

    count: int = 0
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_LIMIT))

    def add(self, other: Window) -> None:
        """Make the span longer."""
        self.count += other.count
        self.latencies_s.extend(other.latencies_s)


class Acknowledged:
    """Counts for ever, and collects until somebody takes. Writers and takers hold the same lock."""

    def __init__(self) -> None:
        self.by_topic: Counter[str] = Counter()
        self._windows: dict[str, Window] = {}

    def note(self, topic: str, latency_s: float | None) -> None:
        """One send more; `latency_s` is None when it is not known when it was due."""
        self.by_topic[topic] += 1
        window = self._windows.get(topic)
        if window is None:
            window = self._windows[topic] = Window()
        window.count += 1
        if latency_s is not None:
            window.latencies_s.append(latency_s)

    def take(self) -> dict[str, Window]:
        """What was acknowledged since the last call."""
        taken, self._windows = self._windows, {}
        return taken
