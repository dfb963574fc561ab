"""The chart: rates, latencies and lag over time, a panel a quantity; it grows by its new points alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.views import palette as colour
from labsupport.views.happened import Mark, Span, fault_marks, fault_spans
from labsupport.views.markup import shorten
from labsupport.views.story import Story

if TYPE_CHECKING:
    from labsupport.observe import Entry, Recording

USUAL = ("records_per_s", "latency_p50_ms", "latency_p99_ms", "lag_records")
MOST_SERIES = 12
MOST_POINTS = 2000  # of a series in a story: then of so many neighbours the highest stays
Point = tuple[int, float, float]  # number of the series, seconds, value


@dataclass(frozen=True)
class Panel:
    """A quantity with its unit. Tails are logarithmic; amounts begin at zero."""

    title: str
    log: bool = False


@dataclass(frozen=True)
class Series:
    """A line: in which panel, its name beside it, and how it is drawn."""

    panel: int
    label: str
    stroke: str
    dash: tuple[int, ...] = ()

    def payload(self) -> list[Any]:
        return [self.panel, self.label, self.stroke, list(self.dash)]


_RATES = Panel("acknowledged (records/s)")
_LATENCIES = Panel("latency from the intended send (ms)", log=True)
_LAG = Panel("lag (records)")
_KNOWN: dict[str, tuple[Panel, str, tuple[str, ...], str, tuple[int, ...]]] = {
    # name: panel, the words after the labels, the labels that name a line, its colour, its dash
    "records_per_s": (_RATES, "", ("topic",), colour.LEADER, ()),
    "latency_p50_ms": (_LATENCIES, "p50", ("topic",), colour.LEADER, ()),
    "latency_p99_ms": (_LATENCIES, "p99", ("topic",), colour.BROKEN, (6, 3)),
    "latency_max_ms": (_LATENCIES, "max", ("topic",), colour.OTHER, (2, 3)),
    "lag_records": (_LAG, "", ("group", "topic"), colour.FOLLOWER, ()),
    "cpu_cores": (Panel("CPU (cores)"), "", ("node",), colour.LEADER, ()),
    "memory_mb": (Panel("memory (MB)"), "", ("node",), colour.LEADER, ()),
}
_MORE = (  # the second, third, … line of a quantity
    (colour.OTHER, (8, 3)),
    (colour.FOLLOWER, (2, 2)),
    (colour.LEADER, (8, 3, 2, 3)),
    (colour.BROKEN, (4, 4)),
    (colour.GREY, ()),
)
_SKIPPED = {"t", "k", "name", "value"}


@dataclass
class ChartData:
    """What a chart holds so far; `take` gives it more. `wanted`: names of samples; none: the usual ones."""

    wanted: Sequence[str] = ()
    panels: list[Panel] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    events: list[Entry] = field(default_factory=list)
    last_t: float = 0.0
    _numbers: dict[tuple[object, ...], int] = field(default_factory=dict)
    _alike: Counter[str] = field(default_factory=Counter)  # lines of a name so far

    def take(self, entries: Iterable[Entry]) -> None:
        """Add what `entries` hold: samples that are wanted, and the faults."""
        names = set(self.wanted or USUAL)
        for entry in entries:
            t = float(entry["t"])
            self.last_t = max(self.last_t, t)
            if entry["k"] == "event":
                if str(entry.get("what")).startswith("fault "):
                    self.events.append(entry)
            elif entry["k"] == "sample" and entry["name"] in names and entry["value"] is not None:
                number = self._number(entry)
                if number is not None:
                    self.points.append((number, round(t, 2), float(f"{float(entry['value']):.4g}")))

    def faults(self) -> list[Span]:
        """The faults so far; one that lasts goes as far as the chart."""
        return fault_spans(sorted(self.events, key=lambda event: float(event["t"])), self.last_t)

    def marks(self) -> list[Mark]:
        """Where faults began and were healed."""
        return sorted(fault_marks(self.events), key=lambda mark: mark.t)

    def values(self, number: int) -> tuple[list[float], list[float]]:
        """Times and values of a series in the order of time."""
        own = sorted((t, value) for n, t, value in self.points if n == number)
        return [t for t, _ in own], [value for _, value in own]

    def payload(self) -> dict[str, Any]:
        """All of it, as the page draws it."""
        return {
            "panels": [[panel.title, panel.log] for panel in self.panels],
            "series": [series.payload() for series in self.series],
            "values": [[list(column) for column in _fewer(*self.values(n))] for n in range(len(self.series))],
            "count": len(self.points),
            "shades": [[span.begin, span.end, span.what] for span in self.faults()],
            "last": round(self.last_t, 2),
        }

    def since(self, points: int, series: int) -> dict[str, Any]:
        """What came after so many points and series; small, since it holds nothing else."""
        more: dict[str, Any] = {"what": "more", "from": points, "points": self.points[points:]}
        if series < len(self.series):
            more["panels"] = [[panel.title, panel.log] for panel in self.panels]
            more["lines"] = series
            more["series"] = [one.payload() for one in self.series[series:]]
        return more

    def _number(self, entry: Entry) -> int | None:
        """Which line the sample belongs to; None when there are too many."""
        name = str(entry["name"])
        labels = tuple(sorted((k, str(v)) for k, v in entry.items() if k not in _SKIPPED))
        key = (name, *labels)
        if key not in self._numbers:
            if len(self.series) >= MOST_SERIES:
                return None
            self._numbers[key] = len(self.series)
            self.series.append(self._new_series(name, dict(labels)))
        return self._numbers[key]

    def _new_series(self, name: str, labels: dict[str, str]) -> Series:
        panel, words, wanted, stroke, dash = _KNOWN.get(
            name, (Panel(printable(name, limit=60)), "", tuple(sorted(labels)), colour.LEADER, ())
        )
        if panel not in self.panels:
            self.panels.append(panel)
        number = self.panels.index(panel)
        named = " ".join([*(labels.get(label, "") for label in wanted), words]).strip()
        alike = self._alike[name]
        self._alike[name] += 1
        if alike:
            stroke, dash = _MORE[(alike - 1) % len(_MORE)]
        return Series(number, shorten(named or name, 18), stroke, dash)


def _fewer(times: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """Of a long series the highest of each few neighbours, so that no peak is lost."""
    step = -(-len(times) // MOST_POINTS) if times else 1
    if step == 1:
        return times, values
    best = [max(range(at, min(at + step, len(times))), key=lambda n: values[n]) for at in range(0, len(times), step)]
    return [times[n] for n in best], [values[n] for n in best]


def chart_data(recording: Recording, names: Sequence[str]) -> ChartData:
    """What a chart of the Recording's samples `names` holds so far. Raises `LabError` when the file is damaged."""
    held = ChartData(names)
    held.take(recording.entries(kinds={"event", "sample"}))
    return held


def require(held: ChartData, recording: Recording) -> None:
    """Raises `BadInput` when there is nothing to draw and nothing will come, or the names name nothing there is."""
    if held.series:
        return
    seen = sorted({str(entry["name"]) for entry in recording.entries(kinds={"sample"})})
    there = f"There are: {', '.join(printable(name, limit=60) for name in seen)}." if seen else "It holds no samples."
    wanted = ", ".join(printable(name, limit=60) for name in held.wanted or USUAL)
    raise BadInput(f"The recording has no samples of {wanted}.", fix=there)


def caption(held: ChartData) -> str:
    """What the lines say, in words: the last and the highest value of each."""
    said = []
    for number, series in enumerate(held.series):
        _, values = held.values(number)
        if values:
            title = held.panels[series.panel].title
            said.append(f"{title}, {series.label}: last {values[-1]:,.10g}, highest {max(values):,.10g}.")
    return " ".join(said)


def plain(held: ChartData) -> str:
    """Which lines there are; their values differ from run to run."""
    lines = [f"{held.panels[series.panel].title}: {series.label}" for series in held.series]
    return "\n".join(["chart", *(f"  {line}" for line in sorted(lines))])


def story_of(held: ChartData, title: str) -> Story:
    """The chart as a story."""
    begin = min((t for _, t, _ in held.points), default=0.0)
    return Story(
        kind="chart",
        title=title,
        begin=begin,
        end=max(held.last_t, begin + 1),
        marks=[mark for mark in held.marks() if mark.t >= begin],
        faults=[span for span in held.faults() if span.end > begin],
        caption=caption(held),
        drawing=held.payload(),
    )
