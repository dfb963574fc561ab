"""Samples of what a cluster does, as often as the view has room for: rates and latencies, lag, CPU and memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from labsupport.clients.groups import GroupPosition
from labsupport.core.journal import Journal
from labsupport.observe.acknowledged import Window
from labsupport.observe.usage import Usage

TOPICS_LIMIT = 10  # those with the most sends
TOPICS_EVERY_S, NODES_EVERY_S, GROUPS_EVERY_S = 0.5, 1.0, 1.0
MEMORY_EVERY_S = 5.0  # it changes slowly, and to ask for it was the most expensive part of watching
TOPICS_BYTES_PER_S, NODES_BYTES_PER_S, GROUPS_BYTES_PER_S = 750, 480, 200
SAMPLE_BYTES = 72  # of a line, without its label


class TopicSampler:
    """Rates and latencies of the sends that were acknowledged since the sample before."""

    def __init__(self, journal: Journal, take: Callable[[], Mapping[str, Window]], *, t_s: float) -> None:
        self._journal, self._take = journal, take
        self._windows: dict[str, Window] = {}
        self._moving: set[str] = set()
        self._last_s = t_s

    def tick(self, t_s: float, *, last: bool = False) -> None:
        """Write what is due at `t_s`; with `last`, whatever was moving comes to a halt."""
        for topic, window in self._take().items():
            self._windows.setdefault(topic, Window()).add(window)
        chosen = self._busiest()
        every_s = spread(TOPICS_EVERY_S, TOPICS_BYTES_PER_S, [topic for topic in chosen for _ in range(4)])
        if not last and t_s - self._last_s < every_s * 0.9:
            return
        for topic in chosen:
            self._write(topic, self._windows.get(topic, Window()), max(t_s - self._last_s, 0.001), t_s)
        self._moving = {topic for topic in chosen if topic in self._windows}
        self._windows, self._last_s = {}, t_s
        if last and self._moving:
            self.tick(t_s, last=True)

    def _busiest(self) -> list[str]:
        """The topics with the most sends, and those whose last rate was no zero."""
        by_count = sorted(self._windows, key=lambda topic: self._windows[topic].count, reverse=True)[:TOPICS_LIMIT]
        return by_count + sorted(self._moving - set(by_count))

    def _write(self, topic: str, window: Window, span_s: float, t_s: float) -> None:
        self._journal.sample("records_per_s", round(window.count / span_s, 1), t_s=t_s, topic=topic)
        if window.latencies_s:
            latencies_s = sorted(window.latencies_s)
            for name, percent in (("latency_p50_ms", 50), ("latency_p99_ms", 99), ("latency_max_ms", 100)):
                value_ms = round(percentile(latencies_s, percent) * 1000, 2)
                self._journal.sample(name, value_ms, t_s=t_s, topic=topic)


class Measures(Protocol):
    """`usage.usage_of`, or a test's."""

    def __call__(self, pids: Mapping[str, int], *, memory: bool) -> Mapping[str, Usage]: ...


class NodeSampler:
    """CPU and memory of each process."""

    def __init__(self, journal: Journal, measure: Measures) -> None:
        self._journal, self._measure = journal, measure
        self._before: dict[tuple[str, int], tuple[float, float]] = {}
        self._last_s = self._memory_s = -math.inf

    def tick(self, pids: Mapping[str, int], t_s: float) -> None:
        """Write what is due at `t_s` of the processes that run."""
        if t_s - self._last_s < spread(NODES_EVERY_S, NODES_BYTES_PER_S, pids) * 0.9:
            return
        self._last_s = t_s
        memory = t_s - self._memory_s >= spread(MEMORY_EVERY_S, NODES_BYTES_PER_S, pids) * 0.9
        self._memory_s = t_s if memory else self._memory_s
        before, self._before = self._before, {}
        for node, usage in self._measure(pids, memory=memory).items():
            process = node, pids[node]
            if process in before:
                before_s, cpu_s = before[process]
                cores = max(0.0, usage.cpu_s - cpu_s) / max(t_s - before_s, 0.001)
                self._journal.sample("cpu_cores", round(cores, 3), t_s=t_s, node=node)
            if usage.memory_mb is not None:
                self._journal.sample("memory_mb", round(usage.memory_mb), t_s=t_s, node=node)
            self._before[process] = t_s, usage.cpu_s


class GroupSampler:
    """The lag of consumer groups."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._last_s = -math.inf

    def tick(self, positions: Sequence[GroupPosition], t_s: float) -> None:
        """Write what is due at `t_s`."""
        known = [position for position in positions if position.lag is not None]
        labels = [f'{position.group}","topic":"{position.topic}' for position in known]
        if t_s - self._last_s < spread(GROUPS_EVERY_S, GROUPS_BYTES_PER_S, labels) * 0.9:
            return
        self._last_s = t_s
        for position in known:
            assert position.lag is not None
            self._journal.sample("lag_records", position.lag, t_s=t_s, group=position.group, topic=position.topic)


def spread(every_s: float, bytes_per_s: float, labels: Iterable[str]) -> float:
    """How many seconds must lie between two rounds of samples with these labels, at least `every_s`."""
    return max(every_s, sum(SAMPLE_BYTES + len(label) for label in labels) / bytes_per_s)


def percentile(rising: Sequence[float], percent: float) -> float:
    """The value that `percent` per cent do not exceed."""
    return rising[max(0, math.ceil(len(rising) * percent / 100) - 1)]
