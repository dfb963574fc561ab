"""The view stays small: five minutes are at most a megabyte, whatever the cluster does, and the last word is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from labsupport.clients.groups import GROUPS_LIMIT, GroupPosition
from labsupport.clients.metadata import ClusterMetadata, PartitionInfo
from labsupport.clients.one_admin import Quorum
from labsupport.cluster.supervised import ProcessEvent
from labsupport.observe import Recording, state_of
from labsupport.observe.allowance import Allowance
from labsupport.observe.changes import Changes
from labsupport.observe.samplers import TOPICS_LIMIT, GroupSampler, NodeSampler, TopicSampler
from labsupport.observe.usage import Usage

LIMIT_BYTES, SPAN_S = 1_000_000, 300


@pytest.fixture
def clock(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The recording's clock, to be moved by hand."""
    hand = [recording.began_s]
    monkeypatch.setattr("labsupport.observe.recording.now_s", lambda: hand[0])
    return hand  # type: ignore[return-value]


@dataclass
class Storm:
    """A cluster of `brokers` in which everything moves all the time, watched as a watcher does."""

    recording: Recording
    clock: list[float]
    brokers: int = 6
    topics: int = 40
    partitions: int = 6
    sending: int = 25
    groups: int = GROUPS_LIMIT
    logs: int = 4
    segments: int = 64
    name: str = "a-topic-with-a-name-as-long-as-they-often-are-in-companies"
    flapping: bool = True
    bounded: bool = True
    offsets: Iterator[int] = field(default_factory=lambda: count(0, 17))

    def __post_init__(self) -> None:
        self.changes = Changes(self.recording, room=self.recording.has_room if self.bounded else lambda: True)

    def run(self, seconds: int) -> ClusterMetadata:
        """Ten looks a second; what was seen last."""
        recording, changes = self.recording, self.changes
        topics = TopicSampler(recording, recording.take_acknowledged, t_s=self.clock[0])
        nodes, groups = NodeSampler(recording, measured), GroupSampler(recording)
        pids = {f"{role}-{n}": n for n in range(1, self.brokers + 1) for role in ("broker", "controller")}
        for tick in range(seconds * 10):
            self.clock[0] += 0.1
            changes.metadata(self.seen(tick), t_s=self.clock[0])
            if tick % 5 == 0:
                self.send()
                topics.tick(self.clock[0])
                self.look_at_logs(changes)
            if tick % 10 == 0:
                nodes.tick(pids, self.clock[0])
                positions = self.positions()
                changes.positions(positions, t_s=self.clock[0])
                groups.tick(positions, self.clock[0])
                changes.quorum(Quorum(1, tick if self.flapping else 1, (1, 2, 3)), t_s=self.clock[0])
            if self.flapping and tick % 50 == 0:
                self.strike(changes, tick)
        return self.seen(seconds * 10 - 1)

    def seen(self, tick: int) -> ClusterMetadata:
        """Every follower in and out of every ISR, at every look."""
        out = tick % self.brokers if self.flapping else 0
        replicas = {n: tuple((n + i) % self.brokers + 1 for i in range(3)) for n in range(self.partitions)}
        partitions = {
            n: PartitionInfo(ids[0], ids, tuple(i for i in ids if i == ids[0] or i != out))
            for n, ids in replicas.items()
        }
        return ClusterMetadata("id", {}, None, {self.topic(n): partitions for n in range(self.topics)})

    def topic(self, n: int) -> str:
        return f"{self.name}-{n}"

    def send(self) -> None:
        for n in range(self.sending):
            for _ in range(3):
                t_s = self.clock[0]
                self.recording.send(self.topic(n), "a-1", "acked", intended_s=t_s - 0.0123456, t_s=t_s)

    def positions(self) -> list[GroupPosition]:
        return [
            GroupPosition(
                f"a-group-{g}", self.topic(n), {p: next(self.offsets) for p in range(self.partitions)}, 123_456
            )
            for g in range(self.groups)
            for n in range(3)
        ]

    def look_at_logs(self, changes: Changes) -> None:
        for n in range(self.logs):
            end = next(self.offsets)
            segments = [(end + i * 1000, 1_048_576) for i in range(self.segments)]
            changes.log(self.topic(n), 0, node=1, segments=segments, start=0, end=end, t_s=self.clock[0])

    def strike(self, changes: Changes, tick: int) -> None:
        """Faults and deaths are always written, every five seconds."""
        self.recording.event("fault began", fault="killed", nodes=["broker-1"])
        for number, what in enumerate(("exited", "started", "ready")):
            event = ProcessEvent(
                number=tick + number, t_s=self.clock[0], node="broker-1", node_id=1, what=what, detail="SIGKILL", pid=1
            )
            changes.process(event)
        self.recording.event("fault healed", fault="killed", nodes=["broker-1"])


def measured(pids: dict[str, int], *, memory: bool) -> dict[str, Usage]:  # type: ignore[misc]
    """A lot."""
    return {name: Usage(0.0, 234.0) for name in pids}


def test_five_minutes_of_a_storm_are_at_most_a_megabyte(recording: Recording, clock: list[float]) -> None:
    """Six brokers and controllers, 240 partitions whose ISR changes ten times a second, 25 topics with sends, 30 lags,
    four logs of many segments, faults every five seconds."""
    Storm(recording, clock).run(SPAN_S)
    recording.flush()
    assert LIMIT_BYTES / 2 < recording.path.stat().st_size <= LIMIT_BYTES
    names = {entry["name"] for entry in recording.entries(kinds={"sample"})}
    assert names == {
        *("records_per_s", "latency_p50_ms", "latency_p99_ms", "latency_max_ms"),
        *("lag_records", "cpu_cores", "memory_mb"),
    }
    late = [entry["t"] for entry in recording.entries(kinds={"sample"}) if entry["t"] > SPAN_S - 30]
    assert late, "samples go on to the end"


def test_without_its_bounds_a_minute_of_it_would_be_more(
    recording: Recording, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: the storm is one."""
    monkeypatch.setattr(recording, "_samples", Allowance(bytes_per_s=1e9, reserve_bytes=10**9))
    Storm(recording, clock, bounded=False).run(10)
    recording.flush()
    assert recording.path.stat().st_size > LIMIT_BYTES


def test_after_the_storm_the_picture_is_true(recording: Recording, clock: list[float]) -> None:
    """What could not be written in time is written when there is room: each partition as it stands in the end."""
    storm = Storm(recording, clock)
    storm.run(60)
    storm.sending = storm.groups = storm.logs = 0
    storm.flapping = False
    now = storm.run(120)
    picture = state_of(recording).topics
    assert {t: {n: p.isr for n, p in ps.items()} for t, ps in picture.items()} == {
        t: {n: tuple(sorted(p.isr)) for n, p in ps.items()} for t, ps in now.topics.items()
    }


def test_an_ordinary_experiment_is_sampled_in_full(recording: Recording, clock: list[float]) -> None:
    """Three brokers, one topic with sends, a log that is watched: nothing is left out, and there is room to spare."""
    calm = Storm(
        recording, clock, name="flights", brokers=3, topics=1, sending=1, groups=0, logs=1, segments=3, flapping=False
    )
    calm.run(SPAN_S)
    recording.flush()
    assert recording.path.stat().st_size < 0.7 * LIMIT_BYTES
    rates = [entry for entry in recording.entries(kinds={"sample"}) if entry["name"] == "records_per_s"]
    assert len(rates) >= 2 * SPAN_S - 2


def test_of_many_topics_the_busiest_are_sampled(recording: Recording, clock: list[float]) -> None:
    """Ten of them, each by everything that was acknowledged since its last sample."""
    sampler = TopicSampler(recording, recording.take_acknowledged, t_s=clock[0])
    for n in range(30):
        for _ in range(n + 1):
            recording.send(f"t{n:02}", "a-1", "acked", t_s=clock[0])
    clock[0] += 100
    sampler.tick(clock[0])
    rates = {entry["topic"]: entry["value"] for entry in recording.entries(kinds={"sample"})}
    assert rates == {f"t{n:02}": round((n + 1) / 100, 1) for n in range(30 - TOPICS_LIMIT, 30)}


def test_an_allowance_fills_with_time_up_to_its_reserve() -> None:
    """What must be written anyway is made up for afterwards."""
    allowance = Allowance(bytes_per_s=10, reserve_bytes=100)
    assert allowance.take(100, 0) and not allowance.take(1, 0)
    assert allowance.take(20, 2) and not allowance.has_room(2)
    allowance.spend(50, 2)
    assert not allowance.has_room(6.9) and allowance.has_room(7.1)
    assert not allowance.take(101, 1000) and allowance.take(100, 1000)
