"""The packed history: every operation comes back as it was, from any cut of the file, in a few bytes each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labsupport.observe.operations import Mark, Operation, Read, Send, joined_id, split_id
from labsupport.observe.packed import (
    CHECK_EVERY_BYTES,
    FORGET,
    TEXTS_LIMIT,
    UNITS_PER_S,
    Damaged,
    Packer,
    Unpacker,
    pack,
)

BYTES_LIMIT = 5  # an operation, in a realistic history

times = st.integers(-(10**12), 10**12).map(lambda units: units / UNITS_PER_S)
few = st.sampled_from(["", "flights", "t", "<script>", "é\0\n", "\ud800", "\u202e"]) | st.text(max_size=5)
numbers = st.integers(-3, 300) | st.integers(0, 2**63) | st.integers(-(2**80), 2**80)
maybe = st.none() | numbers
sends = st.builds(
    Send, times, few, few, maybe, st.sampled_from(["acked", "failed", "unknown"]), maybe, maybe, st.none() | times, few
)
reads = st.builds(Read, times, few, numbers, numbers, few, maybe, few)
values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(few, inner)
)
marks = st.builds(Mark, times, few, st.dictionaries(few.filter(lambda name: name != "what"), values))
histories = st.lists(sends | reads | marks, max_size=30)


@given(written=histories)
@settings(deadline=None)
def test_what_is_packed_comes_back(written: list[Operation]) -> None:
    """Foreign ids, no partition, no offset, huge offsets, hostile text: exactly what was written."""
    assert Unpacker().feed(pack(written)) == written


@given(written=histories, data=st.data())
@settings(deadline=None)
def test_it_does_not_matter_how_the_bytes_come_in_pieces(written: list[Operation], data: st.DataObject) -> None:
    """Cut anywhere and read on: nothing twice, nothing lost."""
    whole = pack(written)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    unpacker = Unpacker()
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert [operation for piece in pieces for operation in unpacker.feed(piece)] == written


def test_a_history_cut_at_every_byte_gives_a_prefix() -> None:
    """A crash may tear the file anywhere: all rows that are whole are read, and one byte more never means one less."""
    written = [
        *realistic(records=40),
        Mark(9.0, "read back", {"topic": "t"}),
        Send(9.5, "é", "x", 1, "failed", *[None] * 3, ""),
    ]
    whole = pack(written)
    found = [Unpacker().feed(whole[:cut]) for cut in range(len(whole) + 1)]
    assert all(left == written[: len(left)] for left in found)
    lengths = [len(left) for left in found]
    assert lengths == sorted(lengths) and lengths[0] == 0 and lengths[-1] == len(written)
    assert set(lengths) == set(range(len(written) + 1))


@pytest.mark.parametrize("per_s", [20, 200, 2_000, 20_000])
@pytest.mark.parametrize("regular", [True, False], ids=["even", "bursty"])
def test_an_operation_takes_at_most_five_bytes(per_s: int, regular: bool) -> None:
    """Sends to six partitions by key, acknowledged in batches, some of them late; and the topic read back: each of the
    two within the limit, whatever the rate."""
    operations = list(realistic(records=20_000, per_s=per_s, regular=regular, stall=(4.0, 5.0)))
    sent = [operation for operation in operations if isinstance(operation, Send)]
    read = [operation for operation in operations if isinstance(operation, Read)]
    assert len(sent) == len(read) == 20_000
    assert len(pack(sent)) <= BYTES_LIMIT * len(sent)
    assert len(pack(read)) <= BYTES_LIMIT * len(read)
    assert len(pack(operations)) <= 4 * len(operations)


def test_without_any_regularity_it_takes_more() -> None:
    """The control of the test above: random numbers, offsets and times do not fit into five bytes."""
    chance = random.Random(1)

    def any_number() -> int:
        return chance.randrange(2**40)

    wild = [Send(any_number(), "t", "a", any_number(), "acked", 0, any_number(), any_number(), "") for _ in range(1000)]
    assert len(pack(wild)) > 3 * BYTES_LIMIT * len(wild)


def test_its_tables_do_not_grow_without_bound() -> None:
    """A topic whose every record has an id of its own: the tables are begun anew, on both sides, and all comes back."""
    written = [Read(n / 10, "t", 0, n, f"<stranger {n}>", None, "") for n in range(3 * TEXTS_LIMIT)]
    packer = Packer()
    for operation in written:
        packer.add(operation)
    assert len(packer._texts) <= TEXTS_LIMIT and len(packer._streams) <= TEXTS_LIMIT
    whole = packer.take(last=True)
    unpacker = Unpacker()
    assert unpacker.feed(whole) == written
    assert len(unpacker._texts) <= TEXTS_LIMIT and len(unpacker._streams) <= TEXTS_LIMIT


def test_long_texts_do_not_fill_the_memory() -> None:
    """They, too, are forgotten on both sides."""
    written = [Send(1.0, "t", "a", n, "failed", None, None, None, f"{n}" * 100_000) for n in range(10, 40)]
    packer = Packer()
    for operation in written:
        packer.add(operation)
    assert sum(map(len, packer._texts)) < 2_000_000
    assert Unpacker().feed(packer.take()) == written


def test_a_changed_byte_is_noticed() -> None:
    """A checksum follows each few thousand bytes and stands at the end: bytes that are there, but wrong, are said."""
    whole = pack(list(realistic(records=3_000)))
    assert len(whole) > 2 * CHECK_EVERY_BYTES
    for at in range(0, len(whole), 97):
        changed = bytearray(whole)
        changed[at] ^= 0x10
        assert not read_to_the_end(bytes(changed))
    assert read_to_the_end(whole)


def read_to_the_end(packed: bytes) -> bool:
    """Whether a history is whole and sound."""
    unpacker = Unpacker()
    try:
        unpacker.feed(packed)
    except (Damaged, UnicodeDecodeError):
        return False
    return not unpacker._rest


@pytest.mark.parametrize(
    "row", [b"\x85", b"\x00", b"\x40\x07", b"\x81\x00\x05\x00\x00", b"\x82\x00\x01x", b"\x82\x00\x02[]"]
)
def test_a_row_that_nobody_writes_is_refused(row: bytes) -> None:
    """Unknown kinds of rows, streams and texts that were not written, marks that are none."""
    with pytest.raises(Damaged):
        Unpacker().feed(row)


def test_forgetting_starts_anew() -> None:
    """A row of one byte; a stream from before it is unknown after it."""
    packed = pack([Read(0.0, "t", 0, 0, "a", 1, "")])
    with pytest.raises(Damaged):
        Unpacker().feed(packed + bytes((FORGET, 0x00)))


@pytest.mark.parametrize(
    ("record_id", "producer", "n"),
    [
        ("a-1", "a", 1),
        ("a-b-12", "a-b", 12),
        ("-5", "", 5),
        ("", "", None),
        ("a-", "a-", None),
        ("a-01", "a-01", None),
        ("a--1", "a-", 1),
        ("a-\u0663", "a-\u0663", None),
        ("a-" + "9" * 5000, "a-" + "9" * 5000, None),
        ("<script>alert(1)</script>", "<script>alert(1)</script>", None),
    ],
)
def test_an_id_is_a_producer_and_a_number(record_id: str, producer: str, n: int | None) -> None:
    """As the load writes them; whatever else somebody put into the header is all producer. Nothing is changed by it."""
    assert split_id(record_id) == (producer, n)
    assert joined_id(producer, n) == record_id


def realistic(
    *, records: int, per_s: float = 200, regular: bool = True, stall: tuple[float, float] = (0, 0), partitions: int = 6
) -> Iterator[Operation]:
    """What a load of `records` with keys gives, and its read back: batches of 5 ms a partition, acknowledged after 2 ms
    and some; those due within `stall` (seconds) only at its end. `regular`: at even intervals, else at random ones."""
    chance = random.Random(f"{records} {per_s} {regular}")
    batches: dict[tuple[int, int], list[tuple[float, int]]] = {}
    due = 3.0
    for n in range(records):
        due = 3.0 + n / per_s if regular else due + chance.expovariate(per_s)
        batches.setdefault((int(due * 200), chance.randrange(partitions)), []).append((due, n))
    acked = [
        (max(window / 200 + 0.007, stall[1] if stall[0] <= window / 200 < stall[1] else 0) + chance.expovariate(250), p)
        for window, p in batches
    ]
    logs: list[list[int]] = [[] for _ in range(partitions)]
    for (t, p), batch in sorted(zip(acked, batches.values(), strict=True)):
        for due, n in batch:
            yield Send(exact(t), "flights", "3fa9c1", n, "acked", p, len(logs[p]), exact(due), "")
            logs[p].append(n)
    t = 3.0 + records / per_s + 10
    yield Mark(exact(t), "read back began", {"topic": "flights"})
    places = [(p, start) for p, log in enumerate(logs) for start in range(0, len(log), 500)]
    ticks = count()
    for p, start in sorted(places, key=lambda place: (place[1], chance.random())):
        for offset, n in enumerate(logs[p][start : start + 500], start):
            yield Read(exact(t + next(ticks) * 8e-6), "flights", p, offset, "3fa9c1", n, "")


def exact(t: float) -> float:
    """A time as it can be kept."""
    return round(t * UNITS_PER_S) / UNITS_PER_S
