"""What the doctor says of a machine, and when its exit code is not 0."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from labsupport.cli import doctor, main
from labsupport.cli.doctor import Check
from labsupport.core import machine
from labsupport.core.finding import Finding, Outcome

WELL = Finding.of(True, should="water is wet", saw="wet")
ILL = Finding.of(False, should="fire is hot", saw="cold \x1b[2J", look="Light it.")


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([Check("water", True, WELL)], 0),
        ([Check("water", True, WELL), Check("fire", False, ILL)], 0),
        ([Check("water", True, WELL), Check("fire", True, ILL)], 1),
        ([Check("fire", True, Finding(outcome=Outcome.COULD_NOT_CHECK, should="fire is hot"))], 1),
    ],
)
def test_only_what_is_needed_decides_the_exit_code(
    checks: list[Check], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is optional is told and does no harm; what could not be checked is not taken for well."""
    monkeypatch.setattr(doctor, "examine", lambda: iter(checks))
    assert main(["doctor"]) == code
    assert main(["doctor", "--json"]) == code
    assert f'"ok": {"true" if code == 0 else "false"}' in capsys.readouterr().out


def test_each_lack_is_a_line_with_need_have_and_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line a check, and no line can command the terminal."""
    monkeypatch.setattr(doctor, "examine", lambda: iter([Check("fire", True, ILL)]))
    main(["doctor"])
    assert capsys.readouterr().out == "fire        ✗ fire is hot: cold \\x1b[2J → Light it.\n"


def test_it_examines_all_that_the_lab_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """With an empty cache the jars lack, so the exit code is 1; nothing is fetched to find that out."""
    assert main(["doctor", "--json"]) == 1
    told = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    parts = {"Python", "memory", "cores", "disk: cache", "disk: temp", "disk: here", "JRE", "Docker", "kubeconfig"}
    assert parts | {"leftovers", "jars 3.9.2", "jars 4.3.1", "AOT 3.9.2", "AOT 4.3.1"} == set(told)
    assert told["jars 4.3.1"]["outcome"] == "not yet" and told["jars 4.3.1"]["saw"].startswith("0 of ")
    assert told["JRE"]["outcome"] == "solved" and "25" in told["JRE"]["saw"]
    assert all(check["look"] for check in told.values() if check["outcome"] != "solved")
    assert list(Path(os.environ["KAFKA_LAB_CACHE"]).rglob("*.jar")) == []


def test_too_little_memory_is_need_against_have() -> None:
    """Both numbers, and a smaller cluster as the remedy."""
    finding = doctor.memory(700)
    assert finding.outcome is Outcome.NOT_YET
    assert "1,050 MB" in finding.should and finding.saw == "700 MB" and "--brokers 1" in finding.look


@pytest.mark.parametrize(("version", "well"), [((3, 10), False), ((3, 11), True), ((3, 14), True), ((3, 15), False)])
def test_the_pythons_of_the_lock(version: tuple[int, int], well: bool) -> None:
    """From 3.11 and before 3.15."""
    assert (doctor.python(version).outcome is Outcome.SOLVED) is well


@pytest.mark.parametrize(
    ("content", "saw"),
    [
        ("apiVersion: v1\ncurrent-context: kind-lab\n", "context kind-lab"),
        ('{"apiVersion": "v1",\n "current-context": "kind-lab"}', "context kind-lab"),
        ('current-context: ""\n', "without a current context"),
        ("apiVersion: v1\n", "without a current context"),
        (None, "no "),
    ],
)
def test_a_kubeconfig_is_read_as_kubectl_does(
    content: str | None, saw: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$KUBECONFIG names the file; YAML and JSON are both allowed; absence is a finding, not an error."""
    file = tmp_path / "config"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(file))
    finding = doctor.kubeconfig()
    assert saw in finding.saw and (finding.outcome is Outcome.SOLVED) == saw.startswith("context")


def test_docker_is_an_engine_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version and its memory; no program of Docker's is needed for that."""
    fake = SimpleNamespace(info=lambda: {"ServerVersion": "27.1", "MemTotal": 2**33})
    monkeypatch.setattr("labsupport.cluster.docker.engine.engine", lambda **_: fake)
    monkeypatch.setattr("labsupport.cluster.docker.sweep.sweep", lambda: ["kafka-lab-old-01234567"])
    finding = doctor.docker()
    assert finding.outcome is Outcome.SOLVED
    assert finding.saw == "engine 27.1 with 8,192 MB of memory · removed kafka-lab-old-01234567"


def test_no_engine_is_a_finding_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    finding = doctor.docker()
    assert finding.outcome is Outcome.NOT_YET
    assert finding.saw.startswith("No Docker engine answers") and finding.look.startswith("Start it")


@pytest.mark.parametrize("name", ["demo-0123abcd", "by-hand-01ab9f"])
def test_a_folder_that_nobody_owns_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a cluster or a space whose record is gone, too: found by its name, and left for the user to remove."""
    stray = tmp_path / f"kafka-lab-{name}"
    stray.mkdir()
    (tmp_path / "kafka-lab-notes").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    finding = doctor.leftovers()
    assert finding.outcome is Outcome.NOT_YET
    assert finding.saw == f"nobody owns {stray}" and finding.look == f"Remove it with `rm -r {stray}`."


@pytest.mark.parametrize(
    ("files", "limit_mb"),
    [
        ({"memory.max": "1073741824", "memory.current": "524288000", "memory.stat": "inactive_file 104857600"}, 624),
        ({"memory.max": "max", "memory.current": "524288000", "memory.stat": ""}, None),
        (
            {
                "memory/memory.limit_in_bytes": "1073741824",
                "memory/memory.usage_in_bytes": "1073741824",
                "memory/memory.stat": "cache 5\ntotal_inactive_file 52428800",
            },
            50,
        ),
        ({}, None),
    ],
)
def test_a_container_s_limit_counts(files: dict[str, str], limit_mb: int | None, tmp_path: Path) -> None:
    """In a container the machine's memory is not ours: its limit less what is used, page cache given back."""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    found_mb = machine.memory_available_mb(tmp_path)
    if limit_mb is not None:
        assert found_mb == limit_mb
    else:
        assert found_mb > 624
