"""What all benchmarks share: both sides in turn, medians and ranges, a Markdown table with the machine under it."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One quantity, measured on both sides round by round. `goal` says which ratio was aimed at ("<= 0.33")."""

    name: str
    ours: Sequence[float]
    plain: Sequence[float]
    goal: str = ""

    @property
    def ratio(self) -> float:
        """Median of ours over median of plain."""
        plain = statistics.median(self.plain)
        return statistics.median(self.ours) / plain if plain else float("nan")


def interleaved(sides: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Run all sides in each round, so that whatever else the machine does befalls them alike.

    Every second round runs them the other way round. Progress goes to standard error.
    """
    readings: dict[str, list[T]] = {side: [] for side in sides}
    for round_ in range(rounds):
        order = list(sides) if round_ % 2 == 0 else list(sides)[::-1]
        for side in order:
            print(f"round {round_ + 1} of {rounds}: {side}", file=sys.stderr, flush=True)
            readings[side].append(sides[side]())
    return readings


def compare(name: str, sides: Mapping[str, Callable[[], object]], rounds: int, *, goal: str = "") -> list[Row]:
    """Wall and CPU seconds of `sides["ours"]` and `sides["plain"]`, children that have ended included."""
    readings = interleaved({side: _timed(run) for side, run in sides.items()}, rounds)
    rows = []
    for index, unit in enumerate(("s", "CPU s")):
        ours, plain = ([reading[index] for reading in readings[side]] for side in ("ours", "plain"))
        rows.append(Row(f"{name}, {unit}", ours, plain, goal if index == 0 else ""))
    return rows


def _timed(run: Callable[[], object]) -> Callable[[], tuple[float, float]]:
    def timed() -> tuple[float, float]:
        wall_s, cpu_s = time.perf_counter(), cpu_seconds()
        run()
        return time.perf_counter() - wall_s, cpu_seconds() - cpu_s

    return timed


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def pss_mb(process: psutil.Process) -> float:
    """Shared pages (the start-up archive, the libraries) count in parts; the resident size counts them each time."""
    return float(process.memory_full_info().pss) / 2**20


def print_table(rows: Sequence[Row]) -> None:
    """Print the rows as a Markdown table, with the date and the machine below."""
    print("| what | ours: median (range) | plain: median (range) | ratio | goal |")
    print("| --- | --- | --- | --- | --- |")
    for row in rows:
        print(f"| {row.name} | {_spread(row.ours)} | {_spread(row.plain)} | **{_ratio(row.ratio)}** | {row.goal} |")
    rounds = max((len(row.ours) for row in rows), default=0)
    print(f"\n{rounds} rounds, both sides in turn. {machine()}", flush=True)


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"


def _spread(values: Sequence[float]) -> str:
    return f"{_figure(statistics.median(values))} ({_figure(min(values))} to {_figure(max(values))})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def machine() -> str:
    """Date, processor, memory, system, and how busy the machine was in the last minute."""
    memory_gb = psutil.virtual_memory().total / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores of {_processor()}, {memory_gb:.0f} GB; "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}; "
        f"load average {os.getloadavg()[0]:.1f}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
