"""Takes the operations of a history one after another, and keeps what the verdict needs of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.observe.checking.findings import Findings, find
from labsupport.observe.checking.reading import Reading, Sighting, Sightings
from labsupport.observe.checking.records import NOWHERE, Records
from labsupport.observe.operations import Mark, Operation, Read, Send

SENDS_LIMIT = 1_000_000
READS_LIMIT = 4_000_000

BEGAN, ENDED, LOAD = "read back began", "read back", "load"


class Checker:
    """For the records of one topic. `take` all operations, in the order of the history; then ask for `findings`.

    The last full read back says what is there. All other reads, by whatever reader and whenever, are witnesses: they
    are held against it. Raises `LabError` for more than `SENDS_LIMIT` sends or `READS_LIMIT` reads.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._records = Records()
        self._witnesses = Sightings()
        self._underway: Reading | None = None
        self._full: Reading | None = None
        self._last_send_at = NOWHERE
        self._reads = 0
        self._unconfirmed: dict[str, int] = {}  # producers with acks=0, and the operation that says so

    def take(self, operations: Iterable[Operation]) -> None:
        topic, records = self._topic, self._records
        for at, operation in enumerate(operations):
            if isinstance(operation, Send):
                if operation.topic == topic:
                    records.take_send(at, operation)
                    self._last_send_at = at
                    if records.sends > SENDS_LIMIT:
                        raise self._too_many(f"{SENDS_LIMIT} records were sent to")
            elif isinstance(operation, Read):
                if operation.topic == topic:
                    self._take_read(at, operation)
            elif operation.fields.get("topic") == topic:
                self._take_mark(at, operation)

    def findings(self, trouble: str = "") -> Findings:
        """What became of the records. `trouble` says why the history may stop early.

        Raises `LabError` when it was never read back in full, or when sends ended after that had begun.
        """
        name, full = printable(self._topic), self._full
        again = f"Stop the load, then `cluster.read_back({name!r})`."
        if full is None:
            raise LabError(
                f"What {name} holds is not known: read it back first, from start to end. {trouble}".strip(), fix=again
            )
        if self._last_send_at > full.began_at:
            raise LabError(
                f"Sends to {name} ended after it was read back: what became of them is not known.", fix=again
            )
        self._bear_witness(self._underway)
        return find(self._records, full, self._witnesses, self._unconfirmed)

    def _take_read(self, at: int, read: Read) -> None:
        self._reads += 1
        if self._reads > READS_LIMIT:
            raise self._too_many(f"{READS_LIMIT} records were read from")
        row = self._records.row(read.producer, read.n)
        seen = Sighting(read.partition, read.offset, row, at)
        (self._witnesses if read.reader or self._underway is None else self._underway).add(seen)

    def _take_mark(self, at: int, mark: Mark) -> None:
        if mark.what == LOAD and str(mark.fields.get("acks")) == "0":
            self._unconfirmed[str(mark.fields.get("producer"))] = at
        elif mark.what == BEGAN:
            self._bear_witness(self._underway)
            self._underway = Reading(at)
        elif mark.what == ENDED and self._underway is not None:
            reading, self._underway = self._underway, None
            if mark.fields.get("complete") is not True:
                self._bear_witness(reading)
                return
            self._bear_witness(self._full)
            reading.finish(at, _by_partition(mark.fields.get("high_watermarks")))
            self._full = reading

    def _bear_witness(self, reading: Reading | None) -> None:
        """A reading that is not the last full one is still somebody who saw something."""
        for sighting in reading.sightings() if reading is not None else ():
            self._witnesses.add(sighting)

    def _too_many(self, what: str) -> LabError:
        return LabError(
            f"More than {what} {printable(self._topic)}, too many to judge in memory.",
            fix="Send fewer, or use a topic for each experiment.",
        )


def _by_partition(high_watermarks: object) -> dict[int, int]:
    """From a mark, whose JSON has strings for keys."""
    if not isinstance(high_watermarks, Mapping):
        return {}
    return {int(partition): int(end) for partition, end in high_watermarks.items()}
