"""The docker backend without an engine: what it would create, what it tells, what it says when it cannot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labsupport.cluster import owners
from labsupport.cluster.docker import images
from labsupport.cluster.docker.engine import engine, no_engine
from labsupport.cluster.docker.images import KafkaImage
from labsupport.cluster.docker.plan import Plan, Planner
from labsupport.cluster.docker.watcher import pid_here, seen
from labsupport.cluster.spec import build_spec
from labsupport.core.errors import BadInput, LabError, ProvisionError
from labsupport.provision.image import INPUTS_LABEL, inputs_key, labels

IMAGE = KafkaImage("some/image", frozenset({"broker-kraft"}))


@pytest.fixture(autouse=True)
def _no_checkpoint_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labsupport.cluster.docker.plan.kraft_bootstrap", lambda version: b"checkpoint")


def planned(node_id: int, **wishes: Any) -> Plan:
    return Planner(build_spec(**wishes), IMAGE).kafka(node_id, 20_001)


def properties(plan: Plan, name: str = "server.properties") -> dict[str, str]:
    text = plan.files[name].decode()
    return dict(line.split("=", 1) for line in text.splitlines())


# -- what is planned


def test_a_combined_node_is_reached_from_outside_inside_and_as_a_controller() -> None:
    plan = planned(2)
    settings = properties(plan)
    assert settings["listeners"] == "CLIENT://0.0.0.0:9092,INTERNAL://0.0.0.0:9094,CONTROLLER://0.0.0.0:9093"
    assert settings["advertised.listeners"] == (
        "CLIENT://127.0.0.1:20001,INTERNAL://broker-2:9094,CONTROLLER://broker-2:9093"
    )
    assert settings["controller.quorum.voters"] == "1@broker-1:9093,2@broker-2:9093,3@broker-3:9093"
    assert plan.published == (9092, 20_001)


def test_a_separate_controller_publishes_its_own_listener() -> None:
    plan = planned(101, controllers=1)
    assert plan.published == (9093, 20_001)
    assert properties(plan)["listeners"] == "CONTROLLER://0.0.0.0:9093"


def test_a_broker_finds_all_servers_of_its_ensemble_by_name() -> None:
    settings = properties(planned(1, coordination="zookeeper", controllers=3))
    assert settings["zookeeper.connect"] == "zookeeper-1:2181,zookeeper-2:2181,zookeeper-3:2181"


def test_a_zookeeper_server_listens_everywhere_and_knows_the_others_by_name() -> None:
    plan = Planner(build_spec(coordination="zookeeper", controllers=3), IMAGE).zookeeper(2, 20_002)
    settings = properties(plan, "zoo.cfg")
    assert settings["clientPortAddress"] == "0.0.0.0"
    assert settings["server.3"] == "zookeeper-3:2888:3888"
    assert plan.files["myid"] == b"2\n"


def test_each_log_folder_is_formatted_once_with_an_id_of_its_own() -> None:
    """A container that is started again finds its folders, and leaves them as they are."""
    plan = planned(1, log_dirs=2)
    ids = {properties(plan, f"data-{i}.meta.properties")["directory.id"] for i in (0, 1)}
    assert len(ids) == 2
    script = plan.command[-1]
    assert script.count("[ -e /var/lib/kafka/data/data-") == 3  # two of meta.properties, one checkpoint
    assert properties(plan)["log.dirs"] == "/var/lib/kafka/data/data-0,/var/lib/kafka/data/data-1"


def test_start_up_caches_are_used_where_the_image_has_them() -> None:
    assert "-XX:AOTCache=/opt/kafka/aot/broker-kraft.aot" in planned(1).variables["KAFKA_JVM_PERFORMANCE_OPTS"]
    zookeeper = planned(1, coordination="zookeeper").variables["KAFKA_JVM_PERFORMANCE_OPTS"]
    assert "AOT" not in zookeeper
    assert "AOT" not in planned(1, profile="throughput").variables["KAFKA_JVM_PERFORMANCE_OPTS"]


# -- what is seen


def state(**fields: object) -> Mapping[str, Any]:
    return {"Status": "exited", "StartedAt": "then", "ExitCode": 0, "OOMKilled": False, **fields}


@pytest.mark.parametrize(
    ("of_the_engine", "detail"),
    [
        (state(ExitCode=137), "signal 9"),
        (state(ExitCode=143), "exit code 143"),  # a JVM that was asked to end, and ended in order
        (state(ExitCode=134), "signal 6"),
        (state(ExitCode=1), "exit code 1"),
        (state(ExitCode=137, OOMKilled=True), "out of memory"),
        ({"Status": "removed"}, "its container was removed"),
    ],
)
def test_an_end_is_told_in_the_words_of_the_local_backend(of_the_engine: Mapping[str, Any], detail: str) -> None:
    found = seen(of_the_engine)
    assert found is not None and (found["state"], found["detail"]) == ("stopped", detail)


def test_a_life_is_the_moment_of_its_start() -> None:
    assert seen(state(Status="running", StartedAt="noon")) == {"state": "running", "life": "noon"}
    assert seen(state(Status="paused", StartedAt="noon")) == {"state": "paused", "life": "noon"}
    assert seen(state(Status="created")) is None


def test_a_pid_is_believed_only_where_this_machine_says_the_same() -> None:
    """An engine in a virtual machine tells pids that mean somebody else here."""
    words = Path("/proc/self/cgroup").read_text().split("/")
    assert pid_here(os.getpid(), "0123456789abcdef") == 0
    assert pid_here(os.getpid(), words[-1].strip() or "/") == os.getpid()
    assert pid_here(0, "/") == 0


def test_an_owner_is_dead_only_on_its_own_machine_and_in_its_own_life() -> None:
    alive = owners.owner(os.getpid())
    machine, pid, stamp = alive.split(" ")
    assert not owners.is_dead(alive)
    assert owners.is_dead(f"{machine} {pid} 1{stamp}")
    assert not owners.is_dead(f"another-machine {pid} 1{stamp}")
    assert not owners.is_dead("nonsense")


# -- which image


class FakeEngine:
    """Has some images, and lets some be pulled."""

    def __init__(self, there: Mapping[str, dict[str, str]], can_be_pulled: tuple[str, ...] = ()) -> None:
        self.there, self.can_be_pulled = dict(there), can_be_pulled
        self.pulled: list[str] = []
        self.images = self

    def get(self, name: str) -> Any:
        from docker.errors import ImageNotFound

        if name not in self.there:
            raise ImageNotFound("none")
        return SimpleNamespace(labels=self.there[name], id=name)

    def pull(self, repository: str, tag: str | None = None) -> None:
        from docker.errors import APIError

        name = f"{repository}:{tag}"
        self.pulled.append(name)
        if name not in self.can_be_pulled:
            raise APIError("refused", explanation="dial tcp: no such host")
        self.there[name] = {}


@pytest.fixture
def with_engine(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv(images.VARIABLE, raising=False)
    built: list[str] = []

    def build(version: str) -> Any:
        built.append(version)
        return SimpleNamespace(labels=labels(version), id="built")

    monkeypatch.setattr(images, "build", build)

    def given(there: Mapping[str, dict[str, str]], can_be_pulled: tuple[str, ...] = ()) -> Any:
        fake = FakeEngine(there, can_be_pulled)
        monkeypatch.setattr(images, "engine", lambda: fake)
        return SimpleNamespace(fake=fake, built=built)

    return given


OURS, PUBLIC = "kafka-lab/kafka:4.3.1", "apache/kafka:4.3.1"


def test_our_image_comes_first_while_nothing_that_goes_into_it_has_changed(with_engine: Any) -> None:
    with_engine({OURS: labels("4.3.1"), PUBLIC: {}})
    assert images.choose("4.3.1").name == OURS


def test_an_outdated_image_of_ours_gives_way_to_the_public_one(with_engine: Any) -> None:
    with_engine({OURS: {INPUTS_LABEL: "of yesterday"}, PUBLIC: {}})
    assert images.choose("4.3.1") == KafkaImage(PUBLIC)
    assert inputs_key("4.3.1") != "of yesterday"


def test_the_public_one_is_pulled_and_where_it_cannot_be_ours_is_built(with_engine: Any) -> None:
    engine_ = with_engine({}, can_be_pulled=(PUBLIC,))
    assert images.choose("4.3.1").name == PUBLIC and engine_.built == []
    engine_ = with_engine({})
    assert images.choose("4.3.1").name == OURS and engine_.built == ["4.3.1"]
    assert engine_.fake.pulled == [PUBLIC]


def test_the_users_own_image_comes_before_all_and_gets_the_version_as_its_tag(
    with_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_engine({"registry:5000/kafka:4.3.1": {}, "mine:1": {}, OURS: labels("4.3.1")})
    for named, chosen in (("registry:5000/kafka", "registry:5000/kafka:4.3.1"), ("mine:1", "mine:1")):
        monkeypatch.setenv(images.VARIABLE, named)
        assert images.choose("4.3.1").name == chosen


def test_a_refused_pull_of_the_users_image_is_one_sentence(with_engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(images.VARIABLE, "mine:1")
    with_engine({})
    with pytest.raises(ProvisionError, match=r"mine:1, which KAFKA_LAB_IMAGE names, cannot be pulled: .*no such host"):
        images.choose("4.3.1")


def test_what_cannot_be_pulled_nor_built_says_both(with_engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with_engine({})

    def refuse(version: str) -> None:
        raise ProvisionError("The local image can be built on Linux only.", fix="Pull one.")

    monkeypatch.setattr(images, "build", refuse)
    with pytest.raises(ProvisionError, match=r"no such host\), and none can be built here\. The local image .* Linux"):
        images.choose("4.3.1")


# -- no engine


def test_an_engine_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(LabError, match=r"No Docker engine answers at unix:///nowhere/docker\.sock\.") as refusal:
        engine()
    assert "KAFKA_LAB_BACKEND=local" in refusal.value.fix


def test_a_socket_that_is_closed_to_the_user_is_told_apart() -> None:
    """As docker-py wraps it: the reason is an argument of an argument."""
    wrapped = RuntimeError("Error while fetching server API version", ConnectionError(PermissionError(13, "denied")))
    assert "not allowed" in no_engine(wrapped).what
    assert "docker" in no_engine(wrapped).fix


def test_an_engine_that_is_too_small_is_need_against_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own memory counts: that of a virtual machine may be less than this one's."""
    from labsupport.cluster.docker import backend

    small = SimpleNamespace(info=lambda: {"MemTotal": 500 * 2**20})
    monkeypatch.setattr(backend, "engine", lambda: small)
    with pytest.raises(LabError, match="needs about 1050 MB of memory, and Docker's engine has 500 MB"):
        backend.DockerBackend.prepare(build_spec(backend="docker"))


@pytest.mark.parametrize(
    ("wish", "words"),
    [({"links": True}, "links=True"), ({"log_dir_mb": 64}, "log_dir_mb"), ({"jmx": True}, "jmx=True")],
)
def test_what_containers_cannot_do_is_refused_before_the_engine_is_asked(
    wish: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labsupport.cluster.docker.backend import DockerBackend

    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(BadInput, match=f"The docker backend has no {words}"):
        DockerBackend.prepare(build_spec(backend="docker", **wish))
