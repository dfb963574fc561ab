"""From a Recording to what is drawn: the map's only source of facts."""

from __future__ import annotations

import threading
from typing import Any

from labsupport.views import state


class MapSource:
    """Follows a Recording and folds it into a `MapState`. May be polled from several threads."""

    def __init__(self, recording: Any) -> None:
        from labsupport.observe.picture import ClusterPicture

        self._recording = recording
        self._follower = recording.follow(kinds={"event", "sample"})  # sends are many, and the map shows none
        self._picture = ClusterPicture.first(recording.header.cluster)
        self._lock = threading.Lock()
        self._state = state.of(self._picture)

    @property
    def closed(self) -> bool:
        """Whether nobody writes the Recording any more."""
        return bool(self._recording.closed)

    def poll(self) -> state.MapState:
        """The state that the Recording tells of by now."""
        with self._lock:
            entries = self._follower.poll()
            if entries:
                self._picture = self._picture.after(entries)
                self._state = state.of(self._picture)
            return self._state

    def close(self) -> None:
        """Let go of the file; what was seen stays."""
        with self._lock:
            self._follower.close()
