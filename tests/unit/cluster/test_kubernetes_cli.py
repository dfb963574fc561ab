"""`kafka-lab kubernetes` with a kind that only writes down what it is asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labsupport.cli.app import run_command
from labsupport.cli.kubernetes import CONFIG
from labsupport.cluster.kubernetes.images import has_image
from labsupport.core.errors import LabError


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where its words are written; one cluster is there, `there`."""
    words = tmp_path / "words"
    program = tmp_path / "kind"
    program.write_text(f'#!/bin/sh\necho "$*" >> {words}\n[ "$1 $2" != "get clusters" ] || echo there\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin:/bin")
    monkeypatch.setattr("labsupport.cli.kubernetes._loaded", lambda _: ["ours:1"])
    return words


def test_create_gives_kind_our_cluster(kind: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["kubernetes", "create"]) == 0
    assert kind.read_text().splitlines()[-1] == f"create cluster --name kafka-lab --config {CONFIG} --wait 240s"
    assert "ours:1 is on its nodes" in capsys.readouterr().out


def test_another_node_image_is_a_setting(kind: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_LAB_NODE_IMAGE", "example/node:1")
    run_command(["kubernetes", "create", "--name", "other"])
    assert kind.read_text().splitlines()[-1].endswith("--image example/node:1")


def test_what_is_there_is_not_made_again_and_what_is_not_there_not_removed(
    kind: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command(["kubernetes", "create", "--name", "there"])
    run_command(["kubernetes", "delete", "--name", "nowhere"])
    assert kind.read_text().splitlines() == ["get clusters"] * 2
    said = capsys.readouterr().out
    assert "is there already" in said and "There is no cluster nowhere" in said
    run_command(["kubernetes", "delete", "--name", "there"])
    assert kind.read_text().splitlines()[-1] == "delete cluster --name there"


def test_without_kind_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="kind is not installed"):
        run_command(["kubernetes", "create"])


def test_a_node_tells_its_images_under_whole_names() -> None:
    node = {"status": {"images": [{"names": ["docker.io/kafka-lab/kafka:4.3.1-abc"]}, {"names": None}]}}
    assert has_image(node, "kafka-lab/kafka:4.3.1-abc")
    assert not has_image(node, "kafka-lab/kafka:4.3.1")
