"""The load generator never waits for the cluster, and every record that it sent has exactly one outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer

from labsupport.clients.load import ID_HEADER, Load, Record
from labsupport.clients.metadata import NoAnswer
from labsupport.core.clock import now_s
from labsupport.core.errors import BadInput, LabError, WaitTimeout
from labsupport.core.journal import NullJournal
from labsupport.core.wait import wait_until
from tests.unit.clients.mock_cluster import MockCluster


class Journal(NullJournal):
    """Keeps what was sent, and what was said of it."""

    def __init__(self) -> None:
        self.sends: list[dict[str, Any]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []

    def event(self, what: str, **fields: Any) -> None:
        self.events.append((what, fields))

    def send(self, topic: str, record_id: str, outcome: str, **rest: Any) -> None:
        self.sends.append({"topic": topic, "id": record_id, "outcome": outcome, **rest})


def _each_has_one_outcome(load: Load, journal: Journal | None = None) -> bool:
    if journal is not None:
        ids = Counter(send["id"] for send in journal.sends)
        outcomes = Counter(send["outcome"] for send in journal.sends)
        assert len(ids) == load.sent
        assert set(ids.values()) <= {1}
        assert outcomes == Counter(acked=load.acked, failed=load.failed, unknown=load.unknown)
    return load.sent == load.acked + load.failed + load.unknown


@pytest.mark.parametrize("acks", [0, 1, "all"])
def test_every_record_is_acknowledged_once(mock_cluster: MockCluster, acks: Any) -> None:
    """On a cluster that is well, with any acks; the journal holds each send under an id of its own."""
    journal = Journal()
    with Load(
        mock_cluster.connection, "t", records=300, records_per_s=3000, acks=acks, idempotence=False, journal=journal
    ) as load:
        load.wait_until_finished()
    assert (load.sent, load.acked) == (300, 300)
    assert _each_has_one_outcome(load, journal)
    assert all(send["partition"] in range(4) and send["intended_s"] <= send["t_s"] for send in journal.sends)
    assert all((send["offset"] is None) == (acks == 0) for send in journal.sends)
    producer = journal.sends[0]["id"].rpartition("-")[0]
    declared = {"topic": "t", "producer": producer, "acks": str(acks), "idempotence": False}
    assert journal.events == [("load", declared)]  # what "acked" means here


@pytest.mark.parametrize("journaled", [True, False])
def test_as_fast_as_it_goes(mock_cluster: MockCluster, journaled: bool) -> None:
    """Without a rate; without a journal in bulk."""
    journal = Journal() if journaled else None
    with Load(mock_cluster.connection, "t", records=20_000, records_per_s=None, journal=journal) as load:
        load.wait_until_finished()
    assert (load.sent, load.acked, load.latencies.count) == (20_000, 20_000, 20_000)
    assert _each_has_one_outcome(load, journal)


def test_the_id_travels_in_a_header_and_key_and_value_in_their_places(mock_cluster: MockCluster) -> None:
    """So a reader can match what was read with what was sent."""
    journal = Journal()
    records = [Record("a", "1"), Record(None, b"2"), Record(b"c", None)]
    with Load(mock_cluster.connection, "t", source=records, records_per_s=1000, journal=journal) as load:
        load.wait_until_finished()
    read = _read(mock_cluster, 3)
    assert sorted((m.key() or b"", m.value() or b"") for m in read) == [(b"", b"2"), (b"a", b"1"), (b"c", b"")]
    places = {send["id"]: (send["partition"], send["offset"]) for send in journal.sends}
    assert {dict(m.headers())[ID_HEADER].decode(): (m.partition(), m.offset()) for m in read} == places


def test_sizes_vary_between_their_bounds(mock_cluster: MockCluster) -> None:
    """(smallest, largest), both reached sooner or later."""
    with Load(mock_cluster.connection, "t", records=200, records_per_s=None, size_bytes=(1, 3)) as load:
        load.wait_until_finished()
    assert {len(message.value()) for message in _read(mock_cluster, 200)} == {1, 2, 3}


def test_a_source_sets_its_own_pace(mock_cluster: MockCluster) -> None:
    """Intended times are the start plus `at_s`, whatever the rate."""
    journal = Journal()
    records = [Record(None, "x", at_s) for at_s in (0.0, 0.0, 0.05, 0.2)]
    with Load(mock_cluster.connection, "t", source=iter(records), records_per_s=1, journal=journal) as load:
        load.wait_until_finished()
    due = sorted(send["intended_s"] for send in journal.sends)
    assert [round(t - due[0], 6) for t in due] == [0.0, 0.0, 0.05, 0.2]


def test_the_first_record_waits_until_it_is_due_too(mock_cluster: MockCluster) -> None:
    """Sent at once, it would be acknowledged before its intended time: a negative latency, which no histogram takes."""
    journal = Journal()
    with Load(
        mock_cluster.connection, "t", source=[Record(None, "x", 0.3), Record(None, "y", 0.3)], journal=journal
    ) as load:
        load.wait_until_finished()
    assert (load.acked, load.latencies.count) == (2, 2)
    assert all(send["intended_s"] <= send["t_s"] for send in journal.sends)


def test_it_goes_on_sending_while_nobody_answers_and_charges_the_wait(mock_cluster: MockCluster) -> None:
    """Open loop: 100 more records leave during the pause, and most of them report a wait of 100 ms and more."""
    with Load(mock_cluster.connection, "t", records_per_s=200) as load:
        load.wait_for_acked(20)
        mock_cluster.pause()
        sent = load.sent
        wait_until(lambda: load.sent >= sent + 100, 30, because="records sent without acknowledgements")
        acked = load.acked
        mock_cluster.resume()
        load.wait_for_acked(acked + 100)
    histogram = _decoded(load.report().histogram)
    waited = sum(
        step.count_at_value_iterated_to
        for step in histogram.get_recorded_iterator()
        if step.value_iterated_to >= 100_000
    )
    assert waited >= 50  # a closed loop would report one or two


@pytest.mark.parametrize("bulk", [True, False])
def test_when_the_cluster_dies_what_is_open_becomes_unknown(mock_cluster: MockCluster, bulk: bool) -> None:
    """Bounded by the delivery time-out, and nothing is counted twice or not at all."""
    journal = None if bulk else Journal()
    rate = None if bulk else 2000
    with Load(mock_cluster.connection, "t", records_per_s=rate, journal=journal, delivery_timeout_ms=1500) as load:
        load.wait_for_acked(50)
        mock_cluster.kill()
        sent = load.sent
        wait_until(lambda: load.sent > sent + 100, 30, because="records sent to nobody")
    assert load.acked >= 50
    assert load.unknown > 0
    assert load.failed == 0
    assert _each_has_one_outcome(load, journal)
    assert load.report().errors


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("in the cell")])
def test_whatever_ends_the_block_each_record_has_its_outcome(mock_cluster: MockCluster, error: BaseException) -> None:
    """And the error goes on."""
    journal = Journal()
    with pytest.raises(type(error)), Load(mock_cluster.connection, "t", records_per_s=2000, journal=journal) as load:
        load.wait_for_acked(10)
        raise error
    assert load.finished
    assert _each_has_one_outcome(load, journal)


def test_a_second_interruption_ends_the_wait_for_what_is_open(
    mock_cluster: MockCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the block is being left: what is open is unknown at once, not after the delivery time-out."""
    journal = Journal()
    load = Load(mock_cluster.connection, "t", records_per_s=500, journal=journal, delivery_timeout_ms=600_000)
    join = load._thread.join
    presses = iter([True])

    def interrupted_join(timeout: float | None = None) -> None:
        if next(presses, False):
            raise KeyboardInterrupt
        join(timeout)

    with pytest.raises(KeyboardInterrupt), load:
        load.wait_for_acked(10)
        mock_cluster.pause()
        sent = load.sent
        wait_until(lambda: load.sent > sent + 20, 30, because="records that nobody acknowledges")
        monkeypatch.setattr(load._thread, "join", interrupted_join)
    wait_until(lambda: load.finished, 30, because="the load to end")
    assert load.unknown > 0
    assert _each_has_one_outcome(load, journal)


def test_a_full_client_is_counted_and_nothing_is_dropped(mock_cluster: MockCluster) -> None:
    """BufferError is no outcome: the record waits, its latency runs from its intended time."""
    config = {"queue.buffering.max.messages": 10}
    with Load(mock_cluster.connection, "t", records=500, records_per_s=None, config=config, journal=Journal()) as load:
        load.wait_until_finished()
    assert load.acked == 500
    assert load.buffer_full > 0


@pytest.mark.parametrize("bulk", [True, False])
def test_a_record_that_is_too_large_has_failed(mock_cluster: MockCluster, bulk: bool) -> None:
    """The client refuses it, so it is certainly not written."""
    journal = None if bulk else Journal()
    config = {"message.max.bytes": 2000}
    with Load(
        mock_cluster.connection, "t", records=5, records_per_s=None, size_bytes=3000, config=config, journal=journal
    ) as load:
        load.wait_until_finished()
    assert (load.sent, load.failed) == (5, 5)
    assert load.report().errors == {"MSG_SIZE_TOO_LARGE": 5}
    assert _each_has_one_outcome(load, journal)


def test_falling_behind_is_reported(mock_cluster: MockCluster) -> None:
    """Nobody sends ten million records a second from Python, and the report says so."""
    with Load(mock_cluster.connection, "t", records=2000, records_per_s=10_000_000) as load:
        load.wait_until_finished()
    assert load.report().behind_s > 0


def test_an_acknowledgement_after_a_moment_is_of_a_record_due_after_it(mock_cluster: MockCluster) -> None:
    """The acknowledgement of a record that was under way at that moment does not count."""
    journal = Journal()
    with Load(mock_cluster.connection, "t", records_per_s=500, journal=journal) as load:
        load.wait_for_acked(5)
        moment = now_s()
        seen = load.wait_for_acked_after(moment)
        assert any(moment < send["intended_s"] <= send["t_s"] <= seen for send in list(journal.sends))


def test_what_goes_wrong_in_the_source_surfaces_with_the_next_call(mock_cluster: MockCluster) -> None:
    """As one sentence with the cause attached, not in a thread that nobody looks at."""

    def source() -> Iterator[Record]:
        yield Record(None, "x")
        raise ZeroDivisionError("bad \x1b[31m data")

    load = Load(mock_cluster.connection, "t", source=source())
    with pytest.raises(LabError, match="The load on t broke off: bad") as caught, load:
        load.wait_for_acked(5)
    assert "\x1b" not in str(caught.value)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert load.acked == 1


def test_waiting_for_more_than_will_come_ends(mock_cluster: MockCluster) -> None:
    """A load that has ended acknowledges nothing more."""
    with Load(mock_cluster.connection, "t", records=3) as load:
        with pytest.raises(LabError, match="the load has ended"):
            load.wait_for_acked(4)
        assert load.wait_for_acked(3) == 3


def test_waiting_has_an_end(mock_cluster: MockCluster) -> None:
    """And says what it waited for."""
    load = Load(mock_cluster.connection, "t", records_per_s=10)
    with load, pytest.raises(WaitTimeout, match="1000000 acknowledged records of t"):
        load.wait_for_acked(1_000_000, timeout_s=0.1)


def test_stopping_twice_does_no_harm(mock_cluster: MockCluster) -> None:
    """Leaving the block stops a third time."""
    with Load(mock_cluster.connection, "t") as load:
        load.wait_for_acked(1)
        load.stop()
        sent = load.sent
        load.stop()
    assert load.sent == sent == load.acked


def test_a_load_runs_once(mock_cluster: MockCluster) -> None:
    """Its counters would mix two runs."""
    load = Load(mock_cluster.connection, "t", records=1)
    with load:
        load.wait_until_finished()
    with pytest.raises(BadInput, match="has run already"):
        load.__enter__()


def test_a_delivery_time_out_in_the_config_bounds_the_end_too(mock_cluster: MockCluster) -> None:
    """The dotted setting has the last word, so leaving the block does not wait 600 s for what expires after one."""
    load = Load(mock_cluster.connection, "t", delivery_timeout_ms=600_000, config={"delivery.timeout.ms": 1000})
    with load:
        load.wait_for_acked(5)
        mock_cluster.pause()
        sent = load.sent
        wait_until(lambda: load.sent > sent + 20, 30, because="records that nobody acknowledges")
    assert load.unknown > 0
    assert _each_has_one_outcome(load)


def test_the_report_is_complete(mock_cluster: MockCluster) -> None:
    """Its figures fit together, and its histogram can be decoded by any HdrHistogram."""
    with Load(mock_cluster.connection, "t", records=100, records_per_s=1000) as load:
        load.wait_until_finished()
    report = load.report()
    assert report.p50_ms is not None and report.p99_ms is not None and report.max_ms is not None
    assert 0 < report.p50_ms <= report.p99_ms <= report.max_ms
    assert report.acked_per_s == pytest.approx(100 / report.duration_s)
    assert _decoded(report.histogram).get_total_count() == 100


def test_a_topic_that_is_not_there_is_named(mock_cluster: MockCluster) -> None:
    """Before anything is sent; and its name cannot colour a terminal."""
    with pytest.raises(LabError, match=r"There is no topic no\\x1bwhere") as caught:
        Load(mock_cluster.connection, "no\x1bwhere").__enter__()
    assert "create_topic" in caught.value.fix


def test_a_cluster_that_is_not_there_is_named(mock_cluster: MockCluster) -> None:
    """No answer is an answer."""
    mock_cluster.kill()
    with pytest.raises(NoAnswer):
        Load(mock_cluster.connection, "t").__enter__()


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"records_per_s": 0}, "records_per_s is 0"),
        ({"records_per_s": float("nan")}, "records_per_s is nan"),
        ({"records": 0}, "records is 0"),
        ({"size_bytes": -1}, "size_bytes is -1"),
        ({"size_bytes": (5, 2)}, r"size_bytes is \(5, 2\)"),
        ({"size_bytes": ()}, r"size_bytes is \(\)"),
        ({"acks": "some"}, "acks is 'some'"),
        ({"acks": 1}, "idempotence=False"),
        ({"delivery_timeout_ms": 0}, "delivery_timeout_ms is 0"),
        ({"config": {"batch.size": "many"}}, r"batch\.size"),
        ({"config": {"no.such.setting": 1}}, r"no\.such\.setting"),
    ],
)
def test_what_cannot_be_meant_is_refused(mock_cluster: MockCluster, wishes: dict[str, Any], words: str) -> None:
    """In words that name the argument."""
    with pytest.raises(BadInput, match=words):
        Load(mock_cluster.connection, "t", **wishes).__enter__()


def _decoded(histogram: str) -> Any:
    """By the package of hdrhistogram.org, which has no wheel for every platform."""
    return pytest.importorskip("hdrh.histogram").HdrHistogram.decode(histogram)


def _read(cluster: MockCluster, count: int) -> list[Any]:
    consumer = Consumer(
        cluster.connection.confluent(**{"group.id": "g", "auto.offset.reset": "earliest", "log_level": 0})
    )
    consumer.subscribe(["t"])
    messages: list[Any] = []

    def enough() -> bool:
        messages.extend(message for message in consumer.consume(500, timeout=0.2) if message.error() is None)
        return len(messages) >= count

    wait_until(enough, 60, because=f"{count} records")
    consumer.close()
    return messages
