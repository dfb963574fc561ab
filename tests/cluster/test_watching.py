"""What the watchers and samplers of a Recording see of real clusters, held against what the brokers say themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labsupport import faults
from labsupport._wiring import _record
from labsupport.cluster import cluster as room
from labsupport.cluster.cluster import Cluster
from labsupport.core.errors import BadInput
from labsupport.core.wait import wait_until
from labsupport.observe import Recording
from labsupport.observe.format import Entry


@pytest.fixture(autouse=True, scope="module")
def _recorded() -> Iterator[None]:
    """Every cluster of this file is recorded, as in a notebook."""
    before, room.observers[:] = list(room.observers), [_record]
    yield
    room.observers[:] = before


def recording_of(cluster: Cluster) -> Recording:
    """Its Recording."""
    assert isinstance(cluster.recording, Recording)
    return cluster.recording


def events(cluster: Cluster, what: str) -> list[Entry]:
    """The events of this kind so far."""
    return [e for e in recording_of(cluster).entries(kinds={"event"}) if e["what"] == what]


def samples(cluster: Cluster, name: str) -> list[Entry]:
    """The samples of this quantity so far."""
    return [e for e in recording_of(cluster).entries(kinds={"sample"}) if e["name"] == name]


@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_groups_logs_latencies_and_processes_are_seen(coordination: str) -> None:
    """A load, a group that stops half-way, and a log that rolls: each number is the brokers' own."""
    with Cluster.start(brokers=2, coordination=coordination) as cluster:
        flights = cluster.create_topic("flights", partitions=2, config={"segment.bytes": 1_048_576})
        cluster.watch_log(flights, 0)
        with pytest.raises(BadInput, match="no partition"):
            cluster.watch_log(flights, 7)
        with cluster.load(flights, records_per_s=400, size_bytes=4000, records=1600) as load:
            load.wait_until_finished()
        with cluster.consumer(flights, group_id="billing", enable_auto_commit=False) as consumer:
            wait_until(lambda: consumer.poll(timeout_ms=500, max_records=50), 30, because="some records")
            consumer.commit()
        admin = cluster.admin()
        (committed,) = admin.list_group_offsets({"billing": None}).values()
        admin.close()
        positions = {str(place.partition): found.offset for place, found in committed.items() if found.offset >= 0}
        wait_until(lambda: events(cluster, "positions"), 30, because="the committed offsets")
        assert events(cluster, "positions")[-1]["positions"] == positions
        lag = wait_until(lambda: samples(cluster, "lag_records"), 30, because="the lag")
        assert (lag[-1]["group"], lag[-1]["topic"]) == ("billing", "flights")
        assert 0 < lag[-1]["value"] <= cluster.read_back(flights) - sum(positions.values())

        leader = cluster.leader(flights, 0)
        sizes = {f: n for f, n in leader.sizes("flights", 0).items() if f.endswith(".log")}
        assert sizes == {f: len(leader.read(f)) for f in sizes}
        wait_until(
            lambda: sorted(size for _, size in events(cluster, "log")[-1]["segments"]) == sorted(sizes.values()),
            30,
            because="the log's segments in the recording",
        )
        seen = events(cluster, "log")[-1]
        assert len(seen["segments"]) > 1 and (seen["node"], seen["start"]) == (leader.node_id, 0)
        assert seen["segments"][0][0] == 0 < seen["end"]

        median, most = (max(e["value"] for e in samples(cluster, f"latency_{name}_ms")) for name in ("p50", "max"))
        assert 0 < median <= most
        nodes = {node.name for node in (*cluster.brokers, *cluster.coordinators)}
        assert {e["node"] for e in samples(cluster, "cpu_cores")} == nodes
        assert {e["node"] for e in samples(cluster, "memory_mb") if 20 < e["value"] < 2000} == nodes


def test_the_quorum_and_the_eligible_replicas_are_seen() -> None:
    """Below `min.insync.replicas`, who was in sync last stays eligible to lead; back in sync, nobody needs to be."""
    with Cluster.start(brokers=3, controllers=1) as cluster:
        flights = cluster.create_topic("flights", replica_assignment={0: [1, 2, 3]}, config={"min.insync.replicas": 2})
        wait_until(lambda: events(cluster, "quorum"), 30, because="the quorum")
        quorum = events(cluster, "quorum")[-1]
        assert (quorum["leader"], quorum["voters"]) == (cluster.controller().node_id, [cluster.controller().node_id])
        assert events(cluster, "elr") == []
        with faults.stopped(cluster.broker(2), cluster.broker(3)):
            flights.wait_for_isr(size=1)
            eligible = wait_until(lambda: events(cluster, "elr"), 30, because="the eligible replicas")
            assert eligible[-1]["elr"] and set(eligible[-1]["elr"]) <= {2, 3}
        flights.wait_for_isr(size=3)
        wait_until(lambda: events(cluster, "elr")[-1]["elr"] == [], 30, because="no eligible replicas any more")


def test_a_lost_log_folder_is_seen() -> None:
    """A broker with two of them goes on with the other; which one is lost is written by its number."""
    with Cluster.start(brokers=2, log_dirs=2) as cluster:
        flights = cluster.create_topic("flights", partitions=4, config={"segment.bytes": 1_048_576})
        lost = Path(cluster.broker(2).facts.log_dirs[1])
        lost.rename(lost.with_name("elsewhere"))
        with cluster.load(flights, records_per_s=500, size_bytes=4000):  # until a segment is full
            wait_until(lambda: events(cluster, "log dir"), 60, because="the lost folder")
        (event,) = events(cluster, "log dir")
        assert (event["node"], event["log_dir"], event["state"]) == ("broker-2", 1, "offline")
        assert cluster.broker(2).state == "running"


def test_a_witness_may_have_seen_what_others_do_not() -> None:
    """A named reader's reads are told apart, and do not count as the read of the whole topic."""
    with Cluster.start(brokers=1) as cluster:
        flights = cluster.create_topic("flights")
        with cluster.load(flights, records=20) as load:
            load.wait_until_finished()
        assert cluster.read_back(flights, reader="billing") == 20
        assert events(cluster, "read back") == []
        assert cluster.read_back(flights) == 20
        assert events(cluster, "read back")[-1]["high_watermarks"] == {"0": 20}
        reads = [e.get("reader", "") for e in recording_of(cluster).entries(kinds={"read"})]
        assert reads == ["billing"] * 20 + [""] * 20
