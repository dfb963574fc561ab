"""A whole recording as one page: the map, each failover, and whatever else it holds, each with its scrubber."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labsupport.views import page
from labsupport.views.markup import Markup

if TYPE_CHECKING:
    from labsupport.observe import Recording

MOST_FAILOVERS = 6


def save(recording: Recording, path: Path | str) -> Path:
    """Write the page. Raises `LabError` when the recording is damaged or the file cannot be written."""
    return page.write(path, page.page(f"Replay of {recording.header.cluster.name}", list(sections(recording))))


def sections(recording: Recording) -> list[tuple[str, Markup]]:
    """Headings and pictures, as far as the recording has something for them."""
    from labsupport.views import show

    found = [("The cluster", show.replay(recording).html)]
    found += [
        (f"Failover of {topic}-{partition}", show.failover(recording, topic, partition).html)
        for topic, partition in _hit(recording)[:MOST_FAILOVERS]
    ]
    return found


def _hit(recording: Recording) -> list[tuple[str, int]]:
    """The partitions whose leader was hit."""
    from labsupport import observe

    partitions = {
        (str(topic), number)
        for topic, numbers in observe.state_of(recording).topics.items()
        if not topic.startswith("__")
        for number in numbers
    }
    return [place for place in sorted(partitions) if observe.failovers(recording, *place)]
