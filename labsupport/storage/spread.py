"""How the records of a topic were spread over its partitions, in the order in which they were sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, pairwise

from labsupport.core.errors import LabError
from labsupport.storage.files import PartitionLog
from labsupport.storage.segments import StoredRecord


@dataclass(frozen=True)
class Spread:
    """`partitions`: the partition of each record, in the order of sending. `keys`: the partitions of each key."""

    partitions: tuple[int, ...]
    keys: dict[bytes, frozenset[int]]

    @property
    def changes(self) -> int:
        """How often a record went to another partition than the one sent before it."""
        return sum(before != after for before, after in pairwise(self.partitions))

    @property
    def longest_run(self) -> int:
        """The most records in a row that went to one partition."""
        return max((len(list(run)) for _, run in groupby(self.partitions)), default=0)

    @property
    def keys_divided(self) -> int:
        """How many keys are in more than one partition."""
        return sum(len(found) > 1 for found in self.keys.values())


def spread(logs: Iterable[PartitionLog]) -> Spread:
    """Put the records of a topic's partitions into the order of sending, by their numbers.

    A load's record has its number in the header `lab-id`, any other one at the beginning of its value. Raises
    `LabError` for a record without a number.
    """
    numbered, keys = [], dict[bytes, set[int]]()
    for log in logs:
        for record in log.records:
            numbered.append((sent_as(record), log.partition))
            if record.key is not None:
                keys.setdefault(record.key, set()).add(log.partition)
    partitions = tuple(partition for _, partition in sorted(numbered))
    return Spread(partitions, {key: frozenset(found) for key, found in keys.items()})


def sent_as(record: StoredRecord) -> int:
    """Which record of its producer it was, counted from that producer's first."""
    named = dict(record.headers).get("lab-id")
    found = re.search(rb"-(\d+)$", named) if named else re.match(rb"\d+", record.value or b"")
    if found is None:
        raise LabError(f"The record at offset {record.offset} has no number.", fix="Number the values: `0 …`, `1 …`.")
    return int(found[found.lastindex or 0])
