"""`kafka-lab doctor`: what the lab needs, what this machine has, and what to do about each lack."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labsupport.core import machine
from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.core.finding import Finding, Outcome

if TYPE_CHECKING:
    from labsupport.provision.lock import Artifact

PYTHON_FIRST, PYTHON_BEFORE = (3, 11), (3, 15)
CACHE_FILLED_MB, CACHE_EMPTY_MB, TEMP_MB, CHECKOUT_MB = 100, 900, 1000, 100
ASK_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Check:
    """One line of the doctor's table. Without `needed` a lack is told and does no harm."""

    name: str
    needed: bool
    finding: Finding


@click.command(short_help="Check what the lab needs against what this machine has.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
def doctor(as_json: bool) -> int:
    """Check Python, memory, disk, Java, jars, caches, Docker and kubeconfig.

    The exit code is 0 if all that is needed is there; what is optional (Docker, a kubeconfig) is told only.
    """
    checks = list(examine())
    well = all(check.finding.outcome is Outcome.SOLVED for check in checks if check.needed)
    if as_json:
        click.echo(json.dumps({"ok": well, "checks": [_facts(check) for check in checks]}, indent=2))
    elif sys.stdout.isatty():
        _print_table(checks)
    else:
        click.echo("\n".join(f"{check.name:<12}{_mark(check)} {_words(check)}" for check in checks))
    return 0 if well else 1


def examine() -> Iterator[Check]:
    """All checks in turn. One that cannot be made says so, and the others go on."""
    from labsupport.provision import KAFKA_VERSIONS

    yield Check("Python", True, python(sys.version_info[:2]))
    yield Check("memory", True, memory(machine.memory_available_mb()))
    yield Check("cores", True, cores(os.cpu_count() or 1))
    for name, check in (("disk: cache", cache_disk), ("disk: temp", temp_disk), ("disk: here", checkout_disk)):
        yield Check(name, True, _guarded(f"{name} can be written", check))
    yield Check("JRE", True, _guarded("Java runs", jre))
    for version in KAFKA_VERSIONS:
        yield Check(f"jars {version}", True, _guarded(f"Kafka {version} is complete", partial(jars, version)))
        yield Check(f"AOT {version}", False, _guarded("start-up caches are used", partial(start_cache, version)))
    yield Check("leftovers", False, _guarded("nothing is left of dead clusters", leftovers))
    yield Check("Docker", False, docker())
    yield Check("kubeconfig", False, kubeconfig())


def python(version: tuple[int, ...]) -> Finding:
    """The versions for which the locks are resolved."""
    first, before = (".".join(map(str, v)) for v in (PYTHON_FIRST, PYTHON_BEFORE))
    return Finding.of(
        PYTHON_FIRST <= version < PYTHON_BEFORE,
        should=f"Python from {first} and before {before}",
        saw=".".join(map(str, version)),
        look=f"Install another Python and run `make lab PYTHON=python{first}`.",
    )


def memory(available_mb: int) -> Finding:
    """Three brokers and ZooKeeper."""
    from labsupport.cluster.local.backend import MEMORY_MB

    quick = MEMORY_MB["quick"]
    needed_mb = 3 * quick["broker"] + quick["coordinator"]
    return Finding.of(
        available_mb >= needed_mb,
        should=f"at least {needed_mb:,} MB of memory free, for three brokers",
        saw=f"{available_mb:,} MB",
        look="Close something, or start with `kafka-lab up --brokers 1`.",
    )


def cores(count: int) -> Finding:
    """Two: measured starts of three brokers are then a few seconds."""
    return Finding.of(count >= 2, should="at least 2 cores", saw=count, look="Expect starts to take longer.")


def cache_disk() -> Finding:
    """Jars, start-up caches, flights: what remains to be fetched must have room."""
    from labsupport.core.folders import cache_folder

    folder = cache_folder()
    filled = sum(1 for _ in folder.rglob("*.jar")) > 100
    return _disk(folder, CACHE_FILLED_MB if filled else CACHE_EMPTY_MB, "Move it with KAFKA_LAB_CACHE")


def temp_disk() -> Finding:
    """Brokers keep their logs here while they run."""
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise LabError("No temporary folder can be written.", fix="Name one with TMPDIR.") from error
    return _disk(folder, TEMP_MB, "Move it with TMPDIR")


def checkout_disk() -> Finding:
    """The learner's copy of the notebooks."""
    return _disk(Path.cwd(), CHECKOUT_MB, "Clone the lab to another disk")


def jre() -> Finding:
    """Runs the very JVM that brokers run on."""
    from labsupport.provision.java import java

    answer = subprocess.run(
        [str(java()), "-version"], capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=False
    )
    said = (answer.stderr.strip() or answer.stdout.strip() or "it said nothing").splitlines()[0]
    return Finding.of(answer.returncode == 0, should="Java runs", saw=said, look="Run `make lab`, which installs it.")


def jars(version: str) -> Finding:
    """Against the lock, without fetching: sizes, and hashes where a file was touched."""
    wanted, lacking = _jars(version)
    return Finding.of(
        not lacking,
        should=f"{wanted} jars of Kafka {version} as the lock names them",
        saw=f"{wanted - len(lacking)} of {wanted}",
        look="Run `make lab`, which fetches them, or start a cluster of that version.",
    )


def start_cache(version: str) -> Finding:
    """Whether the JVM accepts the ahead-of-time caches; without them a start takes about three times as long."""
    from labsupport.provision import aot_status

    should = "every program starts from an accepted start-up (AOT) cache"
    if _jars(version)[1]:
        return Finding.of(False, should=should, saw="no jars yet", look="Fetch the jars first.")
    states = aot_status(version)
    return Finding.of(
        all(state == "accepted" for state in states.values()),
        should=should,
        saw=", ".join(f"{program} {state}" for program, state in states.items()),
        look="Nothing to do: they are trained after a cluster's start, and a rejected one is harmless.",
    )


def leftovers() -> Finding:
    """Sweeps what dead supervisors left, and looks for data folders that no cluster owns."""
    from labsupport.cluster import registry
    from labsupport.core.folders import runtime_folder

    swept = registry.sweep()
    owned = {json.loads(path.read_text()).get("folder") for path in runtime_folder().glob("*.json")}
    strays = [folder for folder in _data_folders() if folder not in owned and not _in_use(folder)]
    saw = [f"removed what was left of {', '.join(swept)}"] if swept else []
    saw += [f"nobody owns {', '.join(strays)}"] if strays else []
    return Finding.of(
        not strays,
        should="nothing is left of dead clusters",
        saw=" · ".join(saw) or "nothing",
        look=f"Remove it with `rm -r {' '.join(strays)}`.",
    )


def _jars(version: str) -> tuple[int, list[Artifact]]:
    """How many jars there should be, and those that lack."""
    from labsupport.core.folders import cache_folder
    from labsupport.provision.fetch import missing
    from labsupport.provision.lock import locked

    wanted = locked().for_user(version)
    return len(wanted), list(missing(wanted, cache_folder()))


def _data_folders() -> list[str]:
    """Folders of this user that look like a cluster's, or a space's on Kubernetes: kafka-lab-NAME-, and digits."""
    temp = Path(tempfile.gettempdir()).resolve()
    found = [path for path in temp.glob("kafka-lab-*") if re.fullmatch(r"kafka-lab-.+-[0-9a-f]{6,8}", path.name)]
    return [str(path) for path in found if path.is_dir() and path.stat().st_uid == os.getuid()]


def _in_use(folder: str) -> bool:
    """Whether a process names it: the cluster may be known in another runtime folder than ours."""
    import psutil

    return any(folder in word for process in psutil.process_iter(["cmdline"]) for word in process.info["cmdline"] or [])


def docker() -> Finding:
    """An engine that answers, and what it has; what dead clusters left in it is removed."""
    from labsupport.cluster.docker import sweep
    from labsupport.cluster.docker.engine import engine, told_plainly

    should = "Docker's engine answers (only for --backend docker)"
    try:
        with told_plainly("The engine does not tell what it has"):
            told = engine(answer_within_s=ASK_TIMEOUT_S).info()
        swept = sweep.sweep()
    except LabError as error:
        return Finding.of(False, should=should, saw=error.what, look=error.fix)
    saw = f"engine {told['ServerVersion']} with {told['MemTotal'] // 2**20:,} MB of memory"
    return Finding.of(True, should=should, saw=" · ".join([saw, *(f"removed {name}" for name in swept)]))


def kubeconfig() -> Finding:
    """A file, and the context that kubectl would use."""
    should = "a kubeconfig names a context (only for the chapters on Kubernetes)"
    look = "Nothing to do until then; `kind create cluster` writes one."
    named = os.environ.get("KUBECONFIG", "")
    files = [Path(part) for part in named.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
    for file in files:
        try:
            text = file.read_text(errors="replace")
        except OSError:
            continue
        found = re.search(r"""^\s*"?current-context"?:\s*["']?([^"',\s]+)""", text, re.MULTILINE)
        if found:
            return Finding.of(True, should=should, saw=f"context {found[1]} in {file}")
        return Finding.of(
            False,
            should=should,
            saw=f"{file} without a current context",
            look="Choose one with `kubectl config use-context NAME`.",
        )
    return Finding.of(False, should=should, saw=f"no {files[0]}", look=look)


def _guarded(should: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except LabError as error:
        return Finding.of(False, should=should, saw=error.what, look=error.fix)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(outcome=Outcome.COULD_NOT_CHECK, should=should, saw=str(error))


def _disk(folder: Path, needed_mb: int, remedy: str) -> Finding:
    free_mb, writable = machine.disk_free_mb(folder), os.access(folder, os.W_OK)
    return Finding.of(
        writable and free_mb >= needed_mb,
        should=f"{folder} can be written, and has {needed_mb:,} MB free",
        saw=f"{free_mb:,} MB free" if writable else "it cannot be written",
        look=f"{remedy}, or {'free some space' if writable else 'make it writable'}.",
    )


def _facts(check: Check) -> dict[str, object]:
    finding = check.finding
    return {
        "name": check.name,
        "needed": check.needed,
        "outcome": finding.outcome.value,
        "should": finding.should,
        "saw": finding.saw,
        "look": finding.look,
    }


def _mark(check: Check) -> str:
    if check.finding.outcome is Outcome.SOLVED:
        return "✓"
    return "✗" if check.needed else "–"


def _words(check: Check) -> str:
    finding = check.finding
    words = f"{finding.should}: {printable(finding.saw)}"
    return words if finding.outcome is Outcome.SOLVED or not finding.look else f"{words} → {printable(finding.look)}"


def _print_table(checks: list[Check]) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    folded = [Column(title, overflow="fold") for title in ("should be", "is", "remedy")]  # a path is shown whole
    table = Table("", Column("check", no_wrap=True), *folded, box=None, pad_edge=False)
    for check in checks:
        finding = check.finding
        solved = finding.outcome is Outcome.SOLVED
        colour = "green" if solved else "red" if check.needed else "yellow"
        cells = [_mark(check), check.name, finding.should, finding.saw, "" if solved else finding.look]
        table.add_row(*(Text(printable(cell), style=colour if i == 0 else "") for i, cell in enumerate(cells)))
    Console().print(table)
