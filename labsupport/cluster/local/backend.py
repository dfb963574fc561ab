"""The local backend itself: its supervisor, its folder, and that the machine is large enough."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Self

from labsupport.cluster.backend import Backend
from labsupport.cluster.links import Links
from labsupport.cluster.local.builder import Builder, start_proxy
from labsupport.cluster.local.node import LocalNode
from labsupport.cluster.spec import ClusterSpec
from labsupport.cluster.supervised import Supervised
from labsupport.core.errors import LabError, StartError
from labsupport.core.machine import disk_free_mb, memory_available_mb
from labsupport.provision import kafka_home

MEMORY_MB = {"quick": {"broker": 300, "coordinator": 150}, "throughput": {"broker": 1300, "coordinator": 600}}
DISK_MB = 300


class LocalBackend(Backend):
    """Starts and holds the JVMs of one cluster."""

    name = "local"
    node_class = LocalNode

    @classmethod
    def prepare(cls, spec: ClusterSpec) -> Self:
        """Start the supervisor, reserve ports, write every file; no JVM runs yet. Raises `LabError` for any lack."""
        home = kafka_home(spec.version)
        _refuse_when_too_small(spec)
        folder = Path(tempfile.gettempdir()).resolve() / f"kafka-lab-{spec.name}-{secrets.token_hex(4)}"
        supervised = Supervised.launch(spec.name, folder)
        try:
            return cls(spec, supervised, Builder(spec, home, supervised, folder).build())
        except OSError as error:
            supervised.shutdown()
            raise StartError(
                f"The files of the cluster could not be written to {folder.parent} ({error.strerror}).",
                fix="Free some space there, or point TMPDIR to a folder that can be written.",
            ) from error
        except BaseException:
            supervised.shutdown()
            raise

    def start(self, *, timeout_s: float) -> None:
        if self.spec.links:
            start_proxy(self.supervised, Links(self.spec.name), timeout_s=timeout_s)
        super().start(timeout_s=timeout_s)


BACKEND = LocalBackend


def _refuse_when_too_small(spec: ClusterSpec) -> None:
    """Refuse with need against have, before anything is started."""
    need = MEMORY_MB[spec.profile]
    coordinators = 0 if spec.combined else spec.controllers
    need_mb = spec.brokers * need["broker"] + coordinators * need["coordinator"]
    have_mb = memory_available_mb()
    if have_mb < need_mb:
        raise LabError(
            f"This cluster needs about {need_mb} MB of memory, and {have_mb} MB are available.",
            fix="Close other programs or clusters (`kafka-lab status`), or start fewer brokers.",
        )
    free_mb = disk_free_mb(Path(tempfile.gettempdir()))
    if free_mb < DISK_MB:
        raise LabError(
            f"{tempfile.gettempdir()} has {free_mb} MB free, and a cluster needs {DISK_MB} MB.",
            fix="Free some space there, or point TMPDIR to another folder.",
        )
