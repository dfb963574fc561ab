"""Makes this checkout ready and starts what was asked for. What runs before anything is installed is here, so this
file needs nothing but Python 3.11 and its standard library.

`lab.sh` calls it with a Python it has found: `setup_lab.py lab [ARGS]`, or another of the commands at the end.
A start that finds everything ready does one thing only: it compares two hashes with the stamp, then becomes JupyterLab.

What is installed, and in which order: a virtual environment, in it the uv of the lock (by pip, by hash), by uv all
packages of the lock (by hash), the project itself, and then Kafka's jars and the flights (`labsupport.provision`).
The stamp is written after each of them, so that a start that was interrupted goes on where it was.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
STAMP = VENV / "kafka-lab.json"
LOCKS = {"lab": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
PROVISION_LOCKS = ROOT / "labsupport" / "provision"
KERNEL_SETTINGS = ROOT / "labsupport" / "jupyter" / "ipython_kernel_config.json"

OLDEST, NEWEST = (3, 11), (3, 14)
NEED_MB = {"lab": 1300, "dev": 1700}  # environment, uv's cache (when it is on the same disk) and jars, with some room
NEED_MEMORY_GB = 4
# Programs and their Debian packages. Java is a client of JMX only: our JRE lacks what looks names up over RMI.
TEST_PACKAGES = {"git": "git", "kcat": "kcat", "java": "default-jre-headless"}
SLOW_PACKAGES = {**TEST_PACKAGES, "chromium": "chromium"}


class SetupError(Exception):
    """`what` happened, and `fix` says what to do about it. Shown as these two sentences, without a traceback."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what} {fix}".strip())


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- The stamp: what is ready ---------------------------------------------------------------------------------------


def read_stamp() -> dict[str, str]:
    """What an earlier start has finished, or nothing; a stamp that cannot be read counts as none."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(**done: str) -> None:
    """Add what is done; an empty string takes it away again."""
    stamp = {"root": str(ROOT), "python": python_tag()} | read_stamp() | done
    stamp = {name: value for name, value in stamp.items() if value}
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(json.dumps(stamp, indent=1) + "\n")
    fresh.replace(STAMP)


def python_tag() -> str:
    return f"{sys.implementation.cache_tag} {platform.machine()}"


def key_of(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(b"%d " % len(content) + content)
    return digest.hexdigest()


def packages_key(kind: str) -> str:
    return key_of([LOCKS[kind], ROOT / "pyproject.toml", KERNEL_SETTINGS])


def provision_key() -> str:
    return key_of(sorted(PROVISION_LOCKS.glob("*.json")))


def is_stamped(kind: str, *, provision: bool = True) -> bool:
    """Is everything of `kind` ("lab" or "dev") there, for this Python and at this place?"""
    stamp = read_stamp()
    return (
        stamp.get("root") == str(ROOT)
        and stamp.get("python") == python_tag()
        and stamp.get(kind) == packages_key(kind)
        and (not provision or stamp.get("provision") == provision_key())
    )


# --- Before anything is written -------------------------------------------------------------------------------------


def check_machine(kind: str) -> None:
    """Say what is missing before anything is begun: need against have."""
    if sys.platform not in ("linux", "darwin"):
        raise SetupError(
            f"A Kafka broker cannot run on {sys.platform}.", "On Windows, install WSL2 and run this in it."
        )
    if not OLDEST <= sys.version_info[:2] <= NEWEST or sys.implementation.name != "cpython":
        raise SetupError(
            f"CPython 3.11 to 3.14 is needed, and this is {sys.implementation.name} {platform.python_version()}.",
            "Name another one: `make lab PYTHON=/path/to/python3`.",
        )
    try:
        with tempfile.TemporaryFile(dir=ROOT):
            pass
    except OSError as error:
        raise SetupError(
            f"Nothing can be written to {ROOT} ({error.strerror}).", "Copy the folder to a place that is yours."
        ) from error
    free_mb = shutil.disk_usage(ROOT).free // 2**20
    need_mb = NEED_MB[kind] if not STAMP.exists() else NEED_MB[kind] // 4
    if free_mb < need_mb:
        raise SetupError(
            f"Setting up needs {need_mb} MB of free disk space, and {ROOT} has {free_mb} MB.",
            "Free some, or copy the folder to a larger disk.",
        )
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    if memory_gb < NEED_MEMORY_GB:
        say(
            f"Warning: this machine has {memory_gb:.1f} GB of memory; three brokers and JupyterLab want "
            f"{NEED_MEMORY_GB} GB. Close other programs if a cluster does not start."
        )


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Two set-ups at once in one checkout: the second waits for the first. The lock is the folder itself."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work in this folder; waiting for it.")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


# --- Running other programs -----------------------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """The user's environment less what would put packages, or look for them, somewhere else than in .venv."""
    harmful = {
        "PYTHONPATH",
        "PYTHONHOME",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "PIP_TARGET",
        "PIP_PREFIX",
        "UV_SYSTEM_PYTHON",
    }
    env = {name: value for name, value in os.environ.items() if name not in harmful}
    env |= {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    if "PIP_INDEX_URL" in env and not env.keys() & {"UV_INDEX_URL", "UV_DEFAULT_INDEX"}:
        env["UV_DEFAULT_INDEX"] = env[
            "PIP_INDEX_URL"
        ]  # a mirror that pip has been told of; uv does not read pip's variable
    return env


CAUSES = (
    ("No space left on device|os error 28|Disk quota exceeded", "the disk is full", "Free some space and start again."),
    ("Read-only file system", "the file system is read-only", "Copy the folder to a place that is yours."),
    (
        "DO NOT MATCH THE HASHES|[Hh]ash mismatch",
        "a package is not what the lock says (its SHA-256 differs)",
        "Start again; if it stays so, the network or a mirror changes files, and nothing of it was installed.",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED|invalid peer certificate|UnknownIssuer|SSLError",
        "the registry's TLS certificate is not trusted here",
        "Behind a proxy of a company, set SSL_CERT_FILE to its certificates.",
    ),
    (
        "name resolution|failed to lookup address|nodename nor servname|Network is unreachable|Connection refused"
        "|NewConnectionError|dns error|error sending request|[Tt]imed out|tcp connect|ProxyError|Connection reset"
        "|Could not find a version|request failed after|IncompleteRead|connection closed|ConnectionError",
        "the package registry cannot be reached",
        "The first start needs the network; check it and start again, what is already there is kept.",
    ),
)


def cause_of(output: str) -> tuple[str, str]:
    """The cause that the output of pip or uv names, and what to do about it."""
    for pattern, cause, fix in CAUSES:
        if re.search(pattern, output):
            return cause, fix
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return f"it said: {lines[-1] if lines else 'nothing'}", "Start again; `make clean` begins from nothing."


def run(what: str, command: Sequence[str | Path], *, show: bool = False) -> None:
    """Run `command`; if it fails, raise a SetupError that names the cause.

    With `show` it draws its own progress on the terminal first. Its words are then gone, so if it fails it is run a
    second time out of sight: that either mends a short break of the network, or tells the cause.
    """
    words = [str(part) for part in command]
    if show and sys.stderr.isatty():
        status = subprocess.run(words, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode
        if status == 0:
            return
        stop_if_interrupted(status)
    with tempfile.TemporaryFile("w+", errors="replace") as kept:
        status = subprocess.run(
            words, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=kept, stderr=kept, check=False
        ).returncode
        kept.seek(0)
        output = kept.read()
    if status:
        stop_if_interrupted(status)
        cause, fix = cause_of(output)
        raise SetupError(f"{what} failed: {cause}.", fix)


def stop_if_interrupted(status: int) -> None:
    if status in (130, -signal.SIGINT):
        raise KeyboardInterrupt


# --- The steps ------------------------------------------------------------------------------------------------------


def set_up(kind: str, *, provision: bool = True) -> None:
    """Make everything of `kind` ready. Returns at once if it is."""
    if is_stamped(kind, provision=provision):
        return
    check_machine(kind)
    with only_one():
        if not read_stamp().get("lab"):
            say("Setting up kafka-lab. This happens once: about 300 MB to fetch.")
        make_environment()
        install_packages(kind)
        if provision:
            fetch_kafka()


def make_environment() -> None:
    """The virtual environment with the uv of the lock; an old one that fits is kept."""
    stamp = read_stamp()
    reason = ""
    if VENV.is_symlink() or VENV.exists():
        if stamp.get("root", str(ROOT)) != str(ROOT):
            reason = "The folder was moved: the Python environment is made anew."
        elif stamp.get("python", python_tag()) != python_tag():
            reason = f"The Python changed (now {platform.python_version()}): the environment is made anew."
        elif has_pinned_uv():
            return
        remove(VENV)
    if reason:
        say(reason)
    need_venv_module()
    say(f"  Python {platform.python_version()} environment")
    base = getattr(sys, "_base_executable", None) or sys.executable
    run("Making the Python environment", [base, "-E", "-m", "venv", VENV])
    install_uv()
    write_stamp()


def has_pinned_uv() -> bool:
    """Is the environment whole and of this Python, with the uv that the lock pins?"""
    version = re.search(r"(?m)^uv==([^ ;\\]+)", LOCKS["lab"].read_text())
    library = VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if not version or not PYTHON.exists() or not library.exists():
        return False
    try:  # pip may have been interrupted between writing the file and making it a program
        answer = subprocess.run([UV, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    return answer.split()[1:2] == [version[1]]


def install_uv() -> None:
    """pip installs uv, by the hashes of the lock; uv does the rest."""
    block = re.search(r"(?m)^uv==(?:.*\\\n)*.*$", LOCKS["lab"].read_text())
    if not block:
        raise SetupError("requirements.lock does not pin uv.", "Restore it: `git checkout requirements.lock`.")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(block[0] + "\n")
        wanted.flush()
        pip: list[str | Path] = [
            PYTHON,
            "-I",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--no-deps",
            "--only-binary=:all:",
        ]
        run("Fetching the package installer uv", [*pip, "--retries=3", "-r", wanted.name])


def install_packages(kind: str) -> None:
    """Every package of the lock, checked by hash, and then the project itself, which has no hash."""
    if is_stamped(kind, provision=False):
        return
    lock = LOCKS[kind]
    count = len(re.findall(r"(?m)^[A-Za-z0-9][^ ]*==", lock.read_text()))
    say(f"  {count} Python packages")
    install: list[str | Path] = [UV, "pip", "install", "--python", PYTHON]
    # A package that an interrupted start left in pieces would count as installed.
    again = ["--reinstall"] if read_stamp().get("begun") else []
    write_stamp(begun=kind)
    run("Installing the Python packages", [*install, "--no-build", *again, "--require-hashes", "-r", lock], show=True)
    # setuptools is in the lock, so nothing is fetched to build with.
    run("Installing kafka-lab itself", [*install, "--no-deps", "--no-build-isolation", "--offline", "-e", ROOT])
    choose_kernel()
    write_stamp(**{"lab": packages_key("lab"), kind: packages_key(kind), "begun": ""})


def choose_kernel() -> None:
    """Where every kernel of this environment looks, in JupyterLab as in nbval: see `labsupport.jupyter.kernel`."""
    place = VENV / "etc" / "ipython"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(KERNEL_SETTINGS, place / KERNEL_SETTINGS.name)


def fetch_kafka() -> None:
    """Kafka's jars and the flights; `labsupport.provision` draws the progress and names what goes wrong."""
    key = provision_key()
    if read_stamp().get("provision") == key:
        return
    say("  Kafka and the flights")
    command: list[str | Path] = [PYTHON, "-E", "-m", "labsupport.provision"]
    status = subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode
    if status:
        stop_if_interrupted(status)
        raise SetupError("Kafka could not be fetched.", "Mend the cause above and start again; what is there is kept.")
    write_stamp(provision=key)


def need_venv_module() -> None:
    """Debian keeps `venv` in a package of its own: installed when we may, named when we may not."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    probe = [base, "-E", "-c", "import venv, ensurepip; ensurepip.version()"]
    if subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode == 0:
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not may_use_apt():
        raise SetupError(
            f"This Python ({base}) has no `venv` module.",
            f"Install it (Debian, Ubuntu: `sudo apt-get install {package}`), or name another Python with PYTHON=….",
        )
    apt_install([package])
    if subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode:
        raise SetupError(f"This Python ({base}) has no `venv` module.", "Name another one: `make lab PYTHON=…`.")


def may_use_apt() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Sequence[str]) -> None:
    """Install Debian packages, and say so. The lists are fetched only when a package is not in them."""
    say(f"  apt-get install {' '.join(packages)}")
    patient = ["-o", "DPkg::Lock::Timeout=300"]  # somebody else may be installing
    install = ["apt-get", "install", "-y", "-q", *patient, "--no-install-recommends", *packages]
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with tempfile.TemporaryFile("w+", errors="replace") as kept:
        for command in (install, ["apt-get", "update", "-q", *patient], install):
            status = subprocess.run(
                command, env=env, stdin=subprocess.DEVNULL, stdout=kept, stderr=kept, check=False
            ).returncode
            if command is install and status == 0:
                return
        kept.seek(0)
        cause, fix = cause_of(kept.read())
    raise SetupError(f"`{shlex.join(install)}` failed: {cause}.", fix)


def need_programs(wanted: dict[str, str]) -> None:
    """Programs that tests use. Where they cannot be installed they are named, and the tests that need them say so."""

    def missing() -> list[str]:
        return [package for program, package in wanted.items() if shutil.which(program) is None]

    if missing() and may_use_apt():
        with only_one():
            if lacking := missing():  # another target may have installed them meanwhile
                apt_install(lacking)
    elif lacking := missing():
        say(f"Not installed: {', '.join(lacking)}. Tests that need them are skipped, and say so.")


def remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


# --- The commands ---------------------------------------------------------------------------------------------------


def become(command: Sequence[str | Path]) -> int:
    """Replace this process, so that signals and the exit code are the program's own."""
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(command[0], [str(part) for part in command])


def lab(arguments: Sequence[str]) -> int:
    """Start JupyterLab: in this process if it is already the environment's Python, which spares a second start."""
    set_up("lab")
    if Path(sys.prefix) != VENV:
        return become([PYTHON, "-E", Path(__file__), "lab", *arguments])
    sys.path[0] = str(ROOT)
    from labsupport.jupyter.lab import main as start

    return start(arguments)


PYTEST: list[str | Path] = [PYTHON, "-E", "-m", "pytest"]
KAFKA_LAB = VENV / "bin" / "kafka-lab"
ON_TESTBED: list[str | Path] = ["sh", "-c", 'eval "$(testbed/env)" && exec "$@"', "sh"]
CONTRACT = ["-m", "contract or only_on"]  # what every backend promises, and what only this one has


def suites(*names: str) -> list[str]:
    """The test folders of these names that hold any test. None at all is an error: pytest would run everything."""
    found = [f"tests/{name}" for name in names if any((ROOT / "tests" / name).rglob("test_*.py"))]
    if not found:
        raise SetupError(f"There is no test in tests/{', tests/'.join(names)}.", "Is this a whole checkout?")
    return found


def chosen(names: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """The tests that the arguments name, or else all of these suites: `make test ARGS=tests/unit`."""
    named = any(argument.startswith("tests/") for argument in arguments)
    return [*([] if named else suites(*names)), *arguments]


def test(arguments: Sequence[str]) -> int:
    """Everything that is quick and needed."""
    set_up("dev")
    need_programs(TEST_PACKAGES)
    return become([*PYTEST, *chosen(["unit", "testbed", "cluster", "notebooks", "labs"], arguments)])


def slow(arguments: Sequence[str]) -> int:
    """What takes longer."""
    set_up("dev")
    need_programs(SLOW_PACKAGES)
    return become([*PYTEST, *chosen(["setup", "browser", "faults"], arguments)])


def docs(arguments: Sequence[str]) -> int:
    """The site, from the pages as they were executed last. A warning is an error."""
    set_up("dev", provision=False)
    return become([PYTHON, "-E", "-m", "sphinx", "-q", "-E", "-W", "--keep-going", *arguments, "docs", "build/site"])


def bench(arguments: Sequence[str]) -> int:
    set_up("dev")
    return become([PYTHON, "-E", "-m", "benchmarks", *arguments])


def soak(arguments: Sequence[str]) -> int:
    """The random tests for many rounds; what pytest says, seeds too, is kept as evidence."""
    set_up("dev")
    need_programs(SLOW_PACKAGES)
    command = [*PYTEST, "-v", "-s", "--timeout=14400", *suites("faults"), "--soak", *arguments]
    return keep_evidence("soak", "make soak", command)


def docker_test(arguments: Sequence[str]) -> int:
    """What every backend promises, on a Docker engine: the machine's own, or one that is started for the tests."""
    set_up("dev")
    need_programs(TEST_PACKAGES)
    testbed = ["sh", "testbed/testbed.sh", "engine"]
    started = subprocess.run(testbed, cwd=ROOT, check=False)
    command = [*PYTEST, "--backend=docker", *CONTRACT, *suites("cluster", "notebooks", "labs"), *arguments]
    try:
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    finally:
        if started.returncode == 0:
            subprocess.run([*testbed, "--stop"], cwd=ROOT, check=False)


def kubernetes_test(arguments: Sequence[str]) -> int:
    """The suite that needs a real Kubernetes, on the testbed; what it says is kept as evidence for this checkout.

    All of its parts, or one: `make kubernetes-test ARGS=labs`. With arguments for pytest it may have left out a part
    of a part, and is no evidence: `make kubernetes-test ARGS="labs -k drain"`.
    """
    from kubernetes_evidence import PARTS, digest

    wanted = [argument for argument in arguments if argument in PARTS] or list(PARTS)
    rest = [argument for argument in arguments if argument not in PARTS]
    set_up("dev")
    need_programs(SLOW_PACKAGES)
    steps: list[list[str | Path]] = [["sh", "testbed/testbed.sh", "up"], [*ON_TESTBED, KAFKA_LAB, "image", "build"]]
    for step in steps:
        done = subprocess.run(step, cwd=ROOT, check=False)
        if done.returncode:
            return done.returncode
    failed = 0
    for part in wanted:
        tests = suites(*PARTS[part].tests)
        command = [*ON_TESTBED, *PYTEST, "-v", "-s", "--backend=kubernetes", *CONTRACT, *tests, *rest]
        if rest:
            code = subprocess.run(command, cwd=ROOT, check=False).returncode
        else:
            facts = f"{versions_on_testbed()}\ncovered: {digest(part)}\n"
            code = keep_evidence(f"kubernetes-{part}", f"make kubernetes-test ARGS={part}", command, facts)
        failed = code or failed
    return failed


def versions_on_testbed() -> str:
    """The commit of this checkout, Kubernetes' and kind's versions."""

    def said(*words: str | Path) -> str:
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    commit = said("git", "describe", "--always", "--dirty")
    return f"commit: {commit}\n{said(*ON_TESTBED, 'kubectl', 'version')}\n{said(*ON_TESTBED, 'kind', 'version')}"


def keep_evidence(name: str, title: str, command: Sequence[str | Path], facts: str = "") -> int:
    """Run a program; what it prints goes to a dated file in docs/evidence/, too. The last line there is the result."""
    began = time.strftime("%Y-%m-%d-%H%M%S", time.gmtime())
    evidence = ROOT / "docs" / "evidence" / f"{name}-{began}.txt"
    evidence.parent.mkdir(parents=True, exist_ok=True)
    with evidence.open("w") as kept:
        machine = f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}"
        kept.write(f"{title}, begun {began} UTC\n{machine}\n{facts}\n")
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in process.stdout or ():
            print(line, end="", flush=True)
            kept.write(line.replace(str(ROOT), "."))
        code = process.wait()
        kept.write(f"result: {'passed' if code == 0 else f'failed, exit code {code}'}\n")
    say(f"Kept in {evidence.relative_to(ROOT)}")
    return code


def ready(arguments: Sequence[str]) -> int:
    """Packages only: what linters need."""
    set_up(arguments[0] if arguments else "lab", provision=False)
    return 0


def lock(arguments: Sequence[str]) -> int:
    """Resolve both locks again. `ARGS=--upgrade` takes newer versions; without it only what must change does."""
    set_up("lab", provision=False)
    command: list[str | Path] = [
        UV,
        "pip",
        "compile",
        "--universal",
        "--generate-hashes",
        "--python-version",
        "3.11",
        "--no-header",
    ]
    for path in LOCKS.values():
        say(f"  {path.name}")
        run(f"Resolving {path.name}", [*command, *arguments, path.with_suffix(".in").name, "-o", path.name])
    return 0


def reset(arguments: Sequence[str]) -> int:
    if not (VENV / "bin" / "kafka-lab").exists():
        say("Nothing is set up here, so there is nothing to reset.")
        return 0
    return become([VENV / "bin" / "kafka-lab", "reset", *arguments])


def clean(arguments: Sequence[str]) -> int:
    """Remove what set-up made inside this folder. Refused while clusters run: their Java is in the environment."""
    program = VENV / "bin" / "kafka-lab"
    if program.exists():
        status = subprocess.run([program, "status", "--json"], capture_output=True, text=True, check=False)
        if status.returncode == 0 and json.loads(status.stdout)["clusters"]:
            raise SetupError("Clusters are running.", "Stop them first: `.venv/bin/kafka-lab down --all`.")
    caches = [".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "build", "dist", "kafka_lab.egg-info"]
    pycache = [p for top in ("labsupport", "tests", "tools", "benchmarks") for p in (ROOT / top).rglob("__pycache__")]
    for path in [VENV, *(ROOT / name for name in caches), *pycache]:
        remove(path)
    say(
        "Removed the Python environment and caches of this folder. Your workspace, your progress, and the downloads in "
        "your cache folder stay."
    )
    return 0


COMMANDS = {
    f.__name__.replace("_", "-"): f
    for f in (lab, test, slow, docs, bench, soak, docker_test, kubernetes_test, ready, lock, reset, clean)
}


def main(arguments: Sequence[str]) -> int:
    """Run a command; every failure is one line on stderr and an exit code that is not 0."""
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except SetupError as error:
        say(f"kafka-lab: {error}")
    except OSError as error:
        place = f" {error.filename}" if error.filename else ""
        say(f"kafka-lab: {cause_of(f'{error.strerror}')[0]}:{place}. Mend that and start again; what is there is kept.")
    except KeyboardInterrupt:
        say("\nStopped. What is there is kept; the next start goes on from it.")
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
