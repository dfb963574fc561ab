"""What it costs to judge a million sends: seconds of one core and megabytes, each time in a new process.

    python -m benchmarks.history_verdict [--records 1000000] [--rounds 3]

"recording": from the history of a Recording on disk to the verdict. "operations": the checker alone, whose operations
are made as they are taken (their making is measured, too, and subtracted). "ids of others": the same records, whose
ids bear no number, so that the checker must remember each as a text. A clean history of three producers and three
partitions, read back in full, half of it seen by another reader before. Then the same with one record lost: finding its
counter-example takes a second look. There is no other side: this is an absolute figure, with a bound.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.common import machine
from labsupport.observe.history import HistoryVerdict, judge, verdict
from labsupport.observe.operations import Mark, Operation, Read, Send
from labsupport.observe.recording import Recording

PRODUCERS = ("a1b2c3", "d4e5f6", "123abc")
PARTITIONS = 3


class Made:
    """The operations of a history of `records` sends, made anew each time they are gone through."""

    def __init__(self, records: int, *, numbered: bool = True, lost: bool = False) -> None:
        self.records, self._numbered, self._lost = records, numbered, lost

    def __iter__(self) -> Iterator[Operation]:
        for i in range(self.records):
            partition, offset, producer, n = self._record(i)
            yield Send(i / 10_000, "t", producer, n, "acked", partition, offset, i / 10_000, "")
            if i % 2:
                yield Read(i / 10_000, "t", partition, offset, producer, n, "a group")
        yield Mark(0.0, "read back began", {"topic": "t"})
        for i in range(self.records):
            partition, offset, producer, n = self._record(i)
            if self._lost and i == self.records // 2:
                producer = "somebody else"
            yield Read(0.0, "t", partition, offset, producer, n, "")
        yield Mark(0.0, "read back", {"topic": "t", "complete": True, "records": self.records})

    def _record(self, i: int) -> tuple[int, int, str, int | None]:
        producer, n = PRODUCERS[i % 3], i // 3
        place = i // 7 % PARTITIONS, i
        return (*place, producer, n) if self._numbered else (*place, f"{producer}x{n}", None)


def from_operations(made: Made, _: Path) -> HistoryVerdict:
    return judge(made, "t")


def only_made(made: Made, _: Path) -> None:
    for _operation in made:
        pass


def from_recording(_: Made, path: Path) -> HistoryVerdict:
    return verdict(Recording.load(path), "t")


CASES: dict[str, tuple[Callable[[Made, Path], HistoryVerdict | None], dict[str, bool]]] = {
    "recording": (from_recording, {}),
    "recording, one lost": (from_recording, {"lost": True}),
    "operations": (from_operations, {}),
    "operations, ids of others": (from_operations, {"numbered": False}),
    "making them": (only_made, {}),
}


def write(made: Made, folder: Path) -> Path:
    """A Recording on disk, as a cluster's own; written slowly enough for its queue."""
    folder.mkdir()
    with Recording.create(name="bench", coordination="kraft", version="4.3.1", brokers=[1], folder=folder) as recording:
        for number, operation in enumerate(made):
            t_s = recording.began_s + operation.t
            if isinstance(operation, Mark):
                recording.event(operation.what, t_s=t_s, **operation.fields)
                recording.flush()
            elif isinstance(operation, Send):
                recording.send(
                    "t",
                    f"{operation.producer}-{operation.n}",
                    operation.outcome,
                    partition=operation.partition,
                    offset=operation.offset,
                    intended_s=t_s,
                    t_s=t_s,
                )
            else:
                reader = {"reader": operation.reader} if operation.reader else {}
                record_id = f"{operation.producer}-{operation.n}"
                recording.read("t", operation.partition, operation.offset, record_id, t_s=t_s, **reader)
            if number % 5_000 == 0:
                recording.flush(60)
        recording.flush(60)
        assert not recording.trouble, recording.trouble
        return recording.path


def measured(name: str, records: int, path: Path) -> tuple[float, float]:
    """CPU seconds, and the megabytes by which the process grew; called in a process of its own."""
    run, shape = CASES[name]
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began_s = time.process_time()
    found = run(Made(records, **shape), path)
    took_s = time.process_time() - began_s
    assert found is None or (found.acked, found.lost) == (records, int(shape.get("lost", False))), found
    return took_s, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, default=Path(), help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.case:
        print(*measured(wishes.case, wishes.records, wishes.path))
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = {
            lost: write(Made(wishes.records, lost=lost), Path(folder) / ("lost" if lost else "clean"))
            for lost in (False, True)
        }
        print(f"| judging {wishes.records:,} sends | CPU s: median (range) | MB: median (range) |")
        print("| --- | --- | --- |")
        for name, (_, shape) in CASES.items():
            command = [sys.executable, "-m", "benchmarks.history_verdict", "--case", name]
            command += ["--records", str(wishes.records), "--path", str(paths[shape.get("lost", False)])]
            taken = [
                [float(word) for word in subprocess.check_output(command, text=True).split()]
                for _ in range(wishes.rounds)
            ]
            figures = (f"{statistics.median(v):.1f} ({min(v):.1f} to {max(v):.1f})" for v in zip(*taken, strict=True))
            print(f"| {name} | {' | '.join(figures)} |", flush=True)
        size_mb = sum(file.stat().st_size for file in paths[False].parent.iterdir()) / 1e6
    print(f"\n{wishes.rounds} rounds; the Recording has {size_mb:.1f} MB on disk. {machine()}")


if __name__ == "__main__":
    main()
