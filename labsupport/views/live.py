"""What moves while its cluster runs: a thread a picture, which ends with the cluster or when it is drawn again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from math import inf
from typing import Any
from weakref import WeakValueDictionary

from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.views import kernel
from labsupport.views.display import Display

log = logging.getLogger(__name__)

TICK_S = 0.5
REPLACED = "This picture has stopped: it is drawn again elsewhere."
_shown: WeakValueDictionary[Hashable, Ticker] = WeakValueDictionary()
_shown_lock = threading.Lock()


class Ticker:
    """Calls `tick` every so many seconds while somebody may be looking, until `closed()` or until it is stopped.

    Of two with the same `key` the older one stops, with the words `replaced`. `widget` has a trait `ended`, which says
    why nothing moves; `ended` are the words for a picture that was closed.
    """

    def __init__(
        self,
        key: Hashable,
        widget: Any,
        *,
        tick: Callable[[], None],
        closed: Callable[[], bool],
        every_s: float,
        replaced: str = REPLACED,
        ended: str = "",
    ) -> None:
        self.widget = widget
        self.views: int | None = None  # not known: a page may be unable to say "hello" while a cell runs
        self._words = ended
        self._tick, self._closed, self._every_s = tick, closed, every_s
        self._stop = threading.Event()
        with _shown_lock:
            older, _shown[key] = _shown.get(key), self
        if older is not None:
            older.stop(replaced)
        widget.on_msg(self._hear)
        self.thread = threading.Thread(target=self._run, name="kafka-lab picture", daemon=True)
        self.thread.start()

    @property
    def stopped(self) -> bool:
        """Whether it will not tick again."""
        return self._stop.is_set()

    def stop(self, reason: str) -> None:
        """Leave the picture as it is, and say why. May be called twice."""
        self._stop.set()
        if not self.widget.ended:
            self.widget.ended = reason

    def _hear(self, _widget: object, content: object, _buffers: object) -> None:
        what = content.get("do") if isinstance(content, Mapping) else None
        if what == "hello":
            self.views = (self.views or 0) + 1
        elif what == "bye":
            self.views = max((self.views or 0) - 1, 0)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            if self.widget.comm is None:
                return
            try:
                ended = self._closed()  # before the tick, which then draws the end
                if self.views != 0 or ended:
                    self._tick()
            except LabError as error:
                self.stop(str(error))
                return
            except Exception:
                log.debug("a picture ended early", exc_info=True)
                self.stop("This picture has stopped: it could not be drawn.")
                return
            if ended:
                self.stop(self._words)
                return


class Moving(Display):
    """A picture of a running cluster, made anew when its Recording tells of something; then a replay of all of it.

    `make` draws what the Recording holds by now. It is drawn again at each event, and where time goes on in it
    (`rests_s`) also when nothing has happened for so long.
    """

    def __init__(self, recording: Any, make: Callable[[], Display], *, key: Hashable, rests_s: float = inf) -> None:
        first = make()
        super().__init__(first.value, first.still, repr(first), story=first.story)
        self._recording, self._make, self._key, self._rests_s = recording, make, (id(recording), key), rests_s
        self._follower: Any = None
        self._ticker: Ticker | None = None
        self._drawn_s = now_s()

    def _live(self, story: Any) -> Any:
        if self._recording.closed:
            return super()._live(story)
        if self._widget is None:
            self._follower = self._recording.follow(kinds={"event"})
            self._follower.poll()
            self._widget = kernel.live_widget()(kind=story.kind, state=story.now())
            self._ticker = Ticker(self._key, self._widget, tick=self._tick, closed=self._closed, every_s=TICK_S)
        return self._widget

    def _closed(self) -> bool:
        return bool(self._recording.closed)

    def _tick(self) -> None:
        news, closed = self._follower.poll(), self._closed()
        if not news and not closed and now_s() - self._drawn_s < self._rests_s:
            return
        self._drawn_s = now_s()
        story = self._make().story
        assert story is not None
        self._widget.state = story.now()
        if closed:
            self._follower.close()
            self._widget.story = story.alone()
