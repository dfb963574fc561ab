"""The verdict of a history: what became of every record that was sent to a topic, judged from a Recording alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from labsupport.observe.checking import Checker
from labsupport.observe.follow import entry_of
from labsupport.observe.format import Entry
from labsupport.observe.operations import Mark, Operation

if TYPE_CHECKING:
    from labsupport.observe.recording import Recording

ANOMALIES: Mapping[str, str] = MappingProxyType(
    {
        "lost": "acknowledged and lost",
        "disagreement": "readers disagree",
        "duplicated": "duplicated",
        "reordered": "reordered",
        "phantom": "failed and yet written",
        "moved": "acknowledged elsewhere",
        "unobserved": "acknowledged and not observed",
        "sent_missing": "sent, never acknowledged and missing",
    }
)
"""Every field of a verdict that counts something wrong, the worst first, and its words."""
_ALWAYS_SAID = ("lost", "duplicated")


@dataclass(frozen=True, kw_only=True)
class HistoryVerdict:
    """What became of the records of `topic`; all fields but the last are numbers of records, `disagreement` of places.

    Sends by outcome: `acked`, `failed`, `unknown` (timed out: it may be written or not, and neither is an anomaly;
    `unknown_found` and `unknown_missing` split them) and `unconfirmed` (sent with acks=0: given to the socket, no
    broker ever said "written"). `read`: all that is there; `unexpected`: there, but sent by nobody in this Recording.

    What can be wrong (`ANOMALIES`), each record counted once a kind:
    - `lost`: acknowledged, and another record is at its place, or the log ends before it.
    - `unobserved`: acknowledged below the high watermark, and the full read found nothing at its place. Retention and
      compaction do that too; judge topics that keep everything.
    - `sent_missing`: unconfirmed, and not there.
    - `duplicated`: sent once, there at two offsets or more.
    - `reordered`: there behind a record that the same producer sent later to the same partition.
    - `moved`: acknowledged at one offset, and there at another only.
    - `phantom`: reported as certainly not written, and there.
    - `disagreement`: places at which two readings found different records, or where one found a record that is gone.

    `counter_examples`: for each kind that is there, in the order of `ANOMALIES`, the few operations that prove it once,
    as entries (`docs/recording-format.md`).
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
    unconfirmed: int = 0
    sent_missing: int = 0
    reordered: int = 0
    moved: int = 0
    unobserved: int = 0
    disagreement: int = 0
    counter_examples: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)

    @property
    def anomalies(self) -> dict[str, int]:
        """How many there are of each kind that is there, the worst kind first."""
        return {kind: count for kind in ANOMALIES if (count := int(getattr(self, kind)))}

    @property
    def clean(self) -> bool:
        """No anomaly of any kind."""
        return not self.anomalies

    @property
    def counter_example(self) -> tuple[Entry, ...]:
        """That of the worst kind; empty if there is none."""
        return next(iter(self.counter_examples.values()), ())

    def fields(self) -> dict[str, object]:
        """As plain data, for a Recording's view: all numbers, and the counter-examples."""
        return {**vars(self), "counter_examples": {kind: list(proof) for kind, proof in self.counter_examples.items()}}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> HistoryVerdict:
        """From an entry of the kind `verdict`; what a newer kafka-lab may have added is left out."""
        known = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields}
        proofs = {kind: tuple(proof) for kind, proof in known.pop("counter_examples", {}).items()}
        return cls(**known, counter_examples=proofs)

    def __repr__(self) -> str:
        """What can be judged; how many were sent differs from run to run and is shown elsewhere."""
        facts = [f"{ANOMALIES[kind]}: {getattr(self, kind)}" for kind in _ALWAYS_SAID]
        facts.append(f"unknown: {'some' if self.unknown else 'none'}")
        facts += [f"{ANOMALIES[kind]}: {count}" for kind, count in self.anomalies.items() if kind not in _ALWAYS_SAID]
        return " · ".join(facts)


def verdict(recording: Recording, topic: str) -> HistoryVerdict:
    """Match every send to `topic` with what the last full read back of it found (`clients.read_back`).

    A read back waits until the topic is quiet and reads from start to high watermark; wait for the replicas to be in
    sync before it, since what is above the high watermark cannot be read. Raises `LabError` when there was no full
    read back, when sends ended after it began, and beyond the bound: a million sends and four million reads of the
    topic. A million sends and one and a half million reads took 7 s of one core and 66 MB, 10 s with an anomaly, and
    up to 180 MB where ids bear no numbers (`benchmarks.history_verdict`, 2 cores of AMD EPYC).
    A Recording that is still being written keeps the verdict in its view.
    """
    judged = judge(_History(recording), topic, trouble=recording.trouble)
    recording.verdict(judged.fields())
    return judged


def judge(operations: Iterable[Operation], topic: str, *, trouble: str = "") -> HistoryVerdict:
    """`verdict`, of operations that need no file. They are gone through once, and once more if something is wrong.

    `trouble`: why they may end early, for the message of the `LabError`.
    """
    checker = Checker(topic)
    checker.take(operations)
    found = checker.findings(trouble)
    wanted = {at for example in found.examples.values() for at in example}
    entries = dict(_picked(operations, wanted)) if wanted else {}
    return HistoryVerdict(
        topic=topic,
        acked=found.acked,
        unconfirmed=found.unconfirmed,
        failed=found.failed,
        unknown=found.unknown,
        unknown_found=found.unknown_found,
        unknown_missing=found.unknown - found.unknown_found,
        read=found.read,
        unexpected=found.unexpected,
        **{kind: getattr(found, kind) for kind in ANOMALIES},
        counter_examples={
            kind: tuple(entries[at] for at in found.examples[kind]) for kind in ANOMALIES if kind in found.examples
        },
    )


def _picked(operations: Iterable[Operation], wanted: set[int]) -> Iterator[tuple[int, Entry]]:
    last = max(wanted)
    for at, operation in enumerate(operations):
        if at in wanted:
            yield at, _entry(operation)
        if at >= last:
            return


def _entry(operation: Operation) -> Entry:
    if isinstance(operation, Mark):
        return {"t": operation.t, "k": "event", "what": operation.what, **operation.fields}
    return entry_of(operation)


class _History:
    """The operations of a Recording, which can be gone through again."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def __iter__(self) -> Iterator[Operation]:
        return self._recording.operations()
