"""The verdict on a Recording: which of its read backs counts, and what is said of it.

What the checker finds in a history is in `test_history_anomalies` and `test_history_generated`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from labsupport.core.errors import LabError
from labsupport.observe import HistoryVerdict, Recording, verdict

Send = tuple[str, str, int | None, int | None]  # id, outcome, partition, offset
Read = tuple[int, int, str]  # partition, offset, id


def judge(recording: Recording, sends: Iterable[Send], reads: Iterable[Read]) -> HistoryVerdict:
    """The verdict on `sends` to "t" and one full read back of it."""
    for record_id, outcome, partition, offset in sends:
        recording.send("t", record_id, outcome, partition=partition, offset=offset)
    read_back(recording, reads)
    return verdict(recording, "t")


def read_back(recording: Recording, reads: Iterable[Read], *, complete: bool = True, topic: str = "t") -> None:
    """What `clients.read_back` writes."""
    recording.event("read back began", topic=topic)
    for partition, offset, record_id in reads:
        recording.read(topic, partition, offset, record_id)
    recording.event("read back", topic=topic, complete=complete, records=0)


def kinds(example: tuple[dict[str, Any], ...]) -> list[tuple[str, str]]:
    """The kind and id of each entry of a counter-example."""
    return [(entry["k"], entry["id"]) for entry in example]


THREE: list[Send] = [("a-1", "acked", 0, 0), ("a-2", "acked", 0, 1), ("a-3", "acked", 0, 2)]


def test_a_clean_history(recording: Recording) -> None:
    """All acknowledged, all there, each once."""
    judged = judge(recording, THREE, [(0, 0, "a-1"), (0, 1, "a-2"), (0, 2, "a-3")])
    assert (judged.acked, judged.lost, judged.duplicated, judged.unknown, judged.read) == (3, 0, 0, 0, 3)
    assert judged.clean and judged.counter_example == ()
    assert repr(judged) == "acknowledged and lost: 0 · duplicated: 0 · unknown: none"


def test_acknowledged_and_lost(recording: Recording) -> None:
    """Broker 2 wrote another record where the acknowledged one should be; the example shows both, and no more."""
    judged = judge(
        recording, [*THREE, ("a-9", "acked", 0, 9)], [(0, 0, "a-1"), (0, 1, "b-7"), (0, 2, "a-3"), (0, 9, "a-9")]
    )
    assert (judged.acked, judged.lost, judged.duplicated, judged.unexpected) == (4, 1, 0, 1)
    assert not judged.clean
    assert kinds(judged.counter_example) == [("send", "a-2"), ("read", "b-7")]
    assert repr(judged) == "acknowledged and lost: 1 · duplicated: 0 · unknown: none"


def test_duplicated(recording: Recording) -> None:
    """One send at two offsets: the example is the send and its two places."""
    judged = judge(recording, THREE, [(0, 0, "a-1"), (0, 1, "a-2"), (0, 2, "a-2"), (0, 3, "a-3")])
    assert (judged.lost, judged.duplicated, judged.clean) == (0, 1, False)
    assert kinds(judged.counter_example) == [("send", "a-2"), ("read", "a-2"), ("read", "a-2")]
    assert [entry["offset"] for entry in judged.counter_example[1:]] == [1, 2]


def test_a_record_at_eight_places_is_one_duplicate_and_a_small_example(recording: Recording) -> None:
    """It is records that are counted, and two places prove it."""
    judged = judge(recording, THREE[:1], [(0, n, "a-1") for n in range(8)])
    assert judged.duplicated == 1 and len(judged.counter_example) == 3


def test_a_load_with_acks_0_promises_nothing_and_is_judged_by_that(recording: Recording) -> None:
    """What `clients.load` writes first says that "acked" only means given to the socket."""
    recording.event("load", topic="t", producer="a", acks="0", idempotence=False)
    judged = judge(recording, [("a-0", "acked", None, None), ("a-1", "acked", None, None)], [(0, 0, "a-0")])
    assert (judged.acked, judged.unconfirmed, judged.lost, judged.sent_missing) == (0, 2, 0, 1)
    assert [entry["k"] for entry in judged.counter_example] == ["event", "send", "event"]
    assert repr(judged).endswith("sent, never acknowledged and missing: 1")


def test_unknown_is_no_anomaly(recording: Recording) -> None:
    """A send that timed out may be there or not: counted apart, and told apart."""
    sends: list[Send] = [("a-1", "acked", 0, 0), ("a-2", "unknown", None, None), ("a-3", "unknown", None, None)]
    judged = judge(recording, sends, [(0, 0, "a-1"), (0, 1, "a-3")])
    assert (judged.unknown, judged.unknown_found, judged.unknown_missing) == (2, 1, 1)
    assert judged.clean and judged.counter_example == ()
    assert repr(judged) == "acknowledged and lost: 0 · duplicated: 0 · unknown: some"


def test_an_unknown_one_can_be_duplicated(recording: Recording) -> None:
    """Sent once, there twice, whatever the client knows."""
    assert judge(recording, [("a-1", "unknown", None, None)], [(0, 0, "a-1"), (1, 0, "a-1")]).duplicated == 1


def test_failed_means_not_written(recording: Recording) -> None:
    """A record that is there though its send certainly failed is a phantom."""
    judged = judge(recording, [("a-1", "failed", None, None), ("a-2", "failed", None, None)], [(0, 0, "a-2")])
    assert (judged.failed, judged.phantom, judged.clean) == (2, 1, False)
    assert kinds(judged.counter_example) == [("send", "a-2"), ("read", "a-2")]
    assert repr(judged).endswith("failed and yet written: 1")


def test_records_of_others_are_counted_and_no_anomaly(recording: Recording) -> None:
    """With an id that nobody here sent, or with none."""
    judged = judge(recording, THREE[:1], [(0, 0, "a-1"), (0, 1, ""), (0, 2, ""), (0, 3, "x-1")])
    assert (judged.unexpected, judged.read, judged.clean) == (3, 4, True)


def test_without_a_full_read_back_nothing_is_judged(recording: Recording) -> None:
    """None at all, one of another topic, one that gave up: what the topic holds is not known."""
    recording.send("t", "a-1", "acked", partition=0, offset=0)
    for attempt in (
        lambda: None,
        lambda: read_back(recording, [], topic="other"),
        lambda: recording.event("read back", topic="t", complete=True),
        lambda: read_back(recording, [(0, 0, "a-1")], complete=False),
    ):
        attempt()
        with pytest.raises(LabError, match=r"read it back first.*cluster\.read_back\('t'\)"):
            verdict(recording, "t")
    read_back(recording, [(0, 0, "a-1")])
    assert verdict(recording, "t").clean


def test_sends_that_end_after_the_read_back_began_are_not_judged(recording: Recording) -> None:
    """They may be beyond the high watermark that it reads to; another topic's do not matter."""
    judge(recording, THREE[:1], [(0, 0, "a-1")])
    recording.send("other", "b-1", "acked")
    assert verdict(recording, "t").clean
    recording.send("t", "a-2", "acked", partition=0, offset=1)
    with pytest.raises(LabError, match="ended after it was read back"):
        verdict(recording, "t")
    read_back(recording, [(0, 0, "a-1"), (0, 1, "a-2")])
    assert verdict(recording, "t").clean


def test_what_a_consumer_saw_before_does_not_count(recording: Recording) -> None:
    """A record may have been read, and be gone since: only the last full read back says what is there."""
    recording.send("t", "a-1", "acked", partition=0, offset=0)
    recording.read("t", 0, 0, "a-1")
    read_back(recording, [(0, 0, "a-1")])
    assert verdict(recording, "t").lost == 0
    read_back(recording, [])
    recording.read("t", 0, 0, "a-1")
    assert verdict(recording, "t").lost == 1


def test_an_unfinished_read_back_does_not_hide_the_last_full_one(recording: Recording) -> None:
    """Its reads are left out."""
    judge(recording, THREE[:1], [(0, 0, "a-1")])
    read_back(recording, [(0, 5, "a-1")], complete=False)
    assert verdict(recording, "t").duplicated == 0


def test_reading_the_same_place_twice_is_no_duplicate(recording: Recording) -> None:
    """A consumer may read again; the record is there once."""
    assert judge(recording, THREE[:1], [(0, 0, "a-1"), (0, 0, "a-1")]).clean


def test_an_acknowledgement_is_not_taken_back(recording: Recording) -> None:
    """Two reports of one send count as one, and as acknowledged if either says so."""
    judged = judge(
        recording, [("a-1", "unknown", None, None), ("a-1", "acked", 0, 0), ("a-1", "failed", None, None)], []
    )
    assert (judged.acked, judged.unknown, judged.failed, judged.lost) == (1, 0, 0, 1)


def test_memory_is_bounded(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """More sends than the limit are refused, not swallowed."""
    monkeypatch.setattr("labsupport.observe.checking.checker.SENDS_LIMIT", 2)
    with pytest.raises(LabError, match="More than 2 records were sent to t"):
        judge(recording, THREE, [])


def test_the_verdict_is_kept_in_the_view_with_its_proofs(recording: Recording) -> None:
    """So that a page without the history can show it."""
    judged = judge(recording, THREE, [(0, 0, "a-1"), (0, 1, "b-7"), (0, 2, "a-3"), (0, 3, "a-3")])
    assert judged.anomalies == {"lost": 1, "duplicated": 1}
    (kept,) = recording.entries(kinds={"verdict"})
    assert HistoryVerdict.from_fields(kept) == judged
    assert HistoryVerdict.from_fields(kept | {"added later": 1}) == judged


def test_a_stopped_recording_says_why_nothing_is_judged(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """The read back did not reach the disk."""
    monkeypatch.setattr("labsupport.observe.writer.QUEUE_LIMIT", 0)
    with pytest.raises(LabError, match="The recording stopped early: the disk cannot keep up"):
        judge(recording, THREE, [])
