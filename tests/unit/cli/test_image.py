"""`kafka-lab image` with an engine that is not there: what is built, what is left alone, what is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from labsupport.cli import main
from labsupport.cluster.docker import images
from labsupport.provision.image import INPUTS_LABEL, labels

OURS = ("kafka-lab/kafka:3.9.2", "kafka-lab/kafka:4.3.1")


def image(image_labels: dict[str, str]) -> Any:
    return SimpleNamespace(labels=image_labels, attrs={"Size": 238_000_000})


@pytest.fixture
def engine_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], list[str]]:
    """Say what the engine has; what is built goes into the list."""

    def given(there: dict[str, Any]) -> list[str]:
        built: list[str] = []
        monkeypatch.setattr(images, "find", there.get)
        monkeypatch.setattr(images, "build", lambda version: built.append(version) or image(labels(version)))
        return built

    return given


def test_each_version_is_built_unless_it_is_up_to_date(
    engine_with: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    built = engine_with({OURS[0]: image(labels("3.9.2")), OURS[1]: image({INPUTS_LABEL: "of yesterday"})})
    assert main(["image", "build"]) == 0
    assert built == ["4.3.1"]
    assert capsys.readouterr().out == f"{OURS[0]} is up to date.\n{OURS[1]} is built, 238 MB.\n"
    assert main(["image", "build", "3.9.2", "--force"]) == 0
    assert built == ["4.3.1", "3.9.2"]


def test_an_unknown_version_is_refused_in_one_sentence(
    engine_with: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    built = engine_with({})
    assert main(["image", "build", "4.4.0"]) == 1
    assert "There is no Kafka '4.4.0' here." in capsys.readouterr().err and built == []


def test_the_list_tells_which_images_are_ours_and_up_to_date(
    engine_with: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    engine_with({OURS[0]: image({INPUTS_LABEL: "of yesterday"}), "apache/kafka:3.9.2": image({})})
    assert main(["image", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["images"]
    assert [(i["name"], i["state"]) for i in told] == [(OURS[0], "outdated"), ("apache/kafka:3.9.2", "public")]


def test_an_empty_list_says_what_to_do(
    engine_with: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    engine_with({})
    assert main(["image", "list"]) == 0
    assert "`kafka-lab image build` makes one" in capsys.readouterr().out
