"""Train the start-up caches: run the real programs once, see which classes they load, and keep them ready-made.

    python -m labsupport.provision.train VERSION

It is nobody's first concern: it runs at the lowest priority, one step at a time, stops its JVMs whenever a cluster
starts (`gate`), and nobody waits for it. Two processes share the work so that neither leaves anything behind: the
*guard* makes the folder and removes it, the *worker* starts the JVMs, and each ends when the other is killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labsupport.core.errors import LabError
from labsupport.provision import aot
from labsupport.provision.ending import ended
from labsupport.provision.kafka import checked_version

TRAINING_TIMEOUT_S = 3600  # half a minute of CPU time; on a busy machine, that of others comes first
NICE = 19
SESSION_NICE = 10  # a tenth of what a busy session gets: with 19 it would not end while tests run


def step_back() -> None:
    """The lowest priority. Linux also weighs sessions against each other (autogroup), whatever is in them."""
    os.nice(NICE)
    if os.getsid(0) != os.getpid():
        return  # started by hand: the session is the user's
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(SESSION_NICE))


def guard(version: str) -> int:
    """Train what is missing; the exit code. Does nothing if a trainer for this version is at work."""
    aot.folder().mkdir(parents=True, exist_ok=True)
    with _only_one(f"training-{version}.lock", wait=False) as mine:
        if not mine:
            print(f"A trainer for Kafka {version} is already at work.")
            return 0
        for left in aot.folder().glob(f"training-{version}-*"):
            _remove(left)
        if not aot.untrained(version):
            print(f"Kafka {version}: all start-up caches are there.")
            return 0
        with _only_one("training.lock", wait=True):
            return _guarded_worker(version)


def _guarded_worker(version: str) -> int:
    folder = Path(tempfile.mkdtemp(prefix=f"training-{version}-", dir=aot.folder()))
    command = [sys.executable, "-m", "labsupport.provision.training", version, str(folder), str(os.getpid())]
    worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    try:
        return worker.wait(TRAINING_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        print(f"Training took longer than {TRAINING_TIMEOUT_S} s and was stopped.", file=sys.stderr)
        return 1
    finally:
        worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            worker.wait(10)
        with suppress(ProcessLookupError):  # what is left of its group: JVMs, if it was killed
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        _remove(folder)


def _remove(folder: Path) -> None:
    for _ in range(3):  # a JVM that is just being killed may still write a file
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _only_one(name: str, *, wait: bool) -> Iterator[bool]:
    """Hold the lock file `name`; yields False if somebody else holds it and `wait` is false."""
    with (aot.folder() / name).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def main(arguments: list[str]) -> int:
    """Train one version; 2 for a version that is not there."""
    try:
        version = checked_version(arguments[0] if arguments else "")
        signal.signal(signal.SIGTERM, ended)
        step_back()
        return guard(version)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
