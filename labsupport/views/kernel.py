"""Where a kernel runs, a picture is a widget as well; the classes are made when the first one is shown."""

from __future__ import annotations

from functools import cache
from typing import Any

from labsupport.views import assets

VIEW = "application/vnd.jupyter.widget-view+json"


def view_of(widget: Any) -> dict[str, Any]:
    """What a mimebundle says of a widget."""
    return {VIEW: {"version_major": 2, "version_minor": 1, "model_id": widget.model_id}}


@cache
def map_widget() -> type[Any]:
    """The live map: `now` is the only part that moves often."""
    import anywidget
    import traitlets

    class MapWidget(anywidget.AnyWidget):
        _esm = assets.module("map_widget.js")
        _css = assets.style()
        plan = traitlets.Dict().tag(sync=True)
        now = traitlets.Dict().tag(sync=True)
        note = traitlets.Unicode().tag(sync=True)
        ended = traitlets.Unicode().tag(sync=True)

    return MapWidget


@cache
def replay_widget(*, charts: bool = False) -> type[Any]:
    """A story with its scrubber; it asks the kernel for nothing. `charts`: with uPlot, which the others do without."""
    import anywidget
    import traitlets

    class ReplayWidget(anywidget.AnyWidget):
        _esm = assets.with_uplot(assets.module("replay_widget.js")) if charts else assets.module("replay_widget.js")
        _css = assets.style()
        kind = traitlets.Unicode().tag(sync=True)
        story = traitlets.Dict().tag(sync=True)

    return ReplayWidget


@cache
def live_widget() -> type[Any]:
    """A picture that moves: `state` is drawn anew each time; `story`, once it is there, is a replay of all of it."""
    import anywidget
    import traitlets

    class LiveWidget(anywidget.AnyWidget):
        _esm = assets.module("live_widget.js")
        _css = assets.style()
        kind = traitlets.Unicode().tag(sync=True)
        state = traitlets.Dict().tag(sync=True)
        story = traitlets.Dict().tag(sync=True)
        ended = traitlets.Unicode().tag(sync=True)

    return LiveWidget


@cache
def chart_widget() -> type[Any]:
    """A chart that grows: `plan` is what it began with, its points come as messages. uPlot is fetched if missing."""
    import anywidget
    import traitlets

    class ChartWidget(anywidget.AnyWidget):
        _esm = assets.with_uplot(assets.module("chart_widget.js"))
        _css = assets.style()
        plan = traitlets.Dict().tag(sync=True)
        story = traitlets.Dict().tag(sync=True)
        ended = traitlets.Unicode().tag(sync=True)

    return ChartWidget
