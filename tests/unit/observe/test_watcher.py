"""Watching: only changes are written, silence and death are survived, and it ends when told."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

import pytest

from labsupport.clients.connection import Connection
from labsupport.clients.groups import GroupPosition
from labsupport.clients.metadata import ClusterMetadata, NoAnswer, PartitionInfo
from labsupport.clients.one_admin import Quorum
from labsupport.cluster.spec import ClusterSpec
from labsupport.cluster.supervised import ProcessEvent
from labsupport.core.errors import LabError, NotRunning
from labsupport.core.wait import wait_until
from labsupport.observe import Recording, Watcher
from labsupport.observe.changes import SEGMENTS_LIMIT, SIGHTINGS, STALE_S, Changes
from labsupport.observe.format import Entry
from labsupport.observe.usage import Usage


def seen(leader: int | None = 1, isr: tuple[int, ...] = (1, 2), **more: dict[int, PartitionInfo]) -> ClusterMetadata:
    """Metadata of one topic, and of an internal one."""
    internal = {0: PartitionInfo(leader, (1,), isr)}
    topics = {"t": {0: PartitionInfo(leader, (1, 2), isr)}, "__consumer_offsets": internal, **more}
    return ClusterMetadata("id", {1: "a:1", 2: "a:2"}, 2, topics)


NOTHING = ClusterMetadata("id", {1: "a:1"}, None, {})


def process(number: int, what: str, node: str = "broker-1", t_s: float = 0.0) -> ProcessEvent:
    """What the supervisor says."""
    return ProcessEvent(number=number, t_s=t_s, node=node, node_id=int(node[-1]), what=what, detail="", pid=42)


def events(recording: Recording, what: str | None = None) -> list[Entry]:
    """The events written so far, without their time."""
    found = [{k: v for k, v in e.items() if k not in {"t", "k"}} for e in recording.entries(kinds={"event"})]
    return [e for e in found if what in {None, e["what"]}]


class TestChanges:
    """From what is seen again and again to what changed."""

    def test_the_first_look_says_everything_once(self, recording: Recording) -> None:
        """Topic, leader, ISR; internal topics are left out; the same again writes nothing."""
        changes = Changes(recording)
        for t_s in range(3):
            changes.metadata(seen(isr=(2, 1)), t_s=t_s)
        assert events(recording) == [
            {"what": "topic", "topic": "t", "partitions": 1, "replicas": {"0": [1, 2]}},
            {"what": "leader", "topic": "t", "partition": 0, "node": 1, "was": None},
            {"what": "isr", "topic": "t", "partition": 0, "isr": [1, 2]},
        ]

    def test_a_change_is_written_at_once_with_its_time(self, recording: Recording) -> None:
        """The very first look that differs counts; the order within an ISR is no difference."""
        changes = Changes(recording)
        changes.metadata(seen(1, (1, 2)), t_s=recording.began_s)
        changes.metadata(seen(2, (2, 1)), t_s=recording.began_s + 1)
        changes.metadata(seen(None, (2,)), t_s=recording.began_s + 2)
        moved = [e for e in recording.entries() if e["t"] >= 1]
        assert [(e["t"], e["what"], e.get("node"), e.get("was"), e.get("isr")) for e in moved] == [
            (1.0, "leader", 2, 1, None),
            (2.0, "leader", None, 2, None),
            (2.0, "isr", None, None, [2]),
        ]

    def test_a_broker_that_was_frozen_may_tell_old_news(self, recording: Recording) -> None:
        """For some seconds after it is resumed, a return to the former leader must be seen several times in a row."""
        changes = Changes(recording)
        began_s = recording.began_s
        changes.metadata(seen(1), t_s=began_s)
        changes.metadata(seen(2), t_s=began_s + 1)
        changes.process(process(1, "resumed", t_s=began_s + 2))
        for n in range(21):
            changes.metadata(seen(1 if n % 2 else 2), t_s=began_s + 2 + n / 10)
        assert len(events(recording, "leader")) == 2
        for n in range(SIGHTINGS):
            changes.metadata(seen(1), t_s=began_s + 5 + n / 10)
        assert [e["t"] for e in recording.entries() if e.get("what") == "leader"] == [0.0, 1.0, 5.0]
        changes.metadata(seen(2), t_s=began_s + 2 + STALE_S)
        assert [e["node"] for e in events(recording, "leader")] == [1, 2, 1, 2]

    def test_a_topic_is_gone_only_when_it_is_missing_for_a_while(self, recording: Recording) -> None:
        """A broker that has just started knows none; a topic of that name is a new one afterwards."""
        changes = Changes(recording)
        for look in [seen(), *[NOTHING] * (SIGHTINGS - 1), seen(), *[NOTHING] * SIGHTINGS, NOTHING, seen()]:
            changes.metadata(look, t_s=recording.began_s)
        assert [e["partitions"] for e in events(recording, "topic")] == [1, 0, 1]
        assert len(events(recording, "leader")) == 2

    def test_more_partitions_are_a_change_of_the_topic(self, recording: Recording) -> None:
        """With the replicas of all."""
        changes = Changes(recording)
        one = PartitionInfo(1, (1,), (1,))
        changes.metadata(seen(u={0: one}), t_s=0)
        changes.metadata(seen(u={0: one, 1: one}), t_s=0)
        assert [e["replicas"] for e in events(recording, "topic") if e["topic"] == "u"] == [
            {"0": [1]},
            {"0": [1], "1": [1]},
        ]

    def test_only_log_folders_that_fail_are_said(self, recording: Recording) -> None:
        """And those that come back."""
        changes = Changes(recording)
        for online in [(True, True), (True, False), (True, False), (True, True)]:
            changes.log_dirs("broker-1", online, t_s=0)
        assert events(recording) == [
            {"what": "log dir", "node": "broker-1", "log_dir": 1, "state": "offline"},
            {"what": "log dir", "node": "broker-1", "log_dir": 1, "state": "online"},
        ]

    def test_what_kubernetes_does_is_written_with_its_own_words(self, recording: Recording) -> None:
        """Of a pod, a claim, a node: not as a process's state. What is no JSON is still told."""
        changes = Changes(recording)
        for detail in ('{"object":"pod/broker-1","reason":"Killing","message":"Stopping container"}', "odd"):
            told = ProcessEvent(number=1, t_s=0.0, node="broker-1", node_id=1, what="kubernetes", detail=detail, pid=0)
            changes.process(told)
        assert events(recording) == [
            {"what": "kubernetes", "object": "pod/broker-1", "reason": "Killing", "message": "Stopping container"},
            {"what": "kubernetes", "object": "", "reason": "odd", "message": ""},
        ]

    def test_without_room_a_change_waits_and_the_last_word_is_true(self, recording: Recording) -> None:
        """Whatever flapped meanwhile is left out; what stands when there is room is written, as of when it was so."""
        room = [True]
        changes = Changes(recording, room=lambda: room[0])
        changes.metadata(seen(1), t_s=recording.began_s)
        room[0] = False
        for n in range(1, 8):
            changes.metadata(seen(1 + n % 2), t_s=recording.began_s + n)
        assert len(events(recording, "leader")) == 1
        room[0] = True
        changes.metadata(seen(2), t_s=recording.began_s + 8)
        assert [(e["t"], e["node"], e["was"]) for e in recording.entries() if e.get("what") == "leader"] == [
            (0.0, 1, None),
            (7.0, 2, 1),
        ]

    def test_of_many_segments_the_newest_are_written(self, recording: Recording) -> None:
        """The start of the log tells how many more there may be."""
        segments = [(n * 10, 100) for n in range(SEGMENTS_LIMIT + 5)]
        Changes(recording).log("t", 0, node=1, segments=segments, start=0, end=700, t_s=0)
        (event,) = events(recording)
        assert event["segments"] == [list(segment) for segment in segments[5:]]

    def test_nobody_is_controller_only_when_nobody_says_so_twice(self, recording: Recording) -> None:
        """A busy one may be silent once."""
        changes = Changes(recording)
        for node_id in [1, 1, None, 1, 2, None, None, 2]:
            changes.controller(node_id, t_s=0)
        assert [e["node"] for e in events(recording, "controller")] == [1, 2, None, 2]

    def test_what_the_supervisor_says_becomes_a_state(self, recording: Recording) -> None:
        """In the words of the picture, at its own time; a word that is new is handed on."""
        changes = Changes(recording)
        words = ["started", "ready", "paused", "resumed", "exited", "waiting", "dreaming"]
        for number, what in enumerate(words):
            changes.process(process(number, what, t_s=recording.began_s + number))
        assert [(e["t"], e["state"]) for e in recording.entries()] == list(
            enumerate(["starting", "running", "paused", "running", "stopped", "waiting", "dreaming"])
        )


@dataclass
class FakeCluster:
    """A cluster whose supervisor and brokers say what the test puts there."""

    name: str = "demo"
    spec: ClusterSpec = field(default_factory=lambda: ClusterSpec(name="demo", version="4.3.1"))
    connection: Connection = field(default_factory=lambda: Connection(bootstrap_servers="127.0.0.1:1"))
    said: SimpleQueue[list[ProcessEvent] | Exception] = field(default_factory=SimpleQueue)
    metadata: ClusterMetadata | Exception = field(default_factory=seen)
    controller: int | None = 3
    elr: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)
    asked_for_elr: list[set[str]] = field(default_factory=list)
    groups: list[GroupPosition] = field(default_factory=list)
    ends: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    looks: int = 0
    closed: int = 0

    def process_events(self, after: int, timeout_s: float) -> list[ProcessEvent]:
        try:
            answer = self.said.get(timeout=timeout_s) if timeout_s else self.said.get_nowait()
        except Empty:
            return []
        if isinstance(answer, Exception):
            raise answer
        return [event for event in answer if event.number > after]

    def read(self) -> ClusterMetadata:
        self.looks += 1
        if isinstance(self.metadata, Exception):
            raise self.metadata
        return self.metadata

    def broker(self, node_id: int) -> FakeCluster:
        assert node_id == 1
        return self

    def sizes(self, topic: str, partition: int) -> dict[str, int]:
        return self.files

    def measure(self, pids: Mapping[str, int], *, memory: bool) -> dict[str, Usage]:
        return {name: Usage(cpu_s=0.0, memory_mb=float(pid)) for name, pid in pids.items()}


@dataclass
class FakeController:
    """Says what the cluster's test says."""

    cluster: FakeCluster

    def quorum(self) -> Quorum | None:
        leader = self.cluster.controller
        return Quorum(leader, 5, (1, 2, 3))

    def eligible(self, topics: Collection[str]) -> dict[tuple[str, int], tuple[int, ...]]:
        self.cluster.asked_for_elr.append(set(topics))
        return self.cluster.elr

    def close(self) -> None:
        self.cluster.closed += 1


@dataclass
class FakeGroups:
    """Says what the cluster's test says."""

    cluster: FakeCluster

    def positions(self) -> list[GroupPosition]:
        return self.cluster.groups

    def bounds(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        return {place: self.cluster.ends[place] for place in places if place in self.cluster.ends}

    def close(self) -> None:
        self.cluster.closed += 1


@pytest.fixture
def cluster() -> FakeCluster:
    """Two brokers, of which the first leads."""
    return FakeCluster()


@pytest.fixture
def watcher(cluster: FakeCluster, recording: Recording, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    """Watching that cluster, with little patience."""
    monkeypatch.setattr("labsupport.observe.watcher.CONTROLLER_EVERY_S", 0.05)
    monkeypatch.setattr("labsupport.observe.watcher.GROUPS_EVERY_S", 0.05)
    monkeypatch.setattr("labsupport.observe.watcher.LOGS_EVERY_S", 0.05)
    monkeypatch.setattr("labsupport.observe.samplers.TOPICS_EVERY_S", 0.05)
    monkeypatch.setattr("labsupport.observe.watcher.SAMPLES_EVERY_S", 0.05)
    with Watcher(
        cluster,
        recording,
        metadata=cluster,
        controller=FakeController(cluster),
        groups=FakeGroups(cluster),
        measure=cluster.measure,
    ) as watcher:
        yield watcher


def threads() -> list[threading.Thread]:
    """The watchers' threads of this process."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("kafka-lab watch demo: ")]


def test_all_is_watched_at_once(cluster: FakeCluster, watcher: Watcher, recording: Recording) -> None:
    """Processes, metadata and the controller, in daemon threads with names."""
    cluster.said.put([process(1, "started"), process(2, "ready")])
    wait_until(lambda: {"leader", "controller", "process"} <= {e["what"] for e in events(recording)}, 10, because="all")
    assert [e["state"] for e in events(recording, "process")] == ["starting", "running"]
    assert len(threads()) == 5 and all(thread.daemon for thread in threads())


def test_an_event_told_twice_is_written_once(cluster: FakeCluster, watcher: Watcher, recording: Recording) -> None:
    """`refresh` and the long poll may both be told."""
    cluster.said.put([process(1, "started")])
    wait_until(lambda: events(recording, "process"), 10, because="the first")
    cluster.said.put([process(1, "started"), process(2, "ready")])
    wait_until(lambda: len(events(recording, "process")) > 1, 10, because="the second")
    assert [e["state"] for e in events(recording, "process")] == ["starting", "running"]


def test_brokers_that_do_not_answer_are_survived(cluster: FakeCluster, watcher: Watcher, recording: Recording) -> None:
    """Nothing is written meanwhile, and the next answer counts again."""
    wait_until(lambda: events(recording, "leader"), 10, because="the first leader")
    cluster.metadata = NoAnswer("Silence.")
    looks = cluster.looks
    wait_until(lambda: cluster.looks > looks + 2, 10, because="more looks")
    cluster.metadata = seen(2)
    wait_until(lambda: len(events(recording, "leader")) == 2, 10, because="the second leader")
    assert [e["node"] for e in events(recording, "leader")] == [1, 2]


def test_catching_up_looks_now(cluster: FakeCluster, watcher: Watcher, recording: Recording) -> None:
    """What is true when it is called is in the file when it returns; with the watching over, nobody looks any more."""
    cluster.metadata = seen(2, (2,))
    recording.catch_up()
    assert events(recording, "isr")[-1]["isr"] == [2]
    watcher.stop()
    looks = cluster.looks
    recording.catch_up()
    assert cluster.looks == looks


def test_with_the_supervisor_gone_it_says_so_and_ends(
    cluster: FakeCluster, watcher: Watcher, recording: Recording, capfd: pytest.CaptureFixture[str]
) -> None:
    """Once, without a word on the screen."""
    cluster.said.put(NotRunning("Gone."))
    wait_until(lambda: not threads(), 10, because="the end of the threads")
    gone = {"what": "process", "node": "supervisor", "node_id": None, "state": "gone", "detail": ""}
    assert events(recording, "process") == [gone] and watcher.stopped
    watcher.refresh()
    assert capfd.readouterr() == ("", "")


def test_another_error_of_the_supervisor_is_survived(
    cluster: FakeCluster, watcher: Watcher, recording: Recording
) -> None:
    """It goes on asking."""
    cluster.said.put(LabError("Busy."))
    cluster.said.put([process(1, "ready")])
    wait_until(lambda: events(recording, "process"), 10, because="the event after the error")
    assert not watcher.stopped


def test_a_mistake_of_ours_is_not_printed_into_a_cell(
    cluster: FakeCluster, watcher: Watcher, recording: Recording, capfd: pytest.CaptureFixture[str]
) -> None:
    """The thread ends, the others go on."""
    cluster.metadata = RuntimeError("bug")
    wait_until(lambda: len(threads()) == 4, 10, because="the end of one thread")
    cluster.said.put([process(1, "ready")])
    wait_until(lambda: events(recording, "process"), 10, because="the others")
    assert capfd.readouterr() == ("", "")


def test_the_rate_is_that_of_acknowledged_sends_and_ends_with_a_zero(watcher: Watcher, recording: Recording) -> None:
    """By topic; failed sends do not count; nothing is written while nothing moves."""

    def rates(topic: str) -> list[float]:
        return [e["value"] for e in recording.entries(kinds={"sample"}) if e.get("topic") == topic]

    for n in range(10):
        recording.send("t", f"a-{n}", "acked", partition=0, offset=n)
        recording.send("failing", f"b-{n}", "failed")
    wait_until(lambda: 0 in rates("t"), 10, because="a zero")
    *moving, last = rates("t")
    assert last == 0 and moving and all(rate > 0 for rate in moving)
    assert rates("failing") == []
    looks = len(rates("t"))
    recording.send("u", "c-1", "acked")
    wait_until(lambda: 0 in rates("u"), 10, because="another topic's zero")
    assert len(rates("t")) == looks


def test_a_rate_goes_to_zero_when_the_watching_ends(watcher: Watcher, recording: Recording) -> None:
    """No picture goes on moving afterwards."""
    for n in range(100_000):
        recording.send("t", f"a-{n}", "acked")
        if any(e["value"] for e in recording.follow(kinds={"sample"}).poll()):
            break
        threading.Event().wait(0.005)
    watcher.stop()
    assert samples(recording, "records_per_s")[-1]["value"] == 0


def samples(recording: Recording, name: str) -> list[Entry]:
    """The samples of a quantity."""
    return [entry for entry in recording.entries(kinds={"sample"}) if entry["name"] == name]


def test_latencies_run_from_when_a_send_was_due(watcher: Watcher, recording: Recording) -> None:
    """By topic, of what was acknowledged since the last sample; sends without a due time have none."""
    t_s = recording.began_s + 1
    for n in range(99):
        recording.send("t", f"a-{n}", "acked", partition=0, offset=n, intended_s=t_s, t_s=t_s + 0.010)
    recording.send("t", "a-99", "acked", partition=0, offset=99, intended_s=t_s, t_s=t_s + 0.5)
    recording.send("u", "b-0", "acked", partition=0, offset=0)
    wait_until(lambda: samples(recording, "records_per_s"), 10, because="the rates")
    seen = {e["name"]: e["value"] for e in recording.entries(kinds={"sample"}) if e.get("topic") == "t" and e["value"]}
    assert seen["latency_max_ms"] == 500 and seen["latency_p50_ms"] == 10
    assert "latency_max_ms" not in {e["name"] for e in recording.entries(kinds={"sample"}) if e.get("topic") == "u"}


def test_the_quorum_is_written_when_it_changes(cluster: FakeCluster, watcher: Watcher, recording: Recording) -> None:
    """With its epoch and voters; the active controller is its leader."""
    wait_until(lambda: events(recording, "quorum"), 10, because="the quorum")
    cluster.controller = 1
    wait_until(lambda: len(events(recording, "quorum")) == 2, 10, because="another leader")
    assert events(recording, "quorum")[-1] == {"what": "quorum", "leader": 1, "epoch": 5, "voters": [1, 2, 3]}
    assert [e["node"] for e in events(recording, "controller")] == [3, 1]


def test_eligible_replicas_are_asked_for_where_some_are_out_of_sync(
    cluster: FakeCluster, watcher: Watcher, recording: Recording
) -> None:
    """And until there are none any more; a cluster that is well is not asked at all."""
    wait_until(lambda: events(recording, "quorum") and events(recording, "isr"), 10, because="a first look")
    assert cluster.asked_for_elr == []
    cluster.elr = {("t", 0): (2,)}
    cluster.metadata = seen(1, (1,))
    wait_until(lambda: events(recording, "elr"), 10, because="the ELR")
    cluster.metadata = seen(1, (1, 2))
    wait_until(lambda: events(recording, "isr")[-1]["isr"] == [1, 2], 10, because="the ISR")
    asked = len(cluster.asked_for_elr)
    wait_until(lambda: len(cluster.asked_for_elr) > asked + 1, 10, because="more questions, while there are some")
    cluster.elr = {("t", 0): ()}
    wait_until(lambda: len(events(recording, "elr")) == 2, 10, because="the empty ELR")
    assert [e["elr"] for e in events(recording, "elr")] == [[2], []]
    assert cluster.asked_for_elr[0] == {"t"}


def test_groups_are_watched_and_sampled(cluster: FakeCluster, watcher: Watcher, recording: Recording) -> None:
    """What they have committed when it changes, their lag again and again, unless an end was not told."""
    cluster.groups = [GroupPosition("billing", "t", {0: 7, 1: 0}, 5), GroupPosition("deaf", "t", {0: 1}, None)]
    wait_until(lambda: samples(recording, "lag_records"), 10, because="the lag")
    assert {(e["group"], e["topic"], e["value"]) for e in samples(recording, "lag_records")} == {("billing", "t", 5)}
    assert events(recording, "positions") == [
        {"what": "positions", "group": "billing", "topic": "t", "positions": {"0": 7, "1": 0}},
        {"what": "positions", "group": "deaf", "topic": "t", "positions": {"0": 1}},
    ]


def test_what_processes_use_is_sampled_while_they_live(
    cluster: FakeCluster, watcher: Watcher, recording: Recording
) -> None:
    """By the name of the node."""
    cluster.said.put([process(1, "started")])
    wait_until(lambda: samples(recording, "memory_mb"), 10, because="the memory")
    assert {(e["node"], e["value"]) for e in samples(recording, "memory_mb")} == {("broker-1", 42)}


def test_a_log_is_watched_when_somebody_asks(cluster: FakeCluster, watcher: Watcher, recording: Recording) -> None:
    """Its leader's segments, its start and its end; other partitions are not looked at."""
    cluster.ends = {("t", 0): (0, 9), ("u", 0): (0, 1)}
    cluster.files = {"t-0/00000000000000000000.log": 100, "t-0/00000000000000000000.index": 8, "t-0/x.log": 1}
    recording.watch_log("t", 0)
    wait_until(lambda: events(recording, "log"), 10, because="the log")
    cluster.files |= {"t-0/00000000000000000009.log": 40}
    wait_until(lambda: len(events(recording, "log")) == 2, 10, because="the new segment")
    assert events(recording, "log")[-1] == {
        "what": "log",
        "topic": "t",
        "partition": 0,
        "node": 1,
        "segments": [[0, 100], [9, 40]],
        "start": 0,
        "end": 9,
    }


def test_stopping_ends_all_threads_and_clients(cluster: FakeCluster, watcher: Watcher, recording: Recording) -> None:
    """Twice does no harm."""
    assert threads() and not cluster.closed
    watcher.stop()
    watcher.stop()
    assert threads() == [] and cluster.closed == 2  # that of the controller, and that of the groups
