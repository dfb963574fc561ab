"""The edge to the terminal: every way in which a command can end becomes an exit code and at most one message."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from labsupport.core.errors import LabError
from labsupport.core.escape import printable

FAILED, MISUSED, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141

_REMEDIES = {
    errno.ENOSPC: "Free some space, or move the folder with KAFKA_LAB_CACHE, KAFKA_LAB_STATE or TMPDIR.",
    errno.EDQUOT: "Free some space, or move the folder with KAFKA_LAB_CACHE, KAFKA_LAB_STATE or TMPDIR.",
    errno.EROFS: "Name a writable folder with KAFKA_LAB_CACHE, KAFKA_LAB_STATE or TMPDIR.",
    errno.EACCES: "Make it yours, or name another folder with KAFKA_LAB_CACHE, KAFKA_LAB_STATE or TMPDIR.",
    errno.EPERM: "Make it yours, or name another folder with KAFKA_LAB_CACHE, KAFKA_LAB_STATE or TMPDIR.",
    errno.EMFILE: "Raise the limit with `ulimit -n 65536`, and try again.",
}


def run(arguments: list[str]) -> int:
    """Run a command: its result is on stdout, what went wrong is one message on stderr; bugs keep their traceback."""
    if os.name == "nt":
        return say("Kafka's brokers do not run on native Windows: install WSL2, and use kafka-lab inside it.", FAILED)
    _never_fail_to_print()
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `kafka-lab status | head -1`: the reader has seen enough
        _silence_stdout()
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return say("Interrupted; `kafka-lab status` shows what is running.", INTERRUPTED)
    except LabError as error:
        return say(_lines(str(error)), FAILED)
    except OSError as error:
        return say(_of_the_system(error), FAILED)


def say(message: str, code: int) -> int:
    """Print a message on stderr and return the exit code, for `return say(…)`."""
    print(message, file=sys.stderr, flush=True)
    return code


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Within the block SIGTERM and SIGHUP raise KeyboardInterrupt, so that what was begun is undone."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    except ValueError:  # not the main thread: signals do not arrive here
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _dispatch(arguments: list[str]) -> int:
    if arguments[:2] == ["tool", "--as-script"]:  # the kafka-*.sh launchers: no option parser stands in their way
        from labsupport.cli.tool import run_as_script

        return run_as_script(arguments[2:])
    from labsupport.cli.app import run_command

    return run_command(arguments)


def _lines(message: str) -> str:
    """Escapes what no terminal should obey, line by line: the end of a log may be part of a message."""
    return "\n".join(printable(line, limit=2000) for line in message.splitlines())


def _of_the_system(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    where = f" ({printable(error.filename)})" if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "Run `kafka-lab doctor` to see what this machine lacks.")
    return f"The operating system refused: {reason}{where}. {remedy}"


def _never_fail_to_print() -> None:
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # absent when a test captures the output
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _silence_stdout() -> None:
    """Point stdout at nothing, else the interpreter complains once more when it flushes at exit."""
    try:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
    except (OSError, ValueError):
        return
