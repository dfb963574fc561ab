"""How long `make lab` takes, cold and warm, until JupyterLab answers.

Cold: a fresh checkout with empty caches, against the same bytes through the ordinary clients, one after the other:
`venv`, pip for uv, uv for the locked wheels and the flights, Maven for the locked jars (jgo where there is no Maven),
then the same `jupyter lab`. Warm: a checkout that is set up, against `jupyter lab` from the same environment.

    python -m benchmarks.lab_start [--rounds N] [--warm-rounds N]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import Row, cpu_seconds, interleaved, print_table
from labsupport.provision import KAFKA_VERSIONS
from labsupport.provision.lock import Artifact, locked
from tests.setup.checkout import Checkout

ROOT = Path(__file__).parents[1]
LIMIT_S = 600


@dataclass(frozen=True)
class Reading:
    """Wall seconds until HTTP 200; CPU seconds of everything that ran, JupyterLab's end included."""

    wall_s: float
    cpu_s: float


@contextmanager
def scratch() -> Iterator[Path]:
    """A short path, since sockets live below it."""
    folder = Path(tempfile.mkdtemp(prefix="klb-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def timed(until_it_answers: Callable[[], subprocess.Popen[bytes]]) -> Reading:
    """Time a start; the server is then interrupted twice, which ends JupyterLab with and without our launcher."""
    began_s, cpu_s = time.perf_counter(), cpu_seconds()
    server = until_it_answers()
    wall_s = time.perf_counter() - began_s
    for _ in range(2):
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGINT)
            time.sleep(0.2)
    server.wait(60)
    return Reading(wall_s, cpu_seconds() - cpu_s)


def answering(command: list[str], *, cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a server that prints its address; return once that address answers with HTTP 200."""
    said = Path(env["HOME"]) / f"said-{time.monotonic_ns()}"
    with said.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:\d+/\S*token=\w+", said.read_text())
        if found and _is_200(found.group()):
            return server
        if server.poll() is not None:
            break
        time.sleep(0.02)
    sys.exit(f"{command} did not answer:\n{said.read_text()[-2000:]}")


def _is_200(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status) == 200
    except OSError:
        return False


def jupyter(binaries: Path, env: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    command = [str(binaries / "jupyter"), "lab", "--no-browser", "--ip=127.0.0.1"]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    return answering(command, cwd=folder, env=env)


def private(folder: Path) -> dict[str, str]:
    """An environment whose home, caches and Jupyter folders are empty."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("KAFKA_LAB", "JUPYTER", "UV_CACHE", "VIRTUAL_ENV"))}
    return env | {
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PIP_CACHE_DIR": str(folder / "pip"),
        "PYENV_ROOT": os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")),
        "KAFKA_LAB_TRAINING": "off",
        "KAFKA_LAB_STATE": str(folder / "state"),
        "KAFKA_LAB_RUNTIME": str(folder / "run"),
    }


def cold_ours() -> Reading:
    with scratch() as folder:
        checkout = Checkout(folder=folder / "checkout", home=folder / "home")
        make = ["make", "--no-print-directory", "lab", "ARGS=--no-browser"]
        return timed(lambda: answering(make, cwd=checkout.folder, env=private(folder)))


def cold_plain() -> Reading:
    with scratch() as folder:
        env = private(folder)
        return timed(lambda: _plain(folder, env))


def _plain(folder: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    binaries = folder / "venv" / "bin"

    def run(*command: str | Path) -> None:
        subprocess.run([str(word) for word in command], check=True, env=env, cwd=folder, stdout=subprocess.DEVNULL)

    uv = re.findall(r"^uv==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)[0]
    run(sys.executable, "-m", "venv", folder / "venv")
    run(binaries / "pip", "install", "-q", f"uv=={uv}")
    into: list[str | Path] = [binaries / "uv", "pip", "install", "-q", "--python", binaries / "python"]
    run(*into, "--require-hashes", "-r", ROOT / "requirements.lock")
    flights = locked().flights
    run(*into, "--no-deps", "--target", folder / "flights", f"{flights.project}=={flights.version}")
    if shutil.which("mvn"):
        repository = f"-Dmaven.repo.local={folder / 'm2'}"
        for user in (*KAFKA_VERSIONS, "uplot"):  # two versions of a jar cannot stand in one POM
            (folder / "pom.xml").write_text(_pom(locked().for_user(user)))
            run("mvn", "-q", "-B", repository, "dependency:copy-dependencies", f"-DoutputDirectory={folder / user}")
    else:
        words = [f"{a.group}:{a.artifact}:{a.version}:{folder / 'm2'}" for a in locked().artifacts]
        run(binaries / "python", "-c", _JGO, *words)
    return jupyter(binaries, env, folder)


_JGO = """
import sys
from pathlib import Path
from jgo.maven import MavenContext, PythonResolver
for word in sys.argv[1:]:
    group, name, version, folder = word.split(":")
    context = MavenContext(repo_cache=Path(folder), resolver=PythonResolver())
    context.project(group, name).at_version(version).artifact().resolve()
"""


def _pom(artifacts: tuple[Artifact, ...]) -> str:
    """Each locked jar by itself, its own dependencies left out: exactly the bytes of our lock."""
    jars = "".join(
        f"<dependency><groupId>{a.group}</groupId><artifactId>{a.artifact}</artifactId><version>{a.version}</version>"
        "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>"
        for a in artifacts
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>lab</groupId>'
        f"<artifactId>jars</artifactId><version>1</version><dependencies>{jars}</dependencies></project>"
    )


@contextmanager
def set_up() -> Iterator[tuple[Checkout, dict[str, str]]]:
    """A checkout on which `make lab` has run before, with everything it fetched."""
    with scratch() as folder:
        checkout = Checkout(folder=folder / "checkout", home=folder / "home")
        env = private(folder)
        subprocess.run(["make", "lab", "ARGS=--help"], cwd=checkout.folder, env=env, check=True, capture_output=True)
        yield checkout, env


def rows_of(name: str, readings: dict[str, list[Reading]], goal: str) -> list[Row]:
    """Wall seconds with the goal, CPU seconds beside them."""
    wall, cpu = ({side: [getattr(r, what) for r in taken] for side, taken in readings.items()} for what in WHAT)
    return [
        Row(f"{name}, s", wall["ours"], wall["plain"], goal),
        Row(f"{name}, CPU s", cpu["ours"], cpu["plain"]),
    ]


WHAT = ("wall_s", "cpu_s")


def measured(cold_rounds: int, warm_rounds: int) -> list[Row]:
    """Cold against the ordinary clients, warm against plain JupyterLab."""
    rows = rows_of("cold `make lab`", interleaved({"ours": cold_ours, "plain": cold_plain}, cold_rounds), "<= 1.5")
    with set_up() as (checkout, env):
        make = ["make", "--no-print-directory", "lab", "ARGS=--no-browser"]
        sides = {
            "ours": lambda: timed(lambda: answering(make, cwd=checkout.folder, env=env)),
            "plain": lambda: timed(lambda: jupyter(checkout.folder / ".venv" / "bin", env, checkout.folder)),
        }
        rows += rows_of("warm `make lab`", interleaved(sides, warm_rounds), "<= 1.3")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the cold start")
    parser.add_argument("--warm-rounds", type=int, default=9)
    asked = parser.parse_args()
    print_table(measured(asked.rounds, asked.warm_rounds))


if __name__ == "__main__":
    main()
