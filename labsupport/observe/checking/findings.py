"""From columns to counts: each kind of anomaly, and the few operations that prove the first one of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from labsupport.observe.checking.reading import Found, Reading, Sighting, Sightings
from labsupport.observe.checking.records import FAILED, NO_NUMBER, NOBODY, NOT_SENT, NOWHERE, UNKNOWN, Records

_FOUND, _AT_ITS_PLACE, _TWICE = 1, 2, 4  # what was seen of a row


@dataclass
class Findings:
    """Numbers of records by kind (places, for `disagreement`); `examples`: by kind, the numbers of operations."""

    acked: int = 0
    unconfirmed: int = 0
    failed: int = 0
    unknown: int = 0
    unknown_found: int = 0
    read: int = 0
    unexpected: int = 0
    lost: int = 0
    disagreement: int = 0
    duplicated: int = 0
    reordered: int = 0
    phantom: int = 0
    moved: int = 0
    unobserved: int = 0
    sent_missing: int = 0
    examples: dict[str, tuple[int, ...]] = field(default_factory=dict)


def find(records: Records, full: Reading, witnesses: Sightings, unconfirmed: Mapping[str, int]) -> Findings:
    """Judge each record by what the full reading found, and the witnesses' sightings by the same.

    `unconfirmed`: by name, the operation that says that a producer asks for no acknowledgement.
    """
    finding = _Finding(records, full, unconfirmed)
    for again in full.settle():
        witnesses.add(again)
    for partition, found in sorted(full.partitions.items()):
        finding.look_through(partition, found)
    for row, outcome in enumerate(records.outcome):
        if outcome != NOT_SENT:
            finding.settle(row, outcome)
    finding.hear(witnesses)
    return finding.findings


class _Finding:
    def __init__(self, records: Records, full: Reading, unconfirmed: Mapping[str, int]) -> None:
        self.findings = Findings(read=full.count)
        self._records, self._full = records, full
        self._seen = bytearray(len(records))
        self._unconfirmed = {records.names[name]: at for name, at in unconfirmed.items() if name in records.names}

    # -- what the full reading found, in the order of offsets -------------------------------------------------------

    def look_through(self, partition: int, found: Found) -> None:
        """Mark each row that is there; notice those that are there before, and those that come too late."""
        records, seen = self._records, self._seen
        newest: dict[int, tuple[int, int]] = {}  # by producer: the largest number so far, and who found it
        for offset, row, at in zip(found.offset, found.row, found.at, strict=True):
            if row == NOBODY or records.outcome[row] == NOT_SENT:
                self.findings.unexpected += 1
                continue
            if offset == records.offset[row] and partition == records.partition[row]:
                seen[row] |= _AT_ITS_PLACE
            if seen[row] & _FOUND:
                self._is_twice(row, at)
                continue
            seen[row] |= _FOUND
            n, producer = records.n[row], records.producer[row]
            before = newest.get(producer)
            if n == NO_NUMBER or before is None or before[0] < n:
                newest[producer] = (n, at)
            else:
                self._is_late(row, at, before[1], found)

    def _is_twice(self, row: int, at: int) -> None:
        if not self._seen[row] & _TWICE:
            self._seen[row] |= _TWICE
            self.findings.duplicated += 1
            if "duplicated" not in self.findings.examples:
                self._prove("duplicated", self._records.sent_at[row], next(self._sightings_of(row)), at)

    def _is_late(self, row: int, at: int, before_at: int, found: Found) -> None:
        self.findings.reordered += 1
        if "reordered" not in self.findings.examples:
            before = found.row[found.at.index(before_at)]
            sent_at = self._records.sent_at
            self._prove("reordered", sent_at[row], sent_at[before], before_at, at)

    # -- what became of each send -----------------------------------------------------------------------------------

    def settle(self, row: int, outcome: int) -> None:
        """Count a send under its outcome, and under what is wrong with it."""
        findings, there = self.findings, self._seen[row] & _FOUND
        if outcome == UNKNOWN:
            findings.unknown += 1
            findings.unknown_found += bool(there)
        elif outcome == FAILED:
            findings.failed += 1
            if there:
                self._is_phantom(row)
        elif self._records.producer[row] in self._unconfirmed:
            findings.unconfirmed += 1
            if not there:
                self._is_sent_missing(row)
        else:
            findings.acked += 1
            if not there:
                self._is_missing(row)
            elif not self._seen[row] & _AT_ITS_PLACE and self._records.offset[row] != NOWHERE:
                self._is_moved(row)

    def _is_phantom(self, row: int) -> None:
        self.findings.phantom += 1
        self._prove_by_sight("phantom", row)

    def _is_moved(self, row: int) -> None:
        self.findings.moved += 1
        self._prove_by_sight("moved", row)

    def _is_sent_missing(self, row: int) -> None:
        self.findings.sent_missing += 1
        load_at = self._unconfirmed[self._records.producer[row]]
        self._prove("sent_missing", load_at, self._records.sent_at[row], self._full.ended_at)

    def _is_missing(self, row: int) -> None:
        """Lost if another record is at its place, or the log ends before it; else the reader has passed it over."""
        partition, offset = self._records.partition[row], self._records.offset[row]
        found = self._full.partitions.get(partition)
        instead = None if offset == NOWHERE else self._full.find(partition, offset)
        if instead is not None:
            self.findings.lost += 1
            self._prove("lost", self._records.sent_at[row], instead.at)
        elif offset == NOWHERE or found is None or offset >= found.end:
            self.findings.lost += 1
            self._prove("lost", self._records.sent_at[row], self._full.ended_at)
        else:
            self.findings.unobserved += 1
            self._prove("unobserved", self._records.sent_at[row], self._full.ended_at)

    # -- what others saw --------------------------------------------------------------------------------------------

    def hear(self, witnesses: Sightings) -> None:
        """Count the places at which a witness saw another record than the full reading, or than another witness."""
        places: dict[tuple[int, int], Sighting] = {}
        disputed: set[tuple[int, int]] = set()
        for seen in witnesses:
            place = seen.partition, seen.offset
            here = self._full.find(*place)
            if here is None:
                here = places.setdefault(place, seen)
                found = self._full.partitions.get(seen.partition)
                if found is not None and found.covers(seen.offset):
                    self._disagree(place, disputed, seen.at, found.at[0], self._full.ended_at)
            if here.row != seen.row:
                self._disagree(place, disputed, here.at, seen.at)

    def _disagree(self, place: tuple[int, int], disputed: set[tuple[int, int]], *proof: int) -> None:
        if place not in disputed:
            disputed.add(place)
            self.findings.disagreement += 1
            self._prove("disagreement", *proof)

    # -- examples ---------------------------------------------------------------------------------------------------

    def _prove(self, kind: str, *operations: int) -> None:
        self.findings.examples.setdefault(kind, tuple(sorted(set(operations))))

    def _prove_by_sight(self, kind: str, row: int) -> None:
        if kind not in self.findings.examples:
            self._prove(kind, self._records.sent_at[row], next(self._sightings_of(row)))

    def _sightings_of(self, row: int) -> Iterator[int]:
        return (sighting.at for sighting in self._full.sightings() if sighting.row == row)
