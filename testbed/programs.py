"""The Go programs: each is built from its own committed go.mod and go.sum, so that every byte of source is pinned.

`lock` makes those two files anew from versions.toml; `up` only reads them (`-mod=readonly`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from testbed import debian, stamps, toolchain
from testbed.paths import BIN, HERE, LOGS, PROGRAMS
from testbed.report import TestbedError, ask, run, say, step, succeeds, there

PINNED = tomllib.loads((HERE / "versions.toml").read_text())
KUBERNETES: str = PINNED["kubernetes"]
#: Not -trimpath: with it a replaced module's original version goes into what is compiled, and nothing is shared.
BUILD_FLAGS = ("-mod=readonly", "-buildvcs=false")
USUAL_GO = "/usr/local/go/bin/go"  #: where go.dev says to put it; root often has it not on the PATH
CGO_PACKAGES = ("gcc", "libc6-dev", "libseccomp-dev", "pkg-config")


@dataclass(frozen=True, kw_only=True)
class Program:
    """One Go module of ours and the programs that it builds."""

    name: str
    version: str
    packages: tuple[str, ...]
    minutes: float  #: of two cores, cold
    folder: Path
    tags: tuple[str, ...] = ()
    cgo: bool = False
    version_in: tuple[str, ...] = ()  #: variables that the linker sets to the version
    on_path: tuple[str, ...] = ()  #: programs that the caller's PATH gets
    like_kubernetes: bool = False  #: built with Kubernetes' versions of shared modules, so that they compile once
    also: tuple[str, ...] = field(default=())  #: MODULE@VERSION whose files, not packages, are wanted

    def binaries(self) -> dict[str, Path]:
        """Package -> the program it becomes: its last path element that is no major version."""
        return {package: PROGRAMS / program_name(package) for package in self.packages}


def program_name(package: str) -> str:
    """As the go command names it: `…/etcd/etcdctl/v3` -> `etcdctl`; but etcd's own main package is called server."""
    last = re.sub(r"/v\d+$", "", package).rpartition("/")[2]
    return "etcd" if last == "server" else last


@cache
def all_programs() -> dict[str, Program]:
    """By name, in the order of building."""
    found = {}
    for row in PINNED["program"]:
        values: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in row.items()}
        folder = HERE / values.pop("folder", f"programs/{row['name']}")
        found[row["name"]] = Program(folder=folder, **values)
    return found


def up(name: str) -> None:
    """Build one module's programs, unless they are there already, made from the same files with the same Go."""
    program = all_programs()[name]
    title = f"Go programs of {name} {program.version}"
    built = stamps.Stamp(f"program-{name}", inputs=inputs(program), outputs=tuple(program.binaries().values()))
    if built.is_fresh():
        there(title)
        return
    with step(title, expected_s=program.minutes * 60):
        build(program)
        built.mark()


def inputs(program: Program) -> tuple[str, ...]:
    """All that decides what the programs are."""
    sources = [*sorted(program.folder.glob("*.go")), program.folder / "go.mod", program.folder / "go.sum"]
    files = [hashlib.sha256(source.read_bytes()).hexdigest() for source in sources]
    options = (*BUILD_FLAGS, linker_flags(program), *program.tags, f"cgo {program.cgo}")
    return (go_version(), *program.packages, *options, *files)


def build(program: Program) -> None:
    """Compile and link, with the output in log/NAME.log."""
    if program.cgo:
        debian.install(CGO_PACKAGES)
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    flags = [*BUILD_FLAGS, f"-ldflags={linker_flags(program)}"]
    if program.tags:
        flags.append(f"-tags={','.join(program.tags)}")
    log = LOGS / f"{program.name}.log"
    scratch = PROGRAMS / f".{program.name}"  # programs appear whole or not at all
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    # Of one package the name is ours to choose (etcd's own would be "v3"); several are named by the go command.
    target = f"{scratch}/" if len(program.packages) > 1 else scratch / program_name(program.packages[0])
    run(go(), "build", *flags, "-o", target, *program.packages, cwd=program.folder, env=environment(program), log=log)
    for binary in program.binaries().values():
        (scratch / binary.name).replace(binary)
    scratch.rmdir()
    BIN.mkdir(parents=True, exist_ok=True)
    for name in program.on_path:
        link = BIN / name
        link.unlink(missing_ok=True)
        link.symlink_to(Path("..") / PROGRAMS.name / name)


def linker_flags(program: Program) -> str:
    """No symbol tables; the version where `--version` looks for it."""
    flags = ["-s", "-w"]
    for variable in program.version_in:
        version = program.version.removeprefix("v") if program.name == "runc" else program.version
        flags.append(f"-X {variable}={version}")
        if program.name == "kubernetes":
            flags += kubernetes_version(variable.removesuffix(".gitVersion"))
    return " ".join(flags)


def kubernetes_version(package: str) -> list[str]:
    """The other fields of a Kubernetes version, which clients parse."""
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    fields = {
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "0" * 40,
        "buildDate": PINNED["build_date"],
    }
    return [f"-X {package}.{name}={value}" for name, value in fields.items()]


def environment(program: Program | None = None) -> dict[str, str]:
    """Ours, without anything that would change what is built or where it comes from."""
    kept = {name: value for name, value in os.environ.items() if name not in {"GOFLAGS", "GOWORK", "GOOS", "GOARCH"}}
    return kept | {"CGO_ENABLED": "1" if program and program.cgo else "0", "GOWORK": "off", "GOFLAGS": ""}


@cache
def go() -> str:
    """The go command: this machine's if it is new enough, else one that is fetched. Raises `TestbedError`."""
    for found in (shutil.which("go"), USUAL_GO):
        if found and succeeds(found, "version") and is_new_enough(version_of(found)):
            return found
    return str(toolchain.fetched())


@cache
def go_version() -> str:
    """`go1.26.8`: what builds here."""
    return version_of(go())


def version_of(command: str) -> str:
    """Of a go command, after any toolchain that it chooses by itself; empty when there is none that it can get."""
    try:
        return ask(command, "env", "GOVERSION", cwd=all_programs()["kubernetes"].folder, env=environment())
    except TestbedError:
        return ""


def is_new_enough(version: str) -> bool:
    """Whether Kubernetes can be built with it."""
    have = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    return have >= tuple(int(number) for number in needed_go().split(".")[:2])


def needed_go() -> str:
    """`1.26.0`: the oldest Go that builds Kubernetes, as its go.mod says."""
    text = (all_programs()["kubernetes"].folder / "go.mod").read_text()
    found = re.search(r"^go (\S+)", text, re.MULTILINE)
    return found[1] if found else "1.26.0"


def module_folder(program: str, module: str) -> Path:
    """Where Go's module cache has the source of `module`, in the version that `program` pins."""
    folder = all_programs()[program].folder
    answer = json.loads(ask(go(), "mod", "download", "-json", module, cwd=folder, env=environment()))
    return Path(answer["Dir"])


# -- Making go.mod and go.sum (maintainers) ------------------------------------------------------------------------


def lock(name: str) -> None:
    """Write programs/NAME/go.mod and go.sum anew. Needs the module proxy; read the change before you commit it."""
    program = all_programs()[name]
    say(f"  {name}: resolving")
    program.folder.mkdir(parents=True, exist_ok=True)
    for stale in ("go.mod", "go.sum"):
        (program.folder / stale).unlink(missing_ok=True)
    replaced = kubernetes_replacements(program)
    resolve(program, replaced)
    if program.like_kubernetes:
        used = used_modules(program)
        (program.folder / "go.sum").unlink()
        resolve(program, {module: version for module, version in replaced.items() if module in used})


def resolve(program: Program, replaced: dict[str, str]) -> None:
    """A module of our own that has the programs as its tools, with all checksums that building them needs."""
    (program.folder / "go.mod").write_text(first_lines(program, replaced))
    env = environment(program) | {"GOFLAGS": "-mod=mod"}
    tags = f"-tags={','.join(program.tags)}"
    if not list(program.folder.glob("*.go")):
        wanted = [f"{package}@{program.version}" for package in program.packages]
        run(go(), "get", "-tool", *wanted, cwd=program.folder, env=env)
        run(go(), "list", "-deps", tags, *program.packages, cwd=program.folder, env=env)
    if program.also:
        run(go(), "get", *program.also, cwd=program.folder, env=env)
    if list(program.folder.glob("*.go")):
        run(go(), "mod", "tidy", cwd=program.folder, env=env)
    run(go(), "mod", "verify", cwd=program.folder, env=env)


def first_lines(program: Program, replaced: dict[str, str]) -> str:
    """The go.mod to begin with: whose programs these are, and what is replaced."""
    upstream = kubernetes_go_mod()
    language = re.search(r"^go (\S+)", upstream, re.MULTILINE)
    lines = [
        "// Made by `python3 -m testbed lock`; versions.toml says what is wanted.",
        f"module testbed.invalid/{program.name}",
        "",
        f"go {language[1] if language else '1.26.0'}",
    ]
    if program.name == "kubernetes":
        lines += ["", *re.findall(r"^godebug .*$", upstream, re.MULTILINE)]
    if replaced:
        lines += ["", "replace (", *(f"\t{module} => {module} {v}" for module, v in sorted(replaced.items())), ")"]
    return "\n".join(lines) + "\n"


def kubernetes_replacements(program: Program) -> dict[str, str]:
    """Module -> version. Kubernetes replaces its staging modules by folders; we replace them by their published twins.

    A program `like_kubernetes` also has every other module in the version of Kubernetes.
    """
    if program.name != "kubernetes" and not program.like_kubernetes:
        return {}
    text = kubernetes_go_mod()
    staging = re.findall(r"^\s*(k8s\.io/[a-z-]+) => \./staging/", text, re.MULTILINE)
    published = dict.fromkeys(staging, "v0" + KUBERNETES.removeprefix("v1"))
    if program.name == "kubernetes":
        return published
    others = re.findall(r"^\s+(\S+\.\S+/\S+) (v\S+)", text.partition("require")[2], re.MULTILINE)
    return {module: version for module, version in others if module not in published} | published


def kubernetes_go_mod() -> str:
    """Kubernetes' own go.mod."""
    answer = json.loads(
        ask(go(), "mod", "download", "-json", f"k8s.io/kubernetes@{KUBERNETES}", cwd=Path("/"), env=environment())
    )
    return Path(answer["GoMod"]).read_text()


def used_modules(program: Program) -> set[str]:
    """The modules that the programs are compiled from."""
    pattern = "{{with .Module}}{{.Path}}{{end}}"
    packages = program.packages
    env = environment(program) | {"GOFLAGS": "-mod=mod"}
    return set(ask(go(), "list", "-deps", "-f", pattern, *packages, cwd=program.folder, env=env).split())
