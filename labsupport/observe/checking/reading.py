"""What one reading of a topic found, partition by partition: 16 bytes a record."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import NamedTuple

NOT_THERE = -1


class Sighting(NamedTuple):
    """Operation `at` found the record of `row` (`records.NOBODY`: one without id) at this place."""

    partition: int
    offset: int
    row: int
    at: int


class Sightings:
    """Many of them, in columns."""

    def __init__(self) -> None:
        self.partition, self.offset, self.row, self.at = array("i"), array("q"), array("i"), array("i")

    def add(self, sighting: Sighting) -> None:
        self.partition.append(sighting.partition)
        self.offset.append(sighting.offset)
        self.row.append(sighting.row)
        self.at.append(sighting.at)

    def __iter__(self) -> Iterator[Sighting]:
        return map(Sighting, self.partition, self.offset, self.row, self.at)


class Found:
    """One partition: columns in the order of offsets, once `settle` was called."""

    def __init__(self) -> None:
        self.offset, self.row, self.at = array("q"), array("i"), array("i")
        self.end = 0  # the high watermark up to which it was read, as far as known: one past the last record
        self._newest = -1
        self._rising = True

    def add(self, offset: int, row: int, at: int) -> None:
        self._rising = self._rising and offset > self._newest
        self._newest = offset
        self.offset.append(offset)
        self.row.append(row)
        self.at.append(at)

    def settle(self) -> list[tuple[int, int, int]]:
        """Sort by offset if need be. Second looks at a place are taken out and returned (offset, row, at)."""
        again = []
        if not self._rising:
            order = sorted(zip(self.offset, self.at, self.row, strict=True))
            self.offset, self.row, self.at = array("q"), array("i"), array("i")
            self._newest, self._rising = -1, True
            for offset, at, row in order:
                if offset == self._newest:
                    again.append((offset, row, at))
                else:
                    self.add(offset, row, at)
        if self.offset:
            self.end = max(self.end, self.offset[-1] + 1)
        return again

    def index(self, offset: int) -> int:
        """Which of the columns' entries lies at this offset; `NOT_THERE` for none."""
        at = bisect_left(self.offset, offset)
        return at if at < len(self.offset) and self.offset[at] == offset else NOT_THERE

    def covers(self, offset: int) -> bool:
        """Whether a record at this offset must have been found: between the first one found and the end."""
        return len(self.offset) > 0 and self.offset[0] <= offset < self.end


class Reading:
    """A reading from start to end. `began_at` and `ended_at` are the operations that mark it."""

    def __init__(self, began_at: int) -> None:
        self.began_at, self.ended_at = began_at, began_at
        self.count = 0
        self.partitions: dict[int, Found] = {}

    def add(self, sighting: Sighting) -> None:
        self.count += 1
        found = self.partitions.get(sighting.partition)
        if found is None:
            found = self.partitions[sighting.partition] = Found()
        found.add(sighting.offset, sighting.row, sighting.at)

    def finish(self, ended_at: int, high_watermarks: Mapping[int, int]) -> None:
        """It was read up to these ends, by partition."""
        self.ended_at = ended_at
        for partition, end in high_watermarks.items():
            self.partitions.setdefault(partition, Found()).end = end

    def settle(self) -> Iterator[Sighting]:
        """Sort all partitions; second looks at a place are taken out and handed on."""
        for partition, found in sorted(self.partitions.items()):
            for offset, row, at in found.settle():
                yield Sighting(partition, offset, row, at)

    def sightings(self) -> Iterator[Sighting]:
        for partition, found in self.partitions.items():
            for offset, row, at in zip(found.offset, found.row, found.at, strict=True):
                yield Sighting(partition, offset, row, at)

    def find(self, partition: int, offset: int) -> Sighting | None:
        found = self.partitions.get(partition)
        index = NOT_THERE if found is None else found.index(offset)
        if found is None or index == NOT_THERE:
            return None
        return Sighting(partition, offset, found.row[index], found.at[index])
