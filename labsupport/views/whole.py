"""A whole recording as one page: the map, the verdicts, each failover, and whatever else it holds, with scrubbers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from labsupport.core.errors import LabError
from labsupport.views import page
from labsupport.views.chart import chart_data
from labsupport.views.happened import events_of
from labsupport.views.markup import Markup
from labsupport.views.timeline import hit_partitions

if TYPE_CHECKING:
    from labsupport.observe import HistoryVerdict, Recording

MOST_FAILOVERS, MOST_TOPICS = 6, 4


def save(recording: Recording, path: Path | str) -> Path:
    """Write the page. Raises `LabError` when the recording is damaged or the file cannot be written."""
    return page.write(path, page.page(f"Replay of {recording.header.cluster.name}", list(sections(recording))))


def sections(recording: Recording) -> list[tuple[str, Markup]]:
    """Headings and pictures, as far as the recording has something for them."""
    from labsupport.views import show

    found = [("The cluster", show.replay(recording).html)]
    found += [(f"What became of {judged.topic}", show.verdict(judged).html) for judged in _verdicts(recording)]
    with suppress(LabError):  # a view without its history says nothing of sends
        found += [
            (f"Failover of {topic}-{partition}", show.failover(recording, topic, partition).html)
            for topic, partition in hit_partitions(recording)[:MOST_FAILOVERS]
        ]
    held = chart_data(recording, ())
    if held.series:
        found.append(("Rates, latency, lag", show.still_chart(held).html))
    found += [
        (f"In-sync replicas of {topic}", show.isr_timeline(recording, topic).html) for topic in _topics(recording)
    ]
    found += [
        (f"Log of {topic}-{partition}", show.partition_log(recording, topic, partition).html)
        for topic, partition in _watched_logs(recording)
    ]
    return found


def _verdicts(recording: Recording) -> list[HistoryVerdict]:
    """The last verdict of each topic that was judged while this was recorded, with its counter-examples."""
    from labsupport.observe import HistoryVerdict

    last = {str(entry.get("topic")): entry for entry in recording.entries(kinds={"verdict"})}
    return [HistoryVerdict.from_fields(last[topic]) for topic in sorted(last)][:MOST_TOPICS]


def _watched_logs(recording: Recording) -> list[tuple[str, int]]:
    events = (event for event in events_of(recording) if event.get("what") == "log")
    return sorted({(str(event["topic"]), int(event["partition"])) for event in events})[:MOST_TOPICS]


def _topics(recording: Recording) -> list[str]:
    """The topics whose in-sync replicas were ever seen; internal ones are not recorded."""
    seen = {str(event["topic"]) for event in events_of(recording) if event.get("what") == "isr"}
    return sorted(seen)[:MOST_TOPICS]
