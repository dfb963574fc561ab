"""A Recording of real clusters: what it shows of a failover, and that its verdict can see a loss that was provoked."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from labsupport import faults
from labsupport._wiring import _record
from labsupport.cluster import cluster as room
from labsupport.cluster.cluster import Cluster
from labsupport.core.wait import wait_until
from labsupport.observe import Recording, failover, state_of, verdict, watch
from labsupport.observe.format import Entry
from labsupport.observe.operations import Read
from labsupport.observe.packed import pack
from tests.cluster.conftest import SESSION


@pytest.fixture(autouse=True, scope="module")
def _recorded() -> Iterator[None]:
    """Every cluster of this file is recorded, as in a notebook."""
    before, room.observers[:] = list(room.observers), [_record]
    yield
    room.observers[:] = before


@pytest.fixture(params=["kraft", "zookeeper"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three brokers and a Recording."""
    with Cluster.start(brokers=3, coordination=request.param, config=SESSION[request.param]) as running:
        yield running


def recording_of(cluster: Cluster) -> Recording:
    """Its Recording."""
    assert isinstance(cluster.recording, Recording)
    return cluster.recording


def events(recording: Recording, *whats: str, after_t: float = 0) -> list[Entry]:
    """Its events of these kinds, in the order of their time."""
    found = [e for e in recording.entries(kinds={"event"}) if e["what"] in whats and e["t"] >= after_t]
    return sorted(found, key=lambda entry: float(entry["t"]))


def copied(recording: Recording, folder: Path) -> Recording:
    """Both files, elsewhere."""
    for path in (recording.path, recording.history_path):
        shutil.copy(path, folder)
    return Recording.load(folder / recording.path.name)


def without_a_read(recording: Recording, folder: Path) -> Recording:
    """A copy in whose history one record that is there was not found."""
    folder.mkdir()
    copy = copied(recording, folder)
    operations = list(copy.operations())
    reads = [n for n, operation in enumerate(operations) if isinstance(operation, Read)]
    del operations[reads[len(reads) // 2]]
    copy.history_path.write_bytes(copy.header.encode_history() + pack(operations))
    return copy


@pytest.mark.contract
def test_a_killed_leader_is_seen_from_the_signal_to_the_next_acknowledged_write(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Fault began, process ended, leader moved, ISR shrank, acknowledged again; nothing lost, nothing twice; and all of
    it again from a copy of the file, which shows a loss as soon as one read is missing."""
    recording = recording_of(cluster)
    flights = cluster.create_topic("flights", replica_assignment={0: [1, 2, 3]}, config={"min.insync.replicas": 2})
    with cluster.load(flights, records_per_s=100) as load:
        load.wait_for_acked(50)
        with faults.killed(cluster.leader("flights", 0)) as fault:
            flights.wait_for_leader(other_than=1)
            wait_until(lambda: failover_seen(recording), 60, because="the first acknowledged write in the Recording")
            seen = failover(recording, "flights", 0)
            assert state_of(recording).nodes["broker-1"].state == "stopped"
            assert state_of(recording).faults == (("killed", ("broker-1",)),)
        flights.wait_for_isr(size=3)
    cluster.read_back(flights)

    assert (seen.fault, seen.old) == ("killed", 1)
    assert seen.new in {2, 3}
    assert seen.signal_t == pytest.approx(fault.began_s - recording.began_s, abs=0.5)
    assert None not in {seen.exited_s, seen.isr_shrunk_s, seen.new_leader_s, seen.first_acked_s}
    assert 0 < seen.exited_s < seen.new_leader_s < seen.first_acked_s  # type: ignore[operator]
    states = [e["state"] for e in events(recording, "process", after_t=seen.signal_t) if e["node"] == "broker-1"]
    assert [state for state in states if state != "waiting"] == ["stopped", "starting", "running"]
    judged = verdict(recording, "flights")
    assert judged.acked >= 50 and judged.read >= judged.acked
    assert repr(judged).startswith("acknowledged and lost: 0 · duplicated: 0")
    rates = [e["value"] for e in recording.entries(kinds={"sample"}) if e["name"] == "records_per_s"]
    assert {rate > 0 for rate in rates} == {True, False}

    copy = copied(recording, tmp_path)
    assert (failover(copy, "flights", 0).new, verdict(copy, "flights")) == (seen.new, judged)
    missing = verdict(without_a_read(recording, tmp_path / "tampered"), "flights")
    assert (missing.unobserved, missing.duplicated) == (1, 0)
    assert missing.counter_example[0]["outcome"] == "acked"


def failover_seen(recording: Recording) -> bool:
    """Whether the failover is complete."""
    return failover(recording, "flights", 0).first_acked_s is not None


def test_what_one_broker_alone_acknowledged_is_lost_with_it() -> None:
    """The positive control, provoked: followers frozen within `replica.lag.time.max.ms`, so that they stay in the ISR;
    acks=1; the leader killed, the followers woken: one of them leads, without those records."""
    with Cluster.start(brokers=3, coordination="kraft", controllers=1) as cluster:
        recording = recording_of(cluster)
        flights = cluster.create_topic("flights", replica_assignment={0: [1, 2, 3]})
        followers = cluster.followers("flights", 0)
        leader = cluster.leader("flights", 0)
        for follower in followers:
            follower.pause()
        with cluster.load(flights, acks=1, idempotence=False, records=200, records_per_s=200) as load:
            load.wait_until_finished()
        leader.kill()
        for follower in followers:
            follower.resume()
        flights.wait_for_leader(other_than=leader.node_id)
        cluster.read_back(flights)
        judged = verdict(recording, "flights")
        assert judged.acked == 200 and judged.lost > 0 and not judged.clean
        assert judged.lost == judged.acked - judged.read
        assert judged.counter_example[0]["outcome"] == "acked"
        wait_until(lambda: failover(recording, "flights", 0).new, 30, because="the new leader in the Recording")
        seen = failover(recording, "flights", 0)
        assert (seen.fault, seen.old) == ("exited", leader.node_id)


def test_a_frozen_leader_does_not_hold_up_the_watching(cluster: Cluster) -> None:
    """Its sockets stay open and it never answers; the others are asked. Once awake it tells old news, not believed."""
    recording = recording_of(cluster)
    flights = cluster.create_topic("flights", replica_assignment={0: [2, 1, 3]})
    with faults.paused(cluster.broker(2)):
        assert wait_until(lambda: failover(recording, "flights", 0).new, 60, because="the new leader") in {1, 3}
        wait_until(lambda: state_of(recording).nodes["broker-2"].state == "paused", 10, because="the paused node")
    flights.wait_for_isr(size=3)
    wait_until(lambda: state_of(recording).topics["flights"][0].isr == (1, 2, 3), 30, because="the ISR in the picture")
    moves = [e["node"] for e in events(recording, "leader", after_t=failover(recording, "flights", 0).signal_t)]
    assert [node for node in moves if node is not None] == [failover(recording, "flights", 0).new]


def test_a_watcher_outlives_its_cluster_quietly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The supervisor goes away: it is written down once, nothing runs any more in the picture, the threads end."""
    with Cluster.start(brokers=1, coordination="kraft") as cluster, Recording.for_cluster(cluster) as recording:
        watcher = watch(cluster, recording)
        wait_until(lambda: state_of(recording).nodes["broker-1"].state == "running", 30, because="the running broker")
        capfd.readouterr()
        cluster.shutdown()
        wait_until(lambda: watcher.stopped, 30, because="the end of the watching")
        name = f"kafka-lab watch {cluster.name}: "
        wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith(name)], 10, because="its threads")
        # and its clients: one of kafka-python that is not closed goes on trying to connect
        wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("kafka-io")], 10, because="them")
        assert [e["state"] for e in events(recording, "process")][-1] == "gone"
        assert {node.state for node in state_of(recording).nodes.values()} == {"stopped"}
        assert capfd.readouterr() == ("", "")
