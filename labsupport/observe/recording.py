"""The Recording: everything that happens to a cluster, on one clock, on disk as it happens."""

from __future__ import annotations

import json
import math
import secrets
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from operator import index
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from labsupport.core.clock import now_s
from labsupport.core.escape import printable
from labsupport.observe import shelf
from labsupport.observe.acknowledged import Acknowledged, Window
from labsupport.observe.allowance import Allowance
from labsupport.observe.follow import Follower, find_view, operations
from labsupport.observe.format import MARKS, ClusterFacts, Entry, Header, encode
from labsupport.observe.operations import Mark, Operation, Read, Send, split_id
from labsupport.observe.writer import Writer

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster

# A view is at most 1 MB for five minutes: samples and watched changes have a share each, and what we do ourselves
# (faults, marks, processes, verdicts) is always written, from the share of the changes.
SAMPLES_BYTES_PER_S, SAMPLES_RESERVE_BYTES = 1_450, 60_000
CHANGES_BYTES_PER_S, CHANGES_RESERVE_BYTES = 750, 200_000


class LooksAtCluster(Protocol):
    """A watcher, as its Recording knows it."""

    def refresh(self) -> None: ...

    def watch_log(self, topic: str, partition: int) -> None: ...


class Recording:
    """Two append-only files: events, samples and verdicts at `path`, sends and reads at `history_path`.

    It is a `core.journal.Journal`. `create` one to write, `load` one to read. Written entries are in the files within
    100 ms, so it can be read after a crash. No method that writes blocks on the disk or raises OSError: when the disk
    is full, recording stops and `trouble` says so. After `close()`, and in a forked child, writes are ignored.
    """

    def __init__(self, path: Path, header: Header, writer: Writer | None = None) -> None:
        self.path, self.header = path, header
        self._writer = writer
        self._acked = Acknowledged()
        self._samples = Allowance(bytes_per_s=SAMPLES_BYTES_PER_S, reserve_bytes=SAMPLES_RESERVE_BYTES)
        self._changes = Allowance(bytes_per_s=CHANGES_BYTES_PER_S, reserve_bytes=CHANGES_RESERVE_BYTES)
        self._watcher: LooksAtCluster | None = None
        if writer is not None:
            weakref.finalize(self, writer.close)  # also when the interpreter ends: its queue would be lost

    @classmethod
    def create(
        cls,
        *,
        name: str,
        coordination: str,
        version: str,
        brokers: Iterable[int],
        coordinators: Iterable[str] = (),
        folder: Path | None = None,
    ) -> Recording:
        """Begin a Recording of the cluster `name`, in the user's folder of recordings unless `folder` is given.

        `coordinators` are names ("zookeeper-1", "controller-101"). The newest 20 recordings of the folder are kept.
        Raises `LabError` when the files cannot be made.
        """
        facts = ClusterFacts(
            name=name,
            coordination=coordination,
            version=version,
            brokers=tuple(brokers),
            coordinators=tuple(coordinators),
        )
        header = Header(
            began_wall=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            began_s=now_s(),
            cluster=facts,
            recording_id=secrets.token_hex(8),
        )
        folder = shelf.recordings_folder() if folder is None else folder
        path, view, history = shelf.open_new(folder, name, header.encode(), header.encode_history())
        shelf.prune(folder)
        return cls(path, header, Writer(view, history, name=name))

    @classmethod
    def for_cluster(cls, cluster: Cluster) -> Recording:
        """Begin a Recording of `cluster`. Raises `LabError` when the files cannot be made."""
        return cls.create(
            name=cluster.name,
            coordination=cluster.spec.coordination,
            version=str(cluster.spec.version),
            brokers=[broker.node_id for broker in cluster.brokers],
            coordinators=[node.name for node in cluster.coordinators],
        )

    @classmethod
    def load(cls, path: Path | str) -> Recording:
        """Open a Recording to read, by its view, its history, or its one file of version 1.

        A view can be read without its history, as far as neither sends nor reads are asked for. Raises `LabError` when
        the file is none, newer than we read, or unreadable, and for a history without its view.
        """
        return cls(*find_view(Path(path)))

    @property
    def history_path(self) -> Path:
        """Where the sends and reads are: in a file of their own, or in `path` for a Recording of version 1."""
        return shelf.history_of(self.path) if self.header.version > 1 else self.path

    @property
    def began_s(self) -> float:
        """When it began, on CLOCK_MONOTONIC; the `t` of an entry counts from here."""
        return self.header.began_s

    @property
    def closed(self) -> bool:
        """Whether nobody writes it any more."""
        return self._writer.ended if self._writer is not None else not shelf.is_being_written(self.path)

    @property
    def trouble(self) -> str:
        """Why recording stopped before it was closed, as a sentence; empty when it did not."""
        return self._writer.trouble if self._writer is not None else ""

    def event(self, what: str, *, t_s: float | None = None, **fields: object) -> None:
        """Something changed. The field names `t`, `k` and `what` are ours."""
        t = self._t(t_s)
        line = encode({"t": t, "k": "event", "what": what} | _unreserved(fields, "what"))
        self._changes.spend(len(line), t)
        if what in MARKS:
            self._put(_mark(line), line)
        else:
            self._put(line)

    def sample(self, name: str, value: float, *, t_s: float | None = None, **labels: object) -> None:
        """A measured quantity; its unit ends its name. The label names `t`, `k`, `name` and `value` are ours.

        Left out when there were more in the last minutes than the view has room for.
        """
        t = self._t(t_s)
        entry = {"t": round(t, 3), "k": "sample", "name": name, "value": value}
        line = encode(entry | _unreserved(labels, "name", "value"))
        if self._samples.take(len(line), t):
            self._put(line)

    def verdict(self, fields: Mapping[str, object]) -> None:
        """What was judged of a history. The field names `t` and `k` are ours."""
        self._put(encode({"t": self._t(None), "k": "verdict"} | _unreserved(dict(fields))))

    def send(
        self,
        topic: str,
        record_id: str,
        outcome: str,
        *,
        partition: int | None = None,
        offset: int | None = None,
        intended_s: float | None = None,
        t_s: float | None = None,
        error: str = "",
    ) -> None:
        """A send came to its end: "acked", "failed" (certainly not written) or "unknown" (may be written)."""
        if self._writer is None:
            return
        intended = None if intended_s is None else self._t(intended_s)
        partition = None if partition is None else index(partition)
        offset = None if offset is None else index(offset)
        ended = Send(self._t(t_s), topic, *split_id(record_id), outcome, partition, offset, intended, error)
        if outcome == "acked":
            latency_s = None if intended is None else ended.t - intended
            self._writer.put(ended, also=lambda: self._acked.note(topic, latency_s))
        else:
            self._writer.put(ended)

    def read(
        self, topic: str, partition: int, offset: int, record_id: str, *, t_s: float | None = None, reader: str = ""
    ) -> None:
        """A record was read by `reader`; "" is the read of a whole topic."""
        self._put(Read(self._t(t_s), topic, index(partition), index(offset), *split_id(record_id), reader))

    def acked_by_topic(self) -> dict[str, int]:
        """How many acknowledged sends were recorded so far, by topic."""
        return dict(self._acked.by_topic)

    def take_acknowledged(self) -> dict[str, Window]:
        """For the one who samples rates and latencies: by topic, what was acknowledged since the last call."""
        return self._acked.take()

    def has_room(self) -> bool:
        """For a watcher: whether changes may be written now, or must wait for the view to have room again."""
        return self._changes.has_room(self._t(None))

    def flush(self, timeout_s: float = 5) -> None:
        """Return once everything recorded so far is in the files (or `trouble` says why it never will be)."""
        if self._writer is not None:
            self._writer.flush(timeout_s)

    def looked_at_by(self, watcher: LooksAtCluster | None) -> None:
        """For a watcher: who can be told to look at the cluster now; None when it has stopped."""
        self._watcher = watcher

    def catch_up(self) -> None:
        """Return once what is true of the cluster now is in the file, as far as its watcher can see, within a second.

        For pictures that must be current, such as one drawn right after a wait for the cluster itself.
        """
        if self._watcher is not None:
            self._watcher.refresh()
        self.flush()

    def watch_log(self, topic: str, partition: int) -> None:
        """Have the log of a partition watched from now on: its leader's segments, its start and its end."""
        if self._watcher is not None:
            self._watcher.watch_log(topic, partition)

    def follow(self, *, kinds: Collection[str] | None = None) -> Follower:
        """Someone who asks again and again what is new, from the first entry on. Views leave sends out by `kinds`.

        Raises `LabError` when sends or reads are wanted and the history is missing or another one's.
        """
        return Follower(self.path, kinds=kinds)

    def entries(self, *, kinds: Collection[str] | None = None) -> Iterator[Entry]:
        """All entries so far: the view's in its order, sends and reads among them by their times and the marks.

        Raises `LabError` when a file is damaged, and when sends or reads are wanted and the history is missing.
        """
        self.flush()
        follower = self.follow(kinds=kinds)
        try:
            yield from follower.stream()
        finally:
            follower.close()

    def operations(self) -> Iterator[Operation]:
        """Every send, read and mark so far, in the order in which they were written. A million take a few seconds.

        Raises `LabError` when the history is missing, damaged, or another recording's.
        """
        self.flush()
        return operations(self.path, self.header)

    def close(self) -> None:
        """Write out what is queued and end the Recording. Calling it again does nothing."""
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Recording of {printable(self.header.cluster.name)}>"

    def _t(self, t_s: float | None) -> float:
        if t_s is None or not math.isfinite(t_s):
            t_s = now_s()
        return round(t_s - self.header.began_s, 6)

    def _put(self, *items: str | Operation) -> None:
        if self._writer is not None:
            self._writer.put(*items)


def _mark(line: str) -> Mark:
    """The mark that an event is, as it will be read."""
    entry: Entry = json.loads(line)
    return Mark(entry.pop("t"), entry.pop("what"), {name: value for name, value in entry.items() if name != "k"})


def _unreserved(fields: dict[str, object], *own: str) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name not in {"t", "k", *own}}
