"""Bad histories made by hand: each anomaly is named rightly, nothing else is named, and its example proves it."""

from __future__ import annotations

from typing import Any

import pytest

from labsupport.core.errors import LabError
from labsupport.observe.history import ANOMALIES, HistoryVerdict
from labsupport.observe.operations import Mark, Operation
from tests.unit.observe.operations_by_hand import acked, judged, load, mark, operations_of, read_back, saw, sent

# the anomaly; what happened; what its counter-example consists of
BAD: dict[str, tuple[str, list[Any], list[str]]] = {
    "another record at the place of an acknowledged one": (
        "lost",
        [acked("a-0", 0), acked("a-1", 1), read_back(saw("a-0", 0), saw("x-7", 1), ends={0: 2})],
        ["send a-1", "read x-7"],
    ),
    "the log ends before an acknowledged record": (
        "lost",
        [acked("a-0", 0), acked("a-1", 1), read_back(saw("a-0", 0), ends={0: 1})],
        ["send a-1", "read back"],
    ),
    "acknowledged somewhere, and nowhere": (
        "lost",
        [load("a", "1"), acked("a-0", None), read_back(ends={0: 0})],
        ["send a-0", "read back"],
    ),
    "the whole partition is gone": (
        "lost",
        [acked("a-0", 0), acked("a-1", 3, partition=1), read_back(saw("a-0", 0))],
        ["send a-1", "read back"],
    ),
    "the reader passes over the place of an acknowledged record": (
        "unobserved",
        [acked("a-0", 0), acked("a-1", 1), acked("a-2", 2), read_back(saw("a-0", 0), saw("a-2", 2), ends={0: 3})],
        ["send a-1", "read back"],
    ),
    "the reader stops below the high watermark": (
        "unobserved",
        [acked("a-0", 0), acked("a-1", 1), read_back(saw("a-0", 0), ends={0: 2})],
        ["send a-1", "read back"],
    ),
    "acks=0: given to the socket, and not there": (
        "sent_missing",
        [load("z", "0"), acked("z-0", None), acked("z-1", None), read_back(saw("z-1", 0), ends={0: 1})],
        ["load", "send z-0", "read back"],
    ),
    "one record at two offsets": (
        "duplicated",
        [acked("a-0", 0), acked("a-1", 1), read_back(saw("a-0", 0), saw("a-1", 1), saw("a-1", 2))],
        ["send a-1", "read a-1", "read a-1"],
    ),
    "one record in two partitions": (
        "duplicated",
        [sent("a-0", "unknown"), read_back(saw("a-0", 4), saw("a-0", 0, partition=1))],
        ["send a-0", "read a-0", "read a-0"],
    ),
    "a record behind one that was sent later": (
        "reordered",
        [acked("a-1", 0), acked("a-0", 1), read_back(saw("a-1", 0), saw("a-0", 1))],
        ["send a-1", "send a-0", "read a-1", "read a-0"],
    ),
    "a record of unknown fate behind one that was sent later": (
        "reordered",
        [acked("a-1", 0), sent("a-0", "unknown"), read_back(saw("a-1", 0), saw("x-1", 1), saw("a-0", 2))],
        ["send a-1", "send a-0", "read a-1", "read a-0"],
    ),
    "failed for certain, and there": (
        "phantom",
        [sent("a-0", "failed"), sent("a-1", "failed"), read_back(saw("a-1", 0))],
        ["send a-1", "read a-1"],
    ),
    "acknowledged at one offset, and there at another": (
        "moved",
        [acked("a-0", 0), acked("a-1", 5), read_back(saw("a-0", 0), saw("a-1", 1))],
        ["send a-1", "read a-1"],
    ),
    "two readers saw different records at one place": (
        "disagreement",
        [sent("a-0", "unknown"), acked("b-0", 0), saw("a-0", 0, by="group"), read_back(saw("b-0", 0))],
        ["read a-0", "read b-0"],
    ),
    "two readers differ where the full read has nothing to say": (
        "disagreement",
        [saw("x-0", 9, by="one"), saw("y-0", 9, by="another"), read_back(saw("z-0", 10))],
        ["read x-0", "read y-0"],
    ),
    "a reader saw a record that is gone": (
        "disagreement",
        [sent("a-1", "unknown"), saw("a-1", 1, by="group"), read_back(saw("x-0", 0), saw("x-2", 2), ends={0: 3})],
        ["read a-1", "read x-0", "read back"],
    ),
    "two full reads saw different records at one place": (
        "disagreement",
        [sent("a-0", "unknown"), read_back(saw("a-0", 0)), read_back(saw("x-0", 0))],
        ["read a-0", "read x-0"],
    ),
    "a reader saw another record than the full read, at the same time": (
        "disagreement",
        [acked("b-0", 0), mark("read back began"), saw("x-0", 0, by="group"), read_back(saw("b-0", 0))[1:]],
        ["read x-0", "read b-0"],
    ),
    "a full read that never ended saw another record": (
        "disagreement",
        [acked("b-0", 0), mark("read back began"), saw("x-0", 0), read_back(saw("b-0", 0))],
        ["read x-0", "read b-0"],
    ),
    "a full read that is still under way saw another record": (
        "disagreement",
        [acked("b-0", 0), read_back(saw("b-0", 0)), mark("read back began"), saw("x-0", 0)],
        ["read b-0", "read x-0"],
    ),
    "one full read saw two records at one place": (
        "disagreement",
        [sent("a-0", "unknown"), sent("b-0", "unknown"), read_back(saw("a-0", 0), saw("b-0", 0))],
        ["read a-0", "read b-0"],
    ),
}


def words(entry: dict[str, Any]) -> str:
    return str(entry["what"]) if entry["k"] == "event" else f"{entry['k']} {entry['id']}"


@pytest.mark.parametrize("name", BAD)
def test_each_anomaly_is_named_and_nothing_else(name: str) -> None:
    """By its field, in the text, and by the smallest example."""
    anomaly, bad, proof = BAD[name]
    found = judged(*bad)
    assert found.anomalies == {anomaly: 1} and not found.clean
    assert f"{ANOMALIES[anomaly]}: 1" in repr(found)
    assert [words(entry) for entry in found.counter_example] == proof


def judged_alone(operations: list[Operation]) -> HistoryVerdict:
    """The operations of an example with nothing around them but the marks of the full read."""
    ended = next((o for o in operations if isinstance(o, Mark) and o.what == "read back"), None)
    rest = [o for o in operations if not isinstance(o, Mark) or o.what == "load"]
    before = [o for o in rest if isinstance(o, Mark) or hasattr(o, "outcome") or getattr(o, "reader", "")]
    full = [o for o in rest if o not in before]
    return judged(before, mark("read back began"), full, ended or read_back(ends={0: 99, 1: 99})[-1])


@pytest.mark.parametrize("name", [name for name in BAD if "full read" not in name])
def test_an_example_proves_its_anomaly_and_has_nothing_to_spare(name: str) -> None:
    """Judged alone it shows the same; without any one of its operations it does not."""
    anomaly, bad, _ = BAD[name]
    example = operations_of(judged(*bad).counter_example)
    assert judged_alone(example).anomalies.get(anomaly) == 1
    for spare in example:
        if not (isinstance(spare, Mark) and spare.what == "read back"):
            assert anomaly not in judged_alone([o for o in example if o is not spare]).anomalies


def test_every_anomaly_has_a_bad_history() -> None:
    assert {anomaly for anomaly, _, _ in BAD.values()} == set(ANOMALIES)


def test_several_anomalies_are_each_proved_the_worst_first() -> None:
    """Lost, twice and out of order in one history."""
    found = judged(
        [acked("a-0", 0), acked("a-1", 1), acked("a-2", 2), acked("b-0", 3), acked("b-1", 4)],
        read_back(saw("x-0", 0), saw("a-2", 1), saw("a-1", 2), saw("b-0", 3), saw("b-1", 4), saw("b-1", 5)),
    )
    assert found.anomalies == {"lost": 1, "duplicated": 1, "reordered": 1, "moved": 2}
    assert list(found.counter_examples) == list(found.anomalies)
    assert repr(found) == (
        "acknowledged and lost: 1 · duplicated: 1 · unknown: none · reordered: 1 · acknowledged elsewhere: 2"
    )


# -- what is no anomaly ----------------------------------------------------------------------------------------------


def test_a_batch_that_was_written_twice_is_no_reordering() -> None:
    """A retry writes 0 and 1 behind 2: each has been there, in order, before."""
    found = judged(
        [acked(f"a-{n}", n) for n in range(3)],
        read_back(saw("a-0", 0), saw("a-1", 1), saw("a-2", 2), saw("a-0", 3), saw("a-1", 4)),
    )
    assert found.anomalies == {"duplicated": 2}


def test_order_is_judged_within_a_producer_and_a_partition() -> None:
    """Kafka promises none between two of either."""
    found = judged(
        [acked("a-0", 0, partition=1), acked("a-1", 0), acked("b-0", 1), acked("b-9", 0, partition=2)],
        read_back(saw("b-9", 0, partition=2), saw("a-1", 0), saw("b-0", 1), saw("a-0", 0, partition=1)),
    )
    assert found.clean


def test_ids_without_a_number_have_no_order() -> None:
    """Sent by somebody else's program."""
    ids = ["zebra", "apple", "a-007", "1e9", "x-99999999999999999999999999"]
    found = judged([acked(name, n) for n, name in enumerate(ids)], read_back(*(saw(i, n) for n, i in enumerate(ids))))
    assert found.clean and found.acked == 5


def test_a_reader_that_is_ahead_of_the_acknowledgement_agrees() -> None:
    """A consumer may have a record before its producer knows of it."""
    found = judged(saw("a-0", 0, by="group"), acked("a-0", 0), read_back(saw("a-0", 0)))
    assert found.clean and (found.acked, found.unexpected, found.read) == (1, 0, 1)


def test_what_was_read_after_the_full_read_is_beyond_it() -> None:
    """A record written later is no disagreement."""
    assert judged(acked("a-0", 0), read_back(saw("a-0", 0)), saw("x-0", 1, by="group")).clean


def test_unconfirmed_records_are_not_counted_as_acknowledged() -> None:
    """With acks=0 the client says "sent" and means it."""
    found = judged(
        load("z", "0"), load("a", "all"), acked("z-0", None), acked("a-0", 1), read_back(saw("z-0", 0), saw("a-0", 1))
    )
    assert found.clean and (found.acked, found.unconfirmed) == (1, 1)


def test_reads_in_any_order_are_judged_by_offset() -> None:
    """The partitions of a read come as they come; even one partition's may."""
    found = judged([acked(f"a-{n}", n) for n in range(4)], read_back(*(saw(f"a-{n}", n) for n in (2, 0, 3, 1))))
    assert found.clean and found.read == 4


def test_numbers_far_apart_cost_no_memory() -> None:
    """A stranger's ids decide nothing about our memory."""
    ids = [f"{letter}-{n}" for letter in "abc" for n in (0, 5, 10**6, 10**15, 2**62, 2**63)]
    found = judged([acked(name, n) for n, name in enumerate(ids)], read_back(*(saw(i, n) for n, i in enumerate(ids))))
    assert found.clean and found.acked == len(ids)


@pytest.mark.parametrize("limit", ["SENDS_LIMIT", "READS_LIMIT"])
def test_the_bound_is_enforced(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More is refused in one sentence, not swallowed."""
    monkeypatch.setattr(f"labsupport.observe.checking.checker.{limit}", 2)
    with pytest.raises(LabError, match=r"More than 2 records were .* t, too many to judge in memory"):
        judged([acked(f"a-{n}", n) for n in range(3)], read_back(*(saw(f"a-{n}", n) for n in range(3))))
