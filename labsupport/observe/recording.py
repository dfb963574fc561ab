"""The Recording: everything that happens to a cluster, on one clock, on disk as it happens."""

from __future__ import annotations

import math
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from labsupport.core.clock import now_s
from labsupport.core.escape import printable
from labsupport.observe import shelf
from labsupport.observe.follow import Follower, open_recording
from labsupport.observe.format import ClusterFacts, Entry, Header, encode
from labsupport.observe.writer import Writer

if TYPE_CHECKING:
    from labsupport.cluster.cluster import Cluster


class Recording:
    """An append-only file of events, samples, sends and reads (`core.journal.Journal`).

    `create` one to write, `load` one to read. Written entries are in the file within 100 ms, so it can be read after
    a crash. No method that writes blocks on the disk or raises OSError: when the disk is full, recording stops and
    `trouble` says so. After `close()`, and in a forked child, writes are ignored.
    """

    def __init__(self, path: Path, header: Header, writer: Writer | None = None) -> None:
        self.path, self.header = path, header
        self._writer = writer
        self._acked: Counter[str] = Counter()
        self._look: Callable[[], None] | None = None
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

        `coordinators` are names ("zookeeper-1", "controller-101"). The newest 20 files of the folder are kept.
        Raises `LabError` when the file cannot be made.
        """
        facts = ClusterFacts(
            name=name,
            coordination=coordination,
            version=version,
            brokers=tuple(brokers),
            coordinators=tuple(coordinators),
        )
        header = Header(began_wall=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", began_s=now_s(), cluster=facts)
        folder = shelf.recordings_folder() if folder is None else folder
        path, fd = shelf.open_new(folder, name, header.encode())
        shelf.prune(folder)
        return cls(path, header, Writer(fd, name=name))

    @classmethod
    def for_cluster(cls, cluster: Cluster) -> Recording:
        """Begin a Recording of `cluster`. Raises `LabError` when the file cannot be made."""
        return cls.create(
            name=cluster.name,
            coordination=cluster.spec.coordination,
            version=str(cluster.spec.version),
            brokers=[broker.node_id for broker in cluster.brokers],
            coordinators=[node.name for node in cluster.coordinators],
        )

    @classmethod
    def load(cls, path: Path | str) -> Recording:
        """Open a Recording to read. Raises `LabError` when the file is none, newer than we read, or unreadable."""
        file, header = open_recording(Path(path))
        file.close()
        return cls(Path(path), header)

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
        self._put(encode({"t": self._t(t_s), "k": "event", "what": what} | _unreserved(fields, "what")))

    def sample(self, name: str, value: float, *, t_s: float | None = None, **labels: object) -> None:
        """A measured quantity; its unit ends its name. The label names `t`, `k`, `name` and `value` are ours."""
        entry = {"t": self._t(t_s), "k": "sample", "name": name, "value": value}
        self._put(encode(entry | _unreserved(labels, "name", "value")))

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
        entry: Entry = {"t": self._t(t_s), "k": "send", "topic": topic, "id": record_id, "outcome": outcome}
        intended = None if intended_s is None else self._t(intended_s)
        entry |= {"partition": partition, "offset": offset, "intended": intended, "error": error}
        if self._writer is not None:
            count = (lambda: self._acked.update((topic,))) if outcome == "acked" else None
            self._writer.put(entry, also=count)

    def read(self, topic: str, partition: int, offset: int, record_id: str, *, t_s: float | None = None) -> None:
        """A record was read."""
        head: Entry = {"t": self._t(t_s), "k": "read", "topic": topic}
        self._put(head | {"partition": partition, "offset": offset, "id": record_id})

    def acked_by_topic(self) -> dict[str, int]:
        """How many acknowledged sends were recorded so far, by topic."""
        return dict(self._acked)

    def flush(self, timeout_s: float = 5) -> None:
        """Return once everything recorded so far is in the file (or `trouble` says why it never will be)."""
        if self._writer is not None:
            self._writer.flush(timeout_s)

    def looked_at_by(self, look: Callable[[], None] | None) -> None:
        """For a watcher: what makes it look at its cluster now; None when it has stopped."""
        self._look = look

    def catch_up(self) -> None:
        """Return once what is true of the cluster now is in the file, as far as its watcher can see, within a second.

        For pictures that must be current, such as one drawn right after a wait for the cluster itself.
        """
        if self._look is not None:
            self._look()
        self.flush()

    def follow(self, *, kinds: Collection[str] | None = None) -> Follower:
        """Someone who asks again and again what is new, from the first entry on. Views leave sends out by `kinds`."""
        return Follower(self.path, kinds=kinds)

    def entries(self, *, kinds: Collection[str] | None = None) -> Iterator[Entry]:
        """All entries so far, in the order of the file. Raises `LabError` when the file is damaged."""
        self.flush()
        follower = self.follow(kinds=kinds)
        try:
            yield from follower.stream()
        finally:
            follower.close()

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

    def _put(self, item: str | Entry) -> None:
        if self._writer is not None:
            self._writer.put(item)


def _unreserved(fields: dict[str, object], *own: str) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name not in {"t", "k", *own}}
