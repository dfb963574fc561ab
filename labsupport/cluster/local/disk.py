"""What can happen to the log folders of a node that runs on this machine."""

from __future__ import annotations

import errno
import os
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from labsupport.core.errors import BadInput

FILLER = "kafka-lab-filler"  # Kafka looks at folders only
LOST = ".lost"
_BATCH = struct.Struct(">qi")  # baseOffset, batchLength: the first 12 bytes of each batch (Kafka documentation, 5.3.1)
ZEROS_BYTES = 512


@dataclass(frozen=True)
class LocalDisk:
    """See `broker.Disk` for what each method promises.

    `log_dirs` as this process sees them; `small`: each a file system of its own.
    """

    node: str
    log_dirs: tuple[Path, ...]
    small: bool

    def check_fill(self, log_dir: int) -> None:
        self._folder(log_dir)
        if not self.small:
            raise BadInput(
                f"The log folders of {self.node} are on this machine's own disk, and that is not filled.",
                fix="Give them a small file system of their own: Cluster.start(log_dir_mb=64).",
            )

    def check_take_away(self, log_dir: int) -> None:
        self._folder(log_dir)
        if self.small:
            raise BadInput(
                f"The log folders of {self.node} are mounted, and cannot be taken away.",
                fix="Start a cluster without log_dir_mb.",
            )

    def check_tear(self, topic: str, partition: int) -> None:
        self._active_segment(topic, partition)

    def fill(self, log_dir: int) -> None:
        self.check_fill(log_dir)
        with (self._folder(log_dir) / FILLER).open("wb") as filler:
            while (free := os.fstatvfs(filler.fileno())).f_bavail:
                try:
                    size = os.fstat(filler.fileno()).st_size
                    os.posix_fallocate(filler.fileno(), size, free.f_bavail * free.f_frsize)
                except OSError as error:  # the broker has taken some of it meanwhile: what is left now
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self, log_dir: int) -> None:
        (self._folder(log_dir) / FILLER).unlink(missing_ok=True)

    def take_away(self, log_dir: int) -> None:
        self.check_take_away(log_dir)
        folder = self._folder(log_dir)
        folder.rename(folder.with_name(folder.name + LOST))

    def bring_back(self, log_dir: int) -> None:
        folder = self._folder(log_dir)
        lost = folder.with_name(folder.name + LOST)
        if lost.exists():
            shutil.rmtree(folder, ignore_errors=True)  # an empty one that the broker made when it was started meanwhile
            lost.rename(folder)

    def tear(self, topic: str, partition: int, *, zeros: bool) -> None:
        segment = self._active_segment(topic, partition)
        if zeros:
            with segment.open("ab") as file:
                file.write(bytes(ZEROS_BYTES))
            return
        start, length = _last_batch(segment)
        os.truncate(segment, start + length // 2)

    def _folder(self, log_dir: int) -> Path:
        if not isinstance(log_dir, int) or isinstance(log_dir, bool) or not 0 <= log_dir < len(self.log_dirs):
            raise BadInput(
                f"{self.node} has no log folder {log_dir!r}.",
                fix=f"It has {len(self.log_dirs)}, numbered from 0; Cluster.start(log_dirs=2) gives each broker two.",
            )
        return self.log_dirs[log_dir]

    def _active_segment(self, topic: str, partition: int) -> Path:
        """The segment that is written to: the one with the highest base offset."""
        found = sorted(file for folder in self.log_dirs for file in folder.glob(f"{topic}-{partition}/*.log"))
        if not found or not found[-1].stat().st_size:
            raise BadInput(
                f"{self.node} has nothing of {topic}-{partition} in its active segment.", fix="Write a record first."
            )
        return found[-1]


def _last_batch(segment: Path) -> tuple[int, int]:
    """Where the last whole batch of a segment begins, and how long it is, in bytes."""
    size, at, last = segment.stat().st_size, 0, (0, 0)
    with segment.open("rb") as file:
        while at + _BATCH.size <= size:
            file.seek(at)
            _, batch_bytes = _BATCH.unpack(file.read(_BATCH.size))
            if batch_bytes <= 0:  # zeros: torn before
                break
            last = (at, _BATCH.size + batch_bytes)
            at += _BATCH.size + batch_bytes
    return last
