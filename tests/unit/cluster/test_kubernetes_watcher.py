"""The watcher, the reaper and the maker of namespaces, against a Kubernetes that a test plays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from labsupport.cluster.kubernetes import reaper
from labsupport.cluster.kubernetes.access import Access
from labsupport.cluster.kubernetes.api import Api, ApiError, path_of
from labsupport.cluster.kubernetes.names import OWNER
from labsupport.cluster.kubernetes.watcher import Watcher
from labsupport.cluster.supervised import Supervised
from labsupport.core.errors import LabError, NotRunning
from tests.unit.cluster.test_kubernetes_pods import RUNNING, event, pod


@dataclass(frozen=True)
class Book(Supervised):
    """A supervisor that writes down what it is told."""

    name: str = "demo"
    folder: Path = Path("/nowhere")
    told: list[dict[str, Any]] = field(default_factory=list)
    gone: list[bool] = field(default_factory=list)
    state: list[str] = field(default_factory=lambda: ["starting"])

    def ask(
        self, do: str, *, reply_within_s: float = 10, until_it_ends: bool = False, **arguments: Any
    ) -> dict[str, Any]:
        if self.gone:
            raise NotRunning("gone")
        self.told.append({"do": do, **arguments})
        return {"state": self.state[0]}

    def asked(self, do: str) -> list[dict[str, Any]]:
        return [told for told in self.told if told["do"] == do]


class Played(Api):
    """Kubernetes as a test plays it: lists and watches by kind, and what it refuses."""

    def __init__(self, objects: dict[str, list[dict[str, Any]]] | None = None) -> None:
        self.access = Access("/nowhere", "test")
        self.objects = objects or {}
        self.changes: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self.done: list[tuple[str, str]] = []
        self.processes = [0]  # exit codes of the script that looks for a process, the last one again and again

    def request(self, method: str, path: str, **_: Any) -> dict[str, Any]:
        self.done.append((method, path))
        for kind, items in self.objects.items():
            if path == path_of(kind, "ns") or path == path_of(kind):
                return {"items": items, "metadata": {"resourceVersion": "1"}}
            for item in items:
                if path.endswith(f"/{item['metadata']['name']}"):
                    if method == "DELETE":
                        items.remove(item)
                    return item
        raise ApiError("no such thing", status=404)

    def run(self, pod: str, namespace: str, container: str, argv: Any, *, timeout_s: float = 20) -> tuple[int, bytes]:
        assert argv[-1].endswith("runs.sh")
        return (self.processes.pop(0) if len(self.processes) > 1 else self.processes[0]), b""

    def watch(self, kind: str, namespace: str, since: str, *, timeout_s: int) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self.changes.pop(kind, [])
        raise ApiError("the end of the test", status=403)


def watched(
    kind: str,
    *changes: tuple[str, dict[str, Any]],
    listed: list[dict[str, Any]] | None = None,
    processes: Sequence[int] = (0,),
) -> Book:
    """What the supervisor was told after one list and these changes."""
    book, api = Book(), Played({kind: listed or []})
    api.processes = list(processes)
    api.changes[kind] = list(changes)
    watcher = Watcher(book, api, "ns", ["broker-1", "broker-2"])
    take = {"Pod": watcher._take_pod, "Event": watcher._take_event, "Node": watcher._take_node}[kind]
    watcher._follow(kind, "ns", take)
    return book


def replaced(uid: str, **more: Any) -> dict[str, Any]:
    found = pod(RUNNING, **more)
    found["metadata"]["uid"] = uid
    return found


def test_a_pod_that_runs_is_seen_and_its_port_forward_started() -> None:
    book = watched("Pod", listed=[pod(RUNNING, ready=False)])
    assert book.asked("seen") == [
        {"do": "seen", "name": "broker-1", "state": "running", "life": "containerd://1", "detail": ""}
    ]
    assert book.asked("start") == [{"do": "start", "name": "forward-broker-1"}]
    assert not book.asked("note")


def test_a_container_that_kubernetes_takes_for_started_too_early_is_not_believed() -> None:
    """Seen on Kubernetes 1.37: `started` is true for a moment, before the startup probe is set up."""
    book = watched("Pod", ("MODIFIED", pod(RUNNING)), listed=[pod(RUNNING)], processes=[1, 0])
    assert [told["state"] for told in book.asked("seen")] == ["stopped", "running"]
    assert len(book.asked("start")) == 1


def test_a_process_that_was_seen_is_there_until_its_container_ends() -> None:
    """The other side of the same moment: `started` turns false once the startup probe is set up."""
    ended = pod({"terminated": {"exitCode": 137}})
    book = watched("Pod", ("MODIFIED", pod(RUNNING, started=False)), ("MODIFIED", ended), listed=[pod(RUNNING)])
    states = [told["state"] for told in book.asked("seen")]
    assert states[0] == "running" and "stopped" not in states[:-1] and states[-1] == "stopped"


def test_what_has_ended_does_not_come_back() -> None:
    ended = pod({"terminated": {"exitCode": 137}})
    book = watched("Pod", ("MODIFIED", ended), ("MODIFIED", pod(RUNNING)), listed=[pod(RUNNING)])
    states = [told["state"] for told in book.asked("seen")]
    assert states[:2] == ["running", "stopped"] and "running" not in states[2:]
    again = pod(
        RUNNING, life="containerd://2", lastState={"terminated": {"exitCode": 137, "containerID": "containerd://1"}}
    )
    book = watched("Pod", ("MODIFIED", ended), ("MODIFIED", again), listed=[pod(RUNNING)])
    assert [told["state"] for told in book.asked("seen")] == ["running", "stopped", "running"]
    book = watched("Pod", ("MODIFIED", ended), ("MODIFIED", again), ("MODIFIED", ended), listed=[pod(RUNNING)])
    assert [told["state"] for told in book.asked("seen")][:3] == ["running", "stopped", "running"]
    assert book.asked("seen")[-1]["state"] == "running"


def test_a_container_that_waits_without_having_ended_is_the_same_life() -> None:
    waiting = pod({"waiting": {"reason": "PodInitializing"}}, started=False)
    states = [told["state"] for told in watched("Pod", ("MODIFIED", waiting), listed=[pod(RUNNING)]).asked("seen")]
    assert "stopped" not in states


def test_another_pod_of_the_name_gets_another_port_forward_and_another_container_does_not() -> None:
    same_pod = pod(RUNNING, life="containerd://2", ready=False)
    book = watched("Pod", ("MODIFIED", same_pod), ("MODIFIED", replaced("u2")), listed=[pod(RUNNING, ready=False)])
    assert len(book.asked("start")) == 1
    assert book.asked("signal") == [{"do": "signal", "name": "forward-broker-1", "signal_name": "TERM"}]


def test_a_pod_that_is_deleted_is_a_node_that_stopped() -> None:
    book = watched("Pod", ("DELETED", pod(RUNNING)), listed=[pod(RUNNING)])
    assert [told["state"] for told in book.asked("seen")] == ["running", "stopped"]


def test_a_pod_that_is_missing_from_the_next_list_was_deleted_while_nobody_looked() -> None:
    book, api = Book(), Played({"Pod": [pod(RUNNING)]})
    watcher = Watcher(book, api, "ns", ["broker-1"])
    looks: list[int] = []

    def watch(*_: Any, **__: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        """The first one ends without a word, and the pod is gone; the second ends the test."""
        looks.append(1)
        api.objects["Pod"] = []
        if len(looks) == 2:
            watcher._over.set()
        yield from ()

    api.watch = watch  # type: ignore[method-assign]
    watcher._follow("Pod", "ns", watcher._take_pod)
    assert [told["state"] for told in book.asked("seen")] == ["running", "stopped"]


def test_what_kubernetes_started_by_itself_is_ready_when_its_probe_says_so() -> None:
    """Nobody of ours waits for it. One that the supervisor takes for running already is not told of again."""
    assert watched("Pod", listed=[pod(RUNNING, ready=True)]).asked("note") == [
        {"do": "note", "name": "broker-1", "what": "ready"}
    ]


def test_a_strange_pod_in_the_namespace_is_no_node() -> None:
    stranger = pod(RUNNING)
    stranger["metadata"]["name"] = "client"
    assert watched("Pod", listed=[stranger]).told == []


def test_events_are_told_once_and_not_as_the_life_of_a_node() -> None:
    about = {**event("Killing", "Stopping"), "metadata": {"name": "e", "uid": "1"}}
    book = watched("Event", ("MODIFIED", about), listed=[about])
    (note,) = book.asked("note")
    assert (note["name"], note["what"]) == ("kubernetes", "kubernetes")
    assert json.loads(note["detail"]) == {"object": "pod/broker-1", "reason": "Killing", "message": "Stopping"}


def test_a_supervisor_that_is_gone_ends_the_watcher() -> None:
    book = Book()
    book.gone.append(True)
    watcher = Watcher(book, Played({"Pod": [pod(RUNNING)]}), "ns", ["broker-1"])
    watcher._follow("Pod", "ns", watcher._take_pod)
    assert watcher._over.is_set()


def test_who_may_not_see_nodes_still_has_a_watcher() -> None:
    """A refusal ends that thread alone, and nothing is told."""
    assert watched("Node").told == []


def namespace(owner: str) -> dict[str, Any]:
    return {"metadata": {"name": "ns", "annotations": {OWNER: owner}}}


def test_the_reaper_removes_a_namespace_of_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "PAUSE_S", 0.0)
    api = Played({"Namespace": [namespace("me")], "Pod": []})
    assert reaper.remove(api, "ns", "me")
    assert ("DELETE", path_of("Namespace", "", "ns")) in api.done
    assert api.objects["Namespace"] == []


def test_the_reaper_leaves_somebody_elses_namespace_of_the_same_name() -> None:
    api = Played({"Namespace": [namespace("another")], "Pod": []})
    assert reaper.remove(api, "ns", "me")
    assert not [path for method, path in api.done if method == "DELETE"]


def test_a_missing_kubeconfig_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from labsupport.cluster.kubernetes.access import find_access

    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(LabError, match=r"There is no kubeconfig.*kafka-lab kubernetes create"):
        find_access()


@pytest.fixture
def kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One with two contexts; nobody listens at either."""
    file = tmp_path / "config"
    file.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "kind-one",
                "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": n, "context": {"cluster": "c", "user": "u"}} for n in ("kind-one", "two")],
            }
        )
    )
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.delenv("KAFKA_LAB_CONTEXT", raising=False)
    return file


def test_the_current_context_is_used_unless_another_is_named(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from labsupport.cluster.kubernetes.access import find_access

    assert find_access() == Access(str(kubeconfig), "kind-one")
    assert find_access().is_kind
    monkeypatch.setenv("KAFKA_LAB_CONTEXT", "two")
    assert (find_access().context, find_access().is_kind) == ("two", False)
    monkeypatch.setenv("KAFKA_LAB_CONTEXT", "three")
    with pytest.raises(LabError, match=r"no context 'three'.*kind-one, two"):
        find_access()


def test_an_api_that_nobody_serves_is_told_in_one_sentence(kubeconfig: Path) -> None:
    from labsupport.cluster.kubernetes.access import find_access

    with pytest.raises(ApiError, match=r"\(kind-one\) does not answer: .*refused") as refused:
        Api(find_access()).list("Namespace")
    assert refused.value.status == 0


def test_programs_of_ours_are_given_no_secret_of_the_users(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from labsupport.cluster.kubernetes.access import find_access

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    given = find_access().environment()
    assert "AWS_SECRET_ACCESS_KEY" not in given
    assert given["KUBECONFIG"] == str(kubeconfig)
    assert given["KAFKA_LAB_CONTEXT"] == "kind-one"
