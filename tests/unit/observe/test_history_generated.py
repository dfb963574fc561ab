"""Generated histories: no alarm for a thousand clean ones, always an alarm for one that was spoilt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labsupport.observe.history import HistoryVerdict
from labsupport.observe.operations import Read, Send, joined_id
from tests.unit.observe.operations_by_hand import acked, judged, load, mark, read_back, saw, sent

Place = tuple[int, int]  # partition, offset
PRODUCERS = ("one", "two", "three", "zero")
UNCONFIRMED = "zero"  # the producer with acks=0
THERE = {"acked", "acked after a retry", "timed out, written", "a stranger's"}


@dataclass(frozen=True)
class Made:
    """What happened: the ends of the sends, what the log holds, what other readers saw, where the partitions end."""

    sends: tuple[Send, ...]
    log: dict[Place, str]
    seen: tuple[Read, ...] = ()
    ends: dict[int, int] = field(default_factory=dict)
    tells_ends: bool = True
    earlier: tuple[Place, ...] = ()  # what an earlier full read found

    def judged(self) -> HistoryVerdict:
        whole = [saw(record_id, offset, partition) for (partition, offset), record_id in sorted(self.log.items())]
        before = [read for read in whole if (read.partition, read.offset) in self.earlier]
        return judged(
            [load(name, "0" if name == UNCONFIRMED else "all") for name in PRODUCERS],
            mark("fault began", fault="killed", nodes=["broker-1"]),
            self.seen,
            read_back(*before),
            self.sends,
            read_back(*whole, ends=self.ends if self.tells_ends else None),
            self.seen,
        )


@st.composite
def clean(draw: st.DrawFn) -> Made:
    """Several producers, partitions and readers, with retries, time-outs, refusals and transaction markers."""
    fates = st.sampled_from([*THERE, "acked", "timed out, absent", "refused"])
    steps = draw(
        st.lists(st.tuples(st.sampled_from(PRODUCERS), st.integers(0, 2), fates, st.integers(1, 3)), max_size=30)
    )
    numbers = dict.fromkeys(PRODUCERS, 0)
    ends = dict.fromkeys(range(3), 0)
    sends: list[Send] = []
    log: dict[Place, str] = {}
    for producer, partition, fate, step in steps:
        place = partition, ends[partition]
        record_id = joined_id(producer, numbers[producer])
        if fate in THERE:
            log[place] = "" if fate == "a stranger's" and step == 1 else record_id
            ends[partition] += step
        if fate == "a stranger's":
            log[place] = log[place] and f"x{record_id}"
            continue
        numbers[producer] += 1
        sends.append(_end(record_id, fate, place, unconfirmed=producer == UNCONFIRMED))
    readers = st.tuples(st.sampled_from(["", "a group", "another"]), st.sampled_from(sorted(log) or [(0, 0)]))
    seen = draw(st.lists(readers, max_size=10)) if log else []
    return Made(
        sends=tuple(draw(st.permutations(sends))),
        log=log,
        seen=tuple(saw(log[place], place[1], place[0], by=reader) for reader, place in seen),
        ends=ends,
        tells_ends=draw(st.booleans()),
        earlier=tuple(draw(st.lists(st.sampled_from(sorted(log)), unique=True))) if log else (),
    )


def _end(record_id: str, fate: str, place: Place, *, unconfirmed: bool) -> Send:
    if fate == "refused":
        return sent(record_id, "failed")
    if fate.startswith("timed out"):
        return sent(record_id, "unknown")
    return acked(record_id, None) if unconfirmed else acked(record_id, place[1], place[0])


@given(made=clean())
@settings(max_examples=1000)
def test_no_alarm_for_a_thousand_clean_histories(made: Made) -> None:
    """Whatever order the sends ended in, however the offsets lie, whoever read, and whenever."""
    found = made.judged()
    assert found.anomalies == {} and found.counter_examples == {}
    assert found.read == len(made.log)
    assert found.acked + found.unconfirmed + found.failed + found.unknown == len(made.sends)
    assert found.unknown_found + found.unknown_missing == found.unknown


# -- one thing is spoilt --------------------------------------------------------------------------------------------


def _ours(made: Made, *, outcome: str = "acked", unconfirmed: bool = False) -> list[Place]:
    """The places in the log of records that were sent here, and how."""
    ids = {
        joined_id(send.producer, send.n)
        for send in made.sends
        if send.outcome == outcome and (send.producer == UNCONFIRMED) is unconfirmed
    }
    return sorted(place for place, record_id in made.log.items() if record_id in ids)


def _one(draw: st.DrawFn, places: list[Place]) -> Place:
    assume(places)
    return draw(st.sampled_from(places))


def _unread(made: Made) -> Made:
    """The full read is the only one, so that nothing else can disagree with it."""
    return replace(made, seen=(), earlier=())


def drop(draw: st.DrawFn, made: Made) -> tuple[Made, set[str]]:
    gone = _one(draw, _ours(made))
    log = {place: record_id for place, record_id in made.log.items() if place != gone}
    last = gone == max(place for place in made.log if place[0] == gone[0])
    return replace(_unread(made), log=log), {"lost" if last and not made.tells_ends else "unobserved"}


def truncate(draw: st.DrawFn, made: Made) -> tuple[Made, set[str]]:
    partition, end = _one(draw, _ours(made))
    log = {
        place: record_id for place, record_id in made.log.items() if place < (partition, end) or place[0] > partition
    }
    return replace(_unread(made), log=log, ends={**made.ends, partition: end}), {"lost"}


def overwrite(draw: st.DrawFn, made: Made) -> tuple[Made, set[str]]:
    return replace(_unread(made), log={**made.log, _one(draw, _ours(made)): "somebody-1"}), {"lost"}


def drop_an_unconfirmed_one(draw: st.DrawFn, made: Made) -> tuple[Made, set[str]]:
    gone = _one(draw, _ours(made, unconfirmed=True))
    log = {place: record_id for place, record_id in made.log.items() if place != gone}
    return replace(_unread(made), log=log), {"sent_missing"}


def duplicate(draw: st.DrawFn, made: Made) -> tuple[Made, set[str]]:
    twin, partition = (
        _one(draw, _ours(made, outcome=draw(st.sampled_from(["acked", "unknown"])))),
        draw(st.integers(0, 2)),
    )
    return replace(made, log={**made.log, (partition, made.ends[partition]): made.log[twin]}, ends={}), {"duplicated"}


def swap(draw: st.DrawFn, made: Made) -> tuple[Made, set[str]]:
    """Two acknowledged records changed places; of one producer in one partition, they are out of order too."""
    left = _one(draw, _ours(made))
    right = _one(draw, [place for place in _ours(made) if place != left])
    log = {**made.log, left: made.log[right], right: made.log[left]}
    same = left[0] == right[0] and made.log[left].split("-")[0] == made.log[right].split("-")[0]
    return replace(_unread(made), log=log), {"moved", "reordered"} if same else {"moved"}


def write_a_refused_one(draw: st.DrawFn, made: Made) -> tuple[Made, set[str]]:
    refused = [joined_id(send.producer, send.n) for send in made.sends if send.outcome == "failed"]
    assume(refused)
    there = draw(st.sampled_from(refused))
    return replace(_unread(made), log={**made.log, (7, 0): there}), {"phantom"}


def alter_what_a_reader_saw(draw: st.DrawFn, made: Made) -> tuple[Made, set[str]]:
    partition, offset = _one(draw, _ours(made))
    return replace(made, seen=(*made.seen, saw("somebody-1", offset, partition, by="a group"))), {"disagreement"}


SPOIL: list[Callable[[st.DrawFn, Made], tuple[Made, set[str]]]] = [
    drop,
    truncate,
    overwrite,
    drop_an_unconfirmed_one,
    duplicate,
    swap,
    write_a_refused_one,
    alter_what_a_reader_saw,
]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Made, set[str]]:
    return draw(st.sampled_from(SPOIL))(draw, draw(clean()))


@given(case=spoilt())
@settings(max_examples=500)
def test_always_an_alarm_for_a_spoilt_history(case: tuple[Made, set[str]]) -> None:
    """Something is dropped, cut off, overwritten, doubled, swapped or altered: it is named, and proved."""
    made, expected = case
    found = made.judged()
    assert expected <= found.anomalies.keys()
    assert found.counter_examples.keys() == found.anomalies.keys()
    assert all(example for example in found.counter_examples.values())
