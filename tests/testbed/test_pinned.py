"""versions.toml is the one place of versions: what is committed beside it says the same. Needs no cluster."""

from __future__ import annotations

import re
import tomllib

import pytest

from testbed.paths import HERE
from testbed.programs import Program, all_programs, program_name

PROGRAMS = list(all_programs().values())
MANIFESTS = sorted([*(HERE / "manifests").glob("*.yaml"), *(HERE / "csi").glob("*.yaml")])


def required(go_mod: str) -> dict[str, str]:
    """Module -> the version that a go.mod asks for."""
    return dict(re.findall(r"(?m)^(?:require )?\s*([\w.~/-]+\.[\w.~/-]+) (v\S+)", go_mod))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_is_required_in_the_version_of_the_list(program: Program) -> None:
    """The module that a package lies in is the longest one that is a prefix of it."""
    if program.name == "csi-folders":
        return  # our own source
    modules = required((program.folder / "go.mod").read_text())
    for package in program.packages:
        module = max((name for name in modules if f"{package}/".startswith(f"{name}/")), key=len)
        assert modules[module] == program.version


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_every_module_has_a_checksum(program: Program) -> None:
    """A build from a go.mod without its go.sum would take whatever the proxy serves."""
    replaced = re.findall(r"(?m)=> (\S+) (v\S+)$", (program.folder / "go.mod").read_text())
    sums = (program.folder / "go.sum").read_text()
    assert "h1:" in sums
    for module, version in replaced if program.name != "kubernetes" else []:
        assert f"{module} {version} h1:" in sums


def test_kubernetes_is_one_version() -> None:
    """Programs, clients' libraries, kind's node image."""
    pinned = tomllib.loads((HERE / "versions.toml").read_text())
    assert all_programs()["kubernetes"].version == pinned["kubernetes"]
    libraries = set(re.findall(r"=> k8s\.io/(?:api|client-go|kubelet) (\S+)", "".join(modules())))
    assert libraries == {"v0" + pinned["kubernetes"].removeprefix("v1")}


def modules() -> list[str]:
    """The text of every go.mod."""
    return [(program.folder / "go.mod").read_text() for program in PROGRAMS]


def test_manifests_name_only_images_that_the_testbed_builds() -> None:
    """By exactly the version that is built: nothing can be pulled."""
    versions = {program_name(p): row.version for row in PROGRAMS for p in row.packages}
    named = [found for path in MANIFESTS for found in re.findall(r"image: (\S+)", path.read_text())]
    assert named
    for image in named:
        repository, _, tag = image.partition(":")
        assert repository.startswith("lab/")
        assert tag == versions[repository.removeprefix("lab/")]


def test_no_two_programs_have_one_name() -> None:
    """They lie in one folder."""
    names = [program_name(package) for row in PROGRAMS for package in row.packages]
    assert sorted(names) == sorted(set(names))
