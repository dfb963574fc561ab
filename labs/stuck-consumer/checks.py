"""What "well" means: nobody waits, every fee is charged once, and the evidence is still there."""

from __future__ import annotations

import json
from collections import Counter

from labsupport import Cluster
from labsupport.core.finding import Finding
from labsupport.teaching import check, committed, members, read_values, watermarks

from .airport_fees import FEES, GROUP, SOURCE
from .scenario import DEPARTURES, PLACEMENT


@check(f"{GROUP} is running and has read everything")
def nobody_waits(cluster: Cluster) -> Finding:
    stood = committed(cluster, GROUP, SOURCE)
    behind = [
        f"{SOURCE}-{number}: at offset {stood.get(number, start)} of {end}"
        for number, (start, end) in watermarks(cluster, SOURCE).items()
        if stood.get(number, start) < end
    ]
    absent = [] if members(cluster, GROUP) else [f"nobody is in the group {GROUP}"]
    look = f"kafka-consumer-groups.sh --describe --group {GROUP}"
    return Finding.of(not behind and not absent, saw=[*absent, *behind], look=look)


@check("every departure that can be read is charged, and charged once")
def charged_once(cluster: Cluster) -> Finding:
    departures = read_values(cluster, SOURCE)
    charged = Counter(_of(value) for value in read_values(cluster, FEES).values())
    stood = committed(cluster, GROUP, SOURCE)
    passed = [at for at, value in departures.items() if _readable(value) and at[1] < stood.get(at[0], 0)]
    skipped = [at for at in passed if not charged[at]]
    twice = sorted(at for at, count in charged.items() if count > 1)
    saw = [*_told("passed over and never charged", skipped), *_told("charged more than once", twice)]
    return Finding.of(not saw, saw=saw, look=f"kafka-console-consumer.sh --topic {FEES} --from-beginning")


@check(f"{SOURCE} still holds every record, the unreadable one too")
def evidence_kept(cluster: Cluster) -> Finding:
    held = watermarks(cluster, SOURCE)
    gone = [f"{SOURCE}-{number}: begins at offset {start}" for number, (start, _) in held.items() if start > 0]
    count = sum(end - start for start, end in held.values())
    if not gone and count < DEPARTURES:
        gone = [f"{count} records in {len(held)} of {len(PLACEMENT)} partitions"]
    return Finding.of(not gone, saw=gone, look=f"kafka-get-offsets.sh --topic {SOURCE} --time earliest")


def _readable(value: bytes) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _of(fee: bytes) -> tuple[int, int]:
    """The partition and offset of the departure that a fee was made from."""
    number, _, offset = str(json.loads(fee)["of"]).partition("@")
    return int(number), int(offset)


def _told(what: str, places: list[tuple[int, int]]) -> list[str]:
    """`3 departures were …: departures-1 offsets 63 to 80`, a line for each partition."""
    lines = []
    for number in sorted({number for number, _ in places}):
        offsets = [offset for at, offset in places if at == number]
        span = (
            f"offset {offsets[0]}"
            if len(offsets) == 1
            else f"{len(offsets)} of the offsets {offsets[0]} to {offsets[-1]}"
        )
        lines.append(f"{SOURCE}-{number}: {what}: {span}")
    return lines
