"""One JupyterLab a checkout: a lock that the running one holds, and beside it the address at which it answers."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from labsupport.core.errors import LabError, WaitTimeout
from labsupport.core.wait import wait_until

PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Running:
    """The JupyterLab that holds the seat. `page` is a file that sends a browser to it with the token."""

    pid: int
    port: int
    token: str
    url: str
    page: str

    def answers(self) -> bool:
        """Does it answer, to this token?"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/api/status", headers={"Authorization": f"token {self.token}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Seat:
    """The right to run the JupyterLab of one workspace. The lock ends with the process, however it ends."""

    def __init__(self, folder: Path, workspace: Path) -> None:
        name = hashlib.sha256(str(workspace).encode()).hexdigest()[:16]
        self._file = folder / f"lab-{name}.json"
        self._lock: int | None = None

    def take(self) -> bool:
        """Take the seat; False if another process has it."""
        lock = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        os.ftruncate(lock, 0)
        self._lock = lock
        return True

    def announce(self, running: Running) -> None:
        """Tell later starts where the lab is."""
        assert self._lock is not None
        os.pwrite(self._lock, json.dumps(asdict(running)).encode(), 0)

    def holder(self) -> Running:
        """Who has the seat, once it answers (it may be starting). Raises `LabError` if it does not."""
        try:
            running = wait_until(self._answering, PATIENCE_S, because="the running JupyterLab to answer")
        except WaitTimeout as error:
            raise LabError(
                "JupyterLab is running for this folder, but does not answer.",
                fix="Stop it with Ctrl-C where it was started, and start again.",
            ) from error
        assert running is not None
        return running

    def _answering(self) -> Running | None:
        try:
            running = Running(**json.loads(self._file.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return running if running.answers() else None
