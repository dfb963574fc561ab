"""The load generator while real brokers die: every send has one outcome, and what was acknowledged is there."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from labsupport import faults
from labsupport.clients.load import Load
from labsupport.clients.read_back import read_all
from labsupport.cluster.cluster import Cluster
from labsupport.core.journal import NullJournal
from labsupport.core.wait import wait_until


class Journal(NullJournal):
    """Keeps sends and reads."""

    def __init__(self) -> None:
        self.sends: list[tuple[str, str]] = []
        self.reads: Counter[str] = Counter()

    def send(self, topic: str, record_id: str, outcome: str, **rest: Any) -> None:
        self.sends.append((record_id, outcome))

    def read(
        self, topic: str, partition: int, offset: int, record_id: str, *, t_s: float | None = None, reader: str = ""
    ) -> None:
        self.reads[record_id] += 1


def _load(cluster: Cluster, topic: str, journal: Journal, **wishes: Any) -> Load:
    return Load(cluster.connection, topic, journal=journal, **{"records_per_s": 300, **wishes})


def _outcomes(load: Load, journal: Journal) -> Counter[str]:
    """Counted in the journal, where each record must have exactly one; and equal to the load's own counts."""
    assert len({record_id for record_id, _ in journal.sends}) == len(journal.sends) == load.sent
    outcomes = Counter(outcome for _, outcome in journal.sends)
    assert outcomes == Counter(acked=load.acked, failed=load.failed, unknown=load.unknown)
    return outcomes


# Requests that a frozen broker holds are given up after five seconds and sent again, not after librdkafka's minute.
IMPATIENT = {"socket.timeout.ms": 5_000, "request.timeout.ms": 5_000}


@pytest.mark.parametrize(
    "break_", [pytest.param(faults.killed, marks=pytest.mark.contract), faults.stopped, faults.paused]
)
def test_with_acks_all_nothing_acknowledged_is_lost_when_the_leader_goes(cluster: Cluster, break_: Any) -> None:
    """Two more replicas have each record, whichever way the leader leaves; idempotence keeps doubles out."""
    name = f"all-{break_.__name__}"
    topic = cluster.create_topic(name, replica_assignment={0: [1, 2, 3]}, config={"min.insync.replicas": 2})
    topic.wait_for_isr(size=3)
    journal = Journal()
    with _load(cluster, name, journal, delivery_timeout_ms=120_000, config=IMPATIENT) as load:
        load.wait_for_acked(100)
        with break_(faults.leader_of(cluster, topic)) as fault:
            load.wait_for_acked_after(fault.began_s + 1, timeout_s=90)
    topic.wait_for_isr(size=3)
    read_all(cluster.connection, name, journal=journal, timeout_s=60)
    outcomes = _outcomes(load, journal)
    assert outcomes["acked"] > 100
    assert [
        record_id for record_id, outcome in journal.sends if outcome == "acked" and not journal.reads[record_id]
    ] == []
    assert [record_id for record_id, times in journal.reads.items() if times > 1] == []


def test_too_few_replicas_and_no_retries_have_failed_for_certain(cluster: Cluster) -> None:
    """The leader refuses before it appends, so none of them is in the log."""
    topic = cluster.create_topic("refused", replica_assignment={0: [1, 2]}, config={"min.insync.replicas": 2})
    journal = Journal()
    with faults.stopped(cluster.broker(2)):
        wait_until(lambda: topic.isr() == [1], 60, because="the ISR to shrink")
        with _load(cluster, "refused", journal, idempotence=False, config={"retries": 0}) as load:
            wait_until(lambda: load.failed >= 20, 60, because="refusals")
        assert set(load.report().errors) == {"NOT_ENOUGH_REPLICAS"}
    assert _outcomes(load, journal) == Counter(failed=load.sent)
    assert read_all(cluster.connection, "refused", journal=journal) == 0


def test_when_no_replica_is_left_the_outcome_is_unknown(cluster: Cluster) -> None:
    """The only replica is frozen with requests on its desk: written or not, nobody can tell."""
    cluster.create_topic("frozen", replica_assignment={0: [3]})
    journal = Journal()
    with _load(cluster, "frozen", journal, delivery_timeout_ms=2000) as load:
        load.wait_for_acked(20)
        with faults.paused(cluster.broker(3)):
            load.stop()
    outcomes = _outcomes(load, journal)
    assert outcomes["acked"] >= 20
    assert outcomes["failed"] == 0


def test_acks_0_believes_what_never_arrived(cluster: Cluster) -> None:
    """A record given to a frozen broker's socket counts as acknowledged, and has no offset."""
    cluster.create_topic("believed", replica_assignment={0: [3]})
    journal = Journal()
    with _load(cluster, "believed", journal, acks=0, idempotence=False, delivery_timeout_ms=2000) as load:
        load.wait_for_acked(20)
        with faults.paused(cluster.broker(3)):
            acked = load.acked
            load.wait_for_acked(acked + 20, timeout_s=30)
            load.stop()
    assert _outcomes(load, journal)["acked"] >= 40
