"""Errors in two sentences, steps with their seconds, and the running of programs."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

TAIL_LINES = 25


class TestbedError(Exception):
    """What went wrong, and in `fix` what to do about it: one sentence each."""

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(f"{what} {fix}".strip())
        self.what, self.fix = what, fix


def say(line: str) -> None:
    """One line for the person at the terminal or the log of CI, at once."""
    print(line, flush=True)


@contextmanager
def step(name: str, *, expected_s: float) -> Iterator[None]:
    """Announce a step that does work, and say what it took: seconds of the clock, and of its programs on processors."""
    say(f"  {name} (about {duration(expected_s)}) ...")
    began_s, used_s = time.monotonic(), processor_s()
    yield
    say(f"  {name}: done in {duration(time.monotonic() - began_s)} (processors: {duration(processor_s() - used_s)})")


def processor_s() -> float:
    """Seconds of processor that the programs we ran have used: on a busy machine the clock alone tells little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def there(name: str) -> None:
    """Say that a step has nothing to do."""
    say(f"  {name}: is there already")


def duration(seconds: float) -> str:
    """`41 s` or `6 min 39 s`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def run(
    *command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None, log: Path | None = None
) -> None:
    """Run a program to its end with its output in `log` (appended); on failure `TestbedError` with the output's end.

    `env` is the whole environment of the program; without it the program has ours.
    """
    words = [str(word) for word in command]
    options = {"cwd": cwd, "env": env, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    if log is None:
        ended = subprocess.run(words, **options, stdout=subprocess.PIPE, check=False)  # type: ignore[call-overload]
        output = ended.stdout.decode(errors="replace")
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as sink:
            begins = sink.tell()
            print("$", *words, file=sink, flush=True)
            ended = subprocess.run(words, **options, stdout=sink, check=False)  # type: ignore[call-overload]
        with log.open(errors="replace") as source:
            source.seek(begins)
            output = source.read()
    if ended.returncode:
        raise failed(words, ended.returncode, output, log)


def failed(words: Sequence[str], returncode: int, output: str, log: Path | None) -> TestbedError:
    """The error of a program that ended badly, with the last lines that it printed."""
    tail = "\n".join(f"    {line[:300]}" for line in output.splitlines()[-TAIL_LINES:])
    where = f"The whole output is in {log}." if log else ""
    return TestbedError(f"`{' '.join(words)[:300]}` ended with exit code {returncode}:\n{tail}\n", fix=where)


def ask(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """The standard output of a program, stripped; on failure `TestbedError` with what it wrote to standard error."""
    words = [str(word) for word in command]
    ended = subprocess.run(
        words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise failed(words, ended.returncode, ended.stdout + ended.stderr, None)
    return ended.stdout.strip()


def succeeds(*command: str | Path, env: Mapping[str, str] | None = None, timeout_s: float = 60) -> bool:
    """Whether a program is there and ends with exit code 0 within `timeout_s` seconds."""
    try:
        ended = subprocess.run(
            [str(word) for word in command],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def complain(error: TestbedError) -> None:
    """The error on standard error, as the last thing a failed run says."""
    print(f"testbed: {error}", file=sys.stderr, flush=True)
