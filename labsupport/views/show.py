"""What a page calls: `show.cluster_map(cluster)`, `show.failover(...)`, `show.verdict(...)`. Each returns a picture.

A display that draws a value of `observe` also has that value's attributes (`show.failover(...).new_leader_s`), so that
a page can show it and hand it to a claim.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.core.finding import Finding
from labsupport.views import cards, chart_svg, isr, log_strip, timeline, timeline_svg
from labsupport.views import chart as chart_data
from labsupport.views import compare as comparing
from labsupport.views.chart_live import MovingChart
from labsupport.views.display import Display
from labsupport.views.live import Moving
from labsupport.views.map import ClusterMap
from labsupport.views.map_story import map_story
from labsupport.views.map_svg import figure, map_html, table_figure
from labsupport.views.markup import join, tag

if TYPE_CHECKING:
    from labsupport.claims import Judgement
    from labsupport.cluster.cluster import Cluster
    from labsupport.cluster.kubernetes.space import Space
    from labsupport.cluster.kubernetes.space_facts import Pod
    from labsupport.observe import Failover, HistoryVerdict, Recording

__all__ = [
    "chart",
    "clock",
    "cluster_map",
    "compare",
    "events",
    "failover",
    "finding",
    "isr_timeline",
    "judgement",
    "judgements",
    "partition_log",
    "pods",
    "recording",
    "replay",
    "stamps",
    "verdict",
    "volumes",
]


def cluster_map(cluster: Cluster) -> ClusterMap:
    """The cluster as a picture that moves, with buttons that kill, start, pause and resume a broker."""
    return ClusterMap(cluster)


def failover(source: Cluster | Recording, topic: object, partition: int = 0) -> Display:
    """The last failover of a partition as a timeline; `source` is a cluster or a Recording.

    Has the attributes of `observe.Failover` (`old`, `new`, `new_leader_s`, `first_acked_s`: seconds since the kill).
    Raises `LabError` when the partition's leader was never hit.
    """
    from labsupport import observe

    written = _recording(source)
    seen = observe.failover(written, str(topic), partition)
    lanes = timeline.timeline_of(written, seen)
    picture = timeline_svg.timeline_svg(lanes)
    story = timeline.story_of(written, lanes, picture)
    return Display(seen, timeline_svg.timeline_html(lanes), timeline.plain(seen), story=story)


def verdict(source: Cluster | Recording | HistoryVerdict, topic: object = None) -> Display:
    """What became of the records of `topic`; of a cluster or a Recording, or a verdict that is there already.

    Has the attributes of `observe.HistoryVerdict` (numbers of records: `acked`, `lost`, `duplicated`, `unknown`).
    Raises `LabError` when the topic was not read back.
    """
    from labsupport import observe

    if isinstance(source, observe.HistoryVerdict):
        judged = source
    elif topic is None:
        raise BadInput("Which topic's records?", fix='Name it: `show.verdict(cluster, "flights")`.')
    else:
        judged = observe.verdict(_recording(source), str(topic))
    return Display(judged, cards.verdict_card(judged), repr(judged))


def replay(source: Cluster | Recording) -> Display:
    """The cluster map from the beginning of a cluster's Recording to its end so far, with a scrubber.

    `save(path)` writes it as a page of its own. Raises `LabError` when the Recording is damaged.
    """
    written = _recording(source)
    written.catch_up()
    story, last = map_story(written)
    return Display(written, map_html(last), last.text(), story=story)


def recording(written: Recording) -> Display:
    """A Recording, as the map that it tells of: its last state, and the way there."""
    return replay(written)


def chart(source: Cluster | Recording, *names: str) -> Display:
    """Rates, latencies and lag over time; `names` are those of samples (`latency_max_ms`), none: the usual ones.

    It grows with its cluster, by new points alone. Raises `LabError` when a finished Recording has no such samples.
    """
    written = _recording(source)
    written.catch_up()
    held = chart_data.chart_data(written, names)
    if written.closed:
        chart_data.require(held, written)
    drawn = still_chart(held)
    return drawn if written.closed else MovingChart(written, held, drawn)


def still_chart(held: chart_data.ChartData) -> Display:
    """A chart of what is there already."""
    still = figure(chart_svg.chart_svg(held), chart_data.caption(held), data_testid="chart")
    story = chart_data.story_of(held, "rates, latency, lag")
    return Display(held, still, chart_data.plain(held), story=story)


def compare(left: Cluster | Recording, right: Cluster | Recording, topic: object = None, partition: int = 0) -> Display:
    """The failovers of two runs on one axis, each from its own signal; without `topic`, of what was hit first in each.

    Raises `LabError` when nothing hit a leader in one of them.
    """
    both = comparing.compare(_recording(left), _recording(right), None if topic is None else str(topic), partition)
    svg = comparing.compare_svg(both)
    story = comparing.story_of(both, svg)
    return Display(both, table_figure(svg, story.table), comparing.plain(both), story=story)


def clock(event: str, *marks: tuple[str, str, float]) -> Display:
    """What several did about one event, a lane each: `("Kafka", "another leader", 9.4)`, seconds since the event."""
    from labsupport.views.clock import clock_display

    return clock_display(event, *marks)


def isr_timeline(source: Cluster | Recording, topic: object) -> Display:
    """Who led and who was in sync, a lane a replica of each partition, over the faults; it moves with its cluster.

    Raises `LabError` when the Recording knows no such topic.
    """
    written = _recording(source)

    def make() -> Display:
        read = isr.isr_timeline(written, str(topic))
        svg = isr.isr_svg(read)
        still = figure(svg, isr.caption(read), data_testid="isr-timeline")
        return Display(read, still, isr.plain(read), story=isr.story_of(read, svg))

    return _moving(source, make, ("isr", str(topic)), rests_s=1.0)


def partition_log(source: Cluster | Recording, topic: object, partition: int = 0) -> Display:
    """The segments of a partition's log, their offsets, and where its readers stand; it moves with its cluster.

    A running cluster is asked for the log from now on. Raises `LabError` when the Recording has nothing about it.
    """
    written = _recording(source)
    getattr(source, "watch_log", written.watch_log)(str(topic), partition)

    def make() -> Display:
        story, strip = log_strip.log_story(written, str(topic), partition)
        still = figure(log_strip.log_svg(strip), log_strip.caption(strip), data_testid="partition-log")
        return Display(strip, still, log_strip.plain(strip), story=story)

    return _moving(source, make, ("log", str(topic), partition))


def pods(space: Space, *owners: str, before: Sequence[Pod] = ()) -> Display:
    """The pods of a namespace, or of StatefulSets and Deployments in it, on their nodes and with their volumes.

    `before`: pods as they were, to be compared with those that have their names now.
    """
    from labsupport.views.pods import pods_display

    found = [pod for pod in space.pods() if not owners or pod.owner[1] in owners]
    return pods_display(found, space.nodes(), before)


def volumes(space: Space, owner: str = "") -> Display:
    """The claims of a namespace, or of one StatefulSet's or Deployment's pods: class, volume, node and pod of each."""
    from labsupport.views.volumes import volumes_display

    pods = space.pods(owner)
    used = {name for pod in pods for name in pod.claims}
    claims = [claim for claim in space.claims() if not owner or claim.name in used]
    return volumes_display(claims, space.storage_classes(), pods)


def events(space: Space, about: str = "", reason: str = "") -> Display:
    """What Kubernetes wrote down of a namespace, of one name in it, or for one reason, such as "FailedScheduling"."""
    from labsupport.views.volumes import events_display

    return events_display([event for event in space.events(about) if reason in ("", event.reason)])


def stamps(seen: Failover) -> Display:
    """A failover without its Recording: its caption."""
    return Display(seen, timeline_svg.stamps_html(seen), timeline.plain(seen))


def judgement(judged: Judgement) -> Display:
    """A claim beside what this run saw."""
    return Display(judged, cards.judgement_card(judged), str(judged))


def judgements(*judged: Judgement) -> Display:
    """Several claims that one run settles, a card each."""
    apart = [tag("div", cards.judgement_card(each), style="margin-bottom:.7em") for each in judged]
    return Display(judged, join(*apart), "\n".join(map(str, judged)))


def finding(found: Finding) -> Display:
    """What a check saw."""
    return Display(found, cards.finding_card(found), str(found))


def _moving(source: Any, make: Callable[[], Display], key: Hashable, *, rests_s: float = inf) -> Display:
    """A Recording that is still written moves on; another has happened."""
    written = _recording(source)
    written.catch_up()
    return make() if written.closed else Moving(written, make, key=key, rests_s=rests_s)


def _recording(source: Any) -> Any:
    written = getattr(source, "recording", source)
    if not hasattr(written, "entries"):
        raise BadInput(
            f"{printable(type(source).__name__)} has no recording to show.", fix="Give a Cluster or a Recording."
        )
    return written
