"""What a page shows: HTML and text always, a widget where a kernel runs and there is a story to replay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labsupport.core import notebook
from labsupport.views import kernel
from labsupport.views import page as pages
from labsupport.views.markup import Markup
from labsupport.views.story import Story


class Display:
    """`value` is what is drawn: its attributes are this display's as well. `story` makes the picture a replay.

    `html` is the still picture, with the story as inert data beside it.
    """

    def __init__(self, value: Any, still: Markup, plain: str, *, story: Story | None = None) -> None:
        self.value, self.still = value, still
        self.story = story
        self.html = still if story is None else story.embedded(still)
        self._plain = plain
        self._widget: Any = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # IPython asks for many _repr_…_; the value's own would be drawn instead of this
            raise AttributeError(name)
        return getattr(self.value, name)

    def __repr__(self) -> str:
        return self._plain

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self._plain, "text/html": str(self.html)}
        if self.story is not None and notebook.in_kernel():
            bundle |= kernel.view_of(self._live(self.story))
        return bundle

    def _live(self, story: Story) -> Any:
        if self._widget is None:
            self._widget = kernel.replay_widget(charts=story.kind == "chart")(kind=story.kind, story=story.alone())
        return self._widget

    def save(self, path: Path | str) -> Path:
        """Write the picture, with its replay, as a page that needs no kernel and no network: HTML, one file.

        Raises `LabError` when the file cannot be written.
        """
        title = self.story.title if self.story is not None else "kafka-lab"
        return pages.write(
            path, pages.page(title, [("", self.html)], charts=self.story is not None and self.story.kind == "chart")
        )
