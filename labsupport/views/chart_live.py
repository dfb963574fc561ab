"""The live chart: a widget that is sent its new points, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from labsupport.views import kernel
from labsupport.views.chart import ChartData, story_of
from labsupport.views.display import Display
from labsupport.views.live import Ticker

TICK_S = 0.25


class MovingChart(Display):
    """A chart of a running cluster; when that has closed it is a replay of all of it."""

    def __init__(self, recording: Any, held: ChartData, drawn: Display) -> None:
        super().__init__(drawn.value, drawn.still, repr(drawn), story=drawn.story)
        self._recording, self._held = recording, held
        self._lock = threading.Lock()
        self._sent = (0, 0)  # points and series that every page has been sent
        self._follower: Any = None
        self._ticker: Ticker | None = None
        self._shades: list[list[object]] = []

    def _live(self, story: Any) -> Any:
        if self._widget is None:
            self._follower = self._recording.follow(kinds={"event", "sample"})
            self._held = ChartData(self._held.wanted)
            self._held.take(self._follower.poll())
            self._sent = (len(self._held.points), len(self._held.series))
            self._widget = kernel.chart_widget()(plan=self._held.payload())
            self._widget.on_msg(self._hear)
            key = (id(self._recording), "chart", tuple(self._held.wanted))
            self._ticker = Ticker(key, self._widget, tick=self.tick, closed=self._closed, every_s=TICK_S)
        return self._widget

    def _closed(self) -> bool:
        return bool(self._recording.closed)

    def tick(self) -> None:
        """Send what is new; nothing when nothing is."""
        closed = self._closed()
        with self._lock:
            self._held.take(self._follower.poll())
            more = self._held.since(*self._sent)
            shades = [[span.begin, span.end, span.what] for span in self._held.faults()]
            news = bool(more["points"])
            if [shade[::2] for shade in shades] != [shade[::2] for shade in self._shades]:
                more["shades"], news = shades, True
                self._shades = shades
            if news:
                self._sent = (len(self._held.points), len(self._held.series))
                self._widget.send(more)
        if closed:
            self._follower.close()
            self._widget.story = story_of(self._held, "rates, latency, lag").alone()

    def _hear(self, _widget: object, content: object, _buffers: object) -> None:
        """A page that has just drawn the plan says how many points it has."""
        if not isinstance(content, Mapping) or content.get("do") != "hello":
            return
        points, series = content.get("points"), content.get("series")
        if isinstance(points, int) and isinstance(series, int) and points >= 0 and series >= 0:
            with self._lock:
                self._widget.send(self._held.since(points, series))
