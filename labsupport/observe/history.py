"""The verdict of a history: what became of every record that was sent to a topic, judged from a Recording alone."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.observe.format import Entry

if TYPE_CHECKING:
    from labsupport.observe.recording import Recording

SENDS_LIMIT = 1_000_000
EXAMPLE_LIMIT = 5

_ACKED, _FAILED, _UNKNOWN = range(3)
_CODES = {"acked": _ACKED, "failed": _FAILED}
_NOWHERE = -1
_BEGAN, _ENDED = "read back began", "read back"


@dataclass(frozen=True, kw_only=True)
class HistoryVerdict:
    """What became of the records of `topic`; every field but the last is a number of records.

    `acked`, `unknown` and `failed` are the sends by outcome. `lost`: acknowledged, and not there any more.
    `duplicated`: sent once, there at two offsets or more. `unknown_found` and `unknown_missing` split the unknown ones
    (a send that timed out may be written or not: neither is an anomaly). `phantom`: reported as certainly not
    written, yet there. `unexpected`: there, but sent by nobody in this Recording. `read`: all that is there.
    `counter_example`: at most five entries of the file that show the first anomaly (lost, else duplicated, else
    phantom), empty if there is none.
    """

    topic: str
    acked: int
    lost: int
    duplicated: int
    unknown: int
    unknown_found: int
    unknown_missing: int
    failed: int
    phantom: int
    unexpected: int
    read: int
    counter_example: tuple[Entry, ...] = ()

    @property
    def clean(self) -> bool:
        """Nothing was lost, duplicated, or written though reported as failed."""
        return not (self.lost or self.duplicated or self.phantom)

    def __repr__(self) -> str:
        """What can be judged; how many were sent differs from run to run and is shown elsewhere."""
        facts = [
            f"acknowledged and lost: {self.lost}",
            f"duplicated: {self.duplicated}",
            f"unknown: {'some' if self.unknown else 'none'}",
        ]
        if self.phantom:
            facts.append(f"failed and yet written: {self.phantom}")
        return " · ".join(facts)


def verdict(recording: Recording, topic: str) -> HistoryVerdict:
    """Match every send to `topic` with what the last full read back of it found.

    Only reads between its events "read back began" and "read back" count: what a consumer saw earlier may be gone
    since. Raises `LabError` when there was no full read back, when sends ended after it began, and for more than a
    million sends. Records removed by retention or compaction would count as lost: judge topics that keep everything.
    Bound: two passes over the file (four with an anomaly), a million sends of the topic, for which 20 s of one core and
    120 MB were measured; sends to other topics cost time only.
    """
    matching = _Matching(topic)
    nth = _take_sends(recording, topic, matching)
    matching.take_reads(_reads(recording, topic, nth))
    return matching.verdict(_example(recording, topic, nth, matching.suspect()))


class _Matching:
    """Each send by its record id: its outcome, and the first place where it was found."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._index: dict[str, int] = {}
        self._outcome, self._partition, self._offset = bytearray(), array("q"), array("q")
        self._twice: dict[int, None] = {}  # in the order of finding
        self._unexpected = self._read = 0

    def take_send(self, entry: Entry) -> None:
        outcome = _CODES.get(entry["outcome"], _UNKNOWN)
        n = self._index.setdefault(str(entry["id"]), len(self._outcome))
        if n == len(self._outcome):
            self._outcome.append(outcome)
            self._partition.append(_NOWHERE)
            self._offset.append(_NOWHERE)
        elif self._outcome[n] != _ACKED:  # an acknowledgement is not taken back by a later report
            self._outcome[n] = outcome
        if n >= SENDS_LIMIT:
            raise LabError(
                f"More than {SENDS_LIMIT} records were sent to {printable(self._topic)}, too many to judge in memory.",
                fix="Send fewer, or use a topic for each experiment.",
            )

    def take_reads(self, reads: Iterable[Entry]) -> None:
        for entry in reads:
            self._read += 1
            partition, offset = int(entry["partition"]), int(entry["offset"])
            n = self._index.get(str(entry["id"]))
            if n is None:
                self._unexpected += 1
            elif self._offset[n] == _NOWHERE:
                self._partition[n], self._offset[n] = partition, offset
            elif (self._partition[n], self._offset[n]) != (partition, offset):
                self._twice[n] = None

    def suspect(self) -> str | None:
        """The first record with the worst kind of anomaly there is."""
        worst = next((n for n, code in enumerate(self._outcome) if code == _ACKED and self._missing(n)), None)
        if worst is None:
            worst = next(iter(self._twice), None)
        if worst is None:
            worst = next((n for n, code in enumerate(self._outcome) if code == _FAILED and not self._missing(n)), None)
        return next((record_id for record_id, n in self._index.items() if n == worst), None)

    def verdict(self, example: tuple[Entry, ...]) -> HistoryVerdict:
        """The counts, with `example` as the counter-example."""
        sent, missing = [0, 0, 0], [0, 0, 0]
        for n, code in enumerate(self._outcome):
            sent[code] += 1
            missing[code] += self._missing(n)
        return HistoryVerdict(
            topic=self._topic,
            acked=sent[_ACKED],
            lost=missing[_ACKED],
            duplicated=len(self._twice),
            unknown=sent[_UNKNOWN],
            unknown_found=sent[_UNKNOWN] - missing[_UNKNOWN],
            unknown_missing=missing[_UNKNOWN],
            failed=sent[_FAILED],
            phantom=sent[_FAILED] - missing[_FAILED],
            unexpected=self._unexpected,
            read=self._read,
            counter_example=example,
        )

    def _missing(self, n: int) -> bool:
        return self._offset[n] == _NOWHERE


def _take_sends(recording: Recording, topic: str, matching: _Matching) -> int:
    """Which of the topic's read backs is the last full one, counted from 1. Raises `LabError` if it judges nothing."""
    began = full = last_send = 0  # read backs so far; the last full one; how many had begun at the last send
    underway = False
    for entry in recording.entries(kinds={"event", "send"}):
        if entry.get("topic") != topic:
            continue
        if entry["k"] == "send":
            matching.take_send(entry)
            last_send = began
        elif entry["what"] == _BEGAN:
            began, underway = began + 1, True
        elif entry["what"] == _ENDED:
            full = began if underway and entry.get("complete") is True else full
            underway = False
    name, trouble = printable(topic), recording.trouble
    again = f"Stop the load, then `cluster.read_back({name!r})`."
    if not full:
        raise LabError(
            f"What {name} holds is not known: read it back first, from start to end. {trouble}".strip(), fix=again
        )
    if last_send >= full:
        raise LabError(f"Sends to {name} ended after it was read back: what became of them is not known.", fix=again)
    return full


def _reads(recording: Recording, topic: str, nth: int) -> Iterator[Entry]:
    """What the topic's `nth` read back found."""
    began = 0
    for entry in recording.entries(kinds={"event", "read"}):
        if entry.get("topic") != topic:
            continue
        if entry["k"] == "read":
            if began == nth:
                yield entry
        elif entry["what"] == _BEGAN:
            began += 1
        elif entry["what"] == _ENDED and began == nth:
            return


def _example(recording: Recording, topic: str, nth: int, suspect: str | None) -> tuple[Entry, ...]:
    """The entries that show an anomaly: the send, and the reads of its record, or else those around its place."""
    if suspect is None:
        return ()
    sends = (entry for entry in recording.entries(kinds={"send"}) if entry.get("topic") == topic)
    send = next(entry for entry in sends if entry["id"] == suspect)
    partition, offset = send.get("partition"), send.get("offset")
    own: dict[tuple[int, int], Entry] = {}
    near: dict[tuple[int, int], Entry] = {}
    for read in _reads(recording, topic, nth):
        place = read["partition"], read["offset"]
        if read["id"] == suspect:
            own.setdefault(place, read)
        elif offset is not None and read["partition"] == partition and abs(read["offset"] - offset) <= 1:
            near.setdefault(place, read)
    return (send, *islice((own or near).values(), EXAMPLE_LIMIT - 1))
