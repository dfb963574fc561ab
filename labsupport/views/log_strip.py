"""The log of one partition as a strip: its segments on an axis of offsets, and where its readers stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.views import palette as colour
from labsupport.views.happened import Mark, events_of, fault_marks, fault_spans, in_order
from labsupport.views.markup import Markup, shorten, tag, text
from labsupport.views.story import Story

if TYPE_CHECKING:
    from labsupport.observe import Entry, Recording

WIDTH, LEFT, RIGHT = 700, 84, 16
MOST_SEGMENTS = 60
MOST_READERS = 6
MOST_FRAMES = 400


OLDER = -1  # the size of segments that are there and were not listed


@dataclass(frozen=True)
class NodeLog:
    """What one broker has of the partition: `segments` are (base offset, size in bytes); `end` is the next offset."""

    segments: tuple[tuple[int, int], ...]
    start: int
    end: int


@dataclass(frozen=True)
class LogStrip:
    """A partition's log on its leader, by node id, and the next offset that each group will read."""

    topic: str
    partition: int
    logs: Mapping[int, NodeLog] = field(default_factory=dict)
    positions: Mapping[str, int] = field(default_factory=dict)

    @property
    def start(self) -> int:
        return min((log.start for log in self.logs.values()), default=0)

    @property
    def end(self) -> int:
        return max([*(log.end for log in self.logs.values()), *self.positions.values()], default=0)

    def now(self) -> dict[str, Any]:
        """The state as the page draws it; of many segments the oldest are drawn as one, and said to be so."""
        return {
            "logs": [
                {"node": node, "start": log.start, "end": log.end, "segments": [list(s) for s in log.segments]}
                for node, log in sorted(self.logs.items())
            ],
            "readers": [
                [shorten(group, 24), offset] for group, offset in sorted(self.positions.items())[:MOST_READERS]
            ],
        }


def log_story(recording: Recording, topic: str, partition: int) -> tuple[Story, LogStrip]:
    """The strip from the Recording's beginning to its end so far. Raises `BadInput` when nobody watched that log."""
    events = events_of(recording)
    frames: list[tuple[float, LogStrip]] = []
    marks: list[Mark] = []
    strip = LogStrip(topic, partition)
    for event in events:
        after = _after(strip, event)
        if after == strip:
            continue
        marks += _marks(strip, after, float(event["t"]))
        strip = after
        if strip.logs:
            frames.append((float(event["t"]), strip))
    label = f"{printable(topic, limit=60)}-{partition}"
    if not frames:
        raise BadInput(
            f"The recording has nothing about the log of {label}.",
            fix="Ask for it while the cluster runs: `cluster.watch_log(TOPIC, PARTITION)`.",
        )
    begin, end = frames[0][0], max(float(events[-1]["t"]), frames[0][0] + 1)
    kept = frames[:: len(frames) // MOST_FRAMES + 1]
    if kept[-1] is not frames[-1]:
        kept.append(frames[-1])
    story = Story(
        kind="log",
        title=f"log of {label}",
        begin=begin,
        end=end,
        marks=in_order(marks, [mark for mark in fault_marks(events) if mark.t >= begin]),
        faults=[span for span in fault_spans(events, end) if span.end > begin],
        caption=caption(strip),
        drawing={"name": label, "frames": [[round(t, 2), frame.now()] for t, frame in kept]},
    )
    return story, strip


def _after(strip: LogStrip, event: Entry) -> LogStrip:
    if event.get("topic") != strip.topic:
        return strip
    if event.get("what") == "log" and event.get("partition") == strip.partition:
        segments = tuple((int(base), int(size)) for base, size in event.get("segments") or ())
        start, end = int(event.get("start") or 0), int(event.get("end") or 0)
        if segments and segments[0][0] > start:
            segments = ((start, OLDER), *segments)
        log = NodeLog(_merged(segments), start, end)
        return replace(strip, logs={int(event.get("node") or 0): log})  # only its leader is asked
    if event.get("what") == "positions":
        at = (event.get("positions") or {}).get(str(strip.partition))
        if at is not None:
            return replace(strip, positions={**strip.positions, str(event.get("group")): int(at)})
    return strip


def _merged(segments: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """At most `MOST_SEGMENTS`: the oldest become one."""
    excess = len(segments) - MOST_SEGMENTS
    if excess <= 0:
        return segments
    old = segments[: excess + 1]
    size = OLDER if old[0][1] == OLDER else sum(size for _, size in old)
    return ((old[0][0], size), *segments[excess + 1 :])


def _marks(before: LogStrip, after: LogStrip, t: float) -> list[Mark]:
    """A new segment, and one that was deleted."""
    marks = []
    for node, log in after.logs.items():
        was = before.logs.get(node)
        if was is None or was == log or len(log.segments) >= MOST_SEGMENTS:
            continue
        old, new = {base for base, _ in was.segments}, {base for base, _ in log.segments}
        marks += [Mark(t, f"broker {node}: new segment from offset {base:,}") for base in sorted(new - old)]
        marks += [Mark(t, f"broker {node}: segment {base:,} deleted") for base in sorted(old - new)]
    return marks


def caption(strip: LogStrip) -> str:
    """What the strip shows, in words."""
    return ". ".join([*_logs_in_words(strip), *_readers_in_words(strip)]) + "."


def plain(strip: LogStrip) -> str:
    """No offset or size in it: those differ from run to run."""
    readers = [f"  read by {printable(group, limit=60)}" for group in sorted(strip.positions)]
    nodes = ", ".join(str(node) for node in sorted(strip.logs))
    return "\n".join([f"log of {printable(strip.topic, limit=60)}-{strip.partition} on broker {nodes}", *readers])


def _logs_in_words(strip: LogStrip) -> list[str]:
    return [
        f"Broker {node} has offsets {log.start:,} to {log.end:,} in {len(log.segments)} "
        f"segment{'s' if len(log.segments) != 1 else ''}"
        for node, log in sorted(strip.logs.items())
    ]


def _readers_in_words(strip: LogStrip) -> list[str]:
    return [
        f"{shorten(group, 40)} reads {offset:,} next, {max(strip.end - offset, 0):,} behind"
        for group, offset in sorted(strip.positions.items())
    ]


def log_svg(strip: LogStrip) -> Markup:
    """The strip as an `<svg>`; `static/log_strip.js` draws the same from `LogStrip.now()`."""
    low, high = strip.start, max(strip.end, strip.start + 1)

    def x(offset: float) -> float:
        return LEFT + (min(max(offset, low), high) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    parts: list[object] = []
    y = 8.0
    for node, log in sorted(strip.logs.items()):
        parts += _row(node, log, x, y)
        y += 40
    axis_y = y
    for offset in _marks_of_axis(low, high):
        parts.append(tag("line", x1=x(offset), x2=x(offset), y1=y, y2=y + 4, stroke=colour.GREY))
        parts.append(tag("text", f"{offset:,}", x=x(offset), y=y + 17, text_anchor="middle"))
    parts.append(tag("text", "offset", x=LEFT - 16.0, y=y + 17, text_anchor="end"))
    y += 28
    for group, offset in sorted(strip.positions.items())[:MOST_READERS]:
        at = x(offset)
        parts.append(tag("line", x1=at, x2=at, y1=6.0, y2=y + 6, stroke=colour.FOLLOWER, stroke_dasharray="2 3"))
        parts.append(tag("path", d=f"M{at:.1f} {axis_y - 2:.1f}l5 9h-10Z", fill=colour.FOLLOWER))
        words = f"{shorten(group, 24)} reads {offset:,} next · {max(high - offset, 0):,} behind"
        left = at > WIDTH * 0.55
        where = {"x": at - 6 if left else at + 6, "text_anchor": "end" if left else "start"}
        parts.append(tag("text", text(words), y=y + 10, data_reader=shorten(group, 24), **where))
        y += 18
    return tag(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {y + 8:.0f}",
        width="100%",
        style=f"max-width:{WIDTH}px",
        role="img",
        aria_label=caption(strip),
        font_family=colour.FONT,
        font_size="12",
        fill=colour.INK,
    )


def _row(node: int, log: NodeLog, x: Any, y: float) -> list[object]:
    parts: list[object] = [tag("text", f"broker {node}", x=LEFT - 8.0, y=y + 20, text_anchor="end")]
    bases: Sequence[int] = [base for base, _ in log.segments]
    ends = [*bases[1:], max(log.end, bases[-1] if bases else 0)]
    for number, ((base, size), until) in enumerate(zip(log.segments, ends, strict=True)):
        active = number == len(log.segments) - 1
        left, width = x(base), max(x(until) - x(base), 2.0)
        box = tag(
            "rect",
            x=left,
            y=y + 2,
            width=width,
            height=28.0,
            fill=colour.LEADER if active else colour.GREY,
            fill_opacity="0.28" if active else "0.16",
            stroke=colour.LEADER if active else colour.GREY,
            stroke_width="1.4",
        )
        words = next((w for w in (f"{base:,} · {size_of(size)}", f"{base:,}") if width > 6.8 * len(w) + 6), None)
        name = None if words is None else tag("text", words, x=left + 4, y=y + 20)
        said = f"segment {base:,}: {size_of(size)}{', being written' if active else ''}"
        parts.append(tag("g", box, name, tag("title", said), data_segment=base))
    if log.start > (bases[0] if bases else 0):  # records before the start are not served any more
        at = x(log.start)
        parts.append(tag("line", x1=at, x2=at, y1=y, y2=y + 32, stroke=colour.BROKEN, stroke_dasharray="4 2"))
    return parts


def size_of(size_bytes: int) -> str:
    """A size as one reads it: 16 KiB."""
    if size_bytes == OLDER:
        return "older segments"
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:,.0f}\N{NO-BREAK SPACE}{unit}"


def _marks_of_axis(low: int, high: int) -> list[int]:
    """At most eight round offsets."""
    steps = (factor * 10**power for power in range(19) for factor in (1, 2, 5))
    step = next(step for step in steps if (high - low) / step <= 7)
    return [n * step for n in range(-(-low // step), high // step + 1)]
