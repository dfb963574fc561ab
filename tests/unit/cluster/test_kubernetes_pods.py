"""What a pod's status means, what is news, who owns a namespace, and how much room there is."""

from __future__ import annotations

import os
from typing import Any

import pytest

from labsupport.cluster.kubernetes.names import CREATED, OWNER, PAUSED
from labsupport.cluster.kubernetes.news import Memory, of_event
from labsupport.cluster.kubernetes.pods import backs_off, container_runs, is_hopeless, is_over, restarts, seen, trouble
from labsupport.cluster.kubernetes.preflight import room
from labsupport.cluster.kubernetes.sweep import is_forgotten, oldest_h, ours
from labsupport.cluster.owners import is_dead, machine, owner
from labsupport.core.errors import BadInput

ID = "containerd://1"


def pod(state: dict[str, Any], *, started: bool = True, life: str = ID, **more: Any) -> dict[str, Any]:
    status = {"name": "kafka", "state": state, "started": started, "containerID": life, "ready": True, **more}
    other = {"name": "other", "state": {"running": {}}, "started": True, "containerID": "containerd://other"}
    return {"metadata": {"name": "broker-1", "uid": "u"}, "spec": {}, "status": {"containerStatuses": [other, status]}}


RUNNING: dict[str, Any] = {"running": {"startedAt": "now"}}


def test_a_container_that_has_started_is_a_node_that_runs() -> None:
    found = seen(pod(RUNNING))
    assert (found.state, found.life) == ("running", ID)


def test_a_container_that_is_held_back_runs_and_is_a_stopped_node() -> None:
    held = pod(RUNNING, started=False, lastState={"terminated": {"exitCode": 137}})
    assert (seen(held).state, seen(held).detail) == ("stopped", "signal 9")
    assert container_runs(held)


def test_a_node_is_frozen_only_as_long_as_it_is_the_same_container() -> None:
    frozen = pod(RUNNING)
    frozen["metadata"]["annotations"] = {PAUSED: ID}
    assert seen(frozen).state == "paused"
    frozen["metadata"]["annotations"] = {PAUSED: "containerd://0"}
    assert seen(frozen).state == "running"


@pytest.mark.parametrize(
    ("ended", "detail"),
    [
        ({"exitCode": 143}, "exit code 143"),
        ({"exitCode": 137}, "signal 9"),
        ({"exitCode": 137, "reason": "OOMKilled"}, "out of memory"),
        ({"exitCode": 1, "reason": "Error"}, "exit code 1"),
    ],
)
def test_how_it_ended_is_told_in_the_words_of_the_local_backend(ended: dict[str, Any], detail: str) -> None:
    assert seen(pod({"terminated": ended})).detail == detail
    backing_off = pod({"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": ended})
    assert (seen(backing_off).state, seen(backing_off).detail) == ("stopped", detail)
    assert backs_off(backing_off) and not is_over(backing_off)
    assert is_over(pod({"terminated": ended})) and not backs_off(pod({"terminated": ended}))
    assert not container_runs(backing_off)


def test_no_pod_is_a_stopped_node() -> None:
    assert seen(None).state == "stopped"
    assert seen({"metadata": {"name": "broker-1"}, "status": {}}).state == "stopped"
    assert not backs_off(None) and not is_over(None)
    assert not container_runs(None)


def test_why_a_pod_does_not_run_is_told_in_kubernetes_words_and_escaped() -> None:
    no_image = pod({"waiting": {"reason": "ImagePullBackOff", "message": "no such host\x1b[2J"}}, started=False)
    assert trouble(no_image) == "ImagePullBackOff: no such host\\x1b[2J"
    assert is_hopeless(no_image)
    pending = {
        "metadata": {"name": "broker-1"},
        "status": {
            "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "full"}]
        },
    }
    assert trouble(pending) == "Unschedulable: full"
    assert not is_hopeless(pending)
    assert trouble(pod({"waiting": {"reason": "ContainerCreating"}})) == ""


def event(reason: str, message: str = "") -> dict[str, Any]:
    return {"involvedObject": {"kind": "Pod", "name": "broker-1"}, "reason": reason, "message": message}


def test_an_event_is_cut_and_escaped() -> None:
    found = of_event(event("Killing", "Stopping\ncontainer " + "x" * 300))
    assert found is not None
    assert (found["object"], found["reason"]) == ("pod/broker-1", "Killing")
    assert len(found["message"]) <= 203
    assert "\n" not in found["message"]


def test_a_probe_that_fails_is_no_news() -> None:
    assert of_event(event("Unhealthy")) is None
    assert of_event(event("Scheduled")) is not None


def test_a_node_is_news_when_it_changes_and_not_while_all_is_well() -> None:
    memory = Memory()

    def look(ready: str, *, cordoned: bool = False, taints: tuple[str, ...] = ()) -> list[str]:
        node = {
            "spec": {"unschedulable": cordoned, "taints": [{"key": t, "effect": "NoExecute"} for t in taints]},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }
        return [one["reason"] for one in memory.node(node, "worker")]

    assert look("True") == []
    assert look("Unknown", taints=("unreachable",)) == ["NotReady", "Taints"]
    assert look("Unknown", taints=("unreachable",)) == []
    assert look("True") == ["Ready", "Taints"]
    assert look("True", cordoned=True) == ["Cordoned"]
    assert [one["reason"] for one in memory.node(None, "worker")] == ["Gone"]


def test_claims_and_restarts_are_news_once() -> None:
    memory = Memory()
    claim = {"spec": {"volumeName": "pv-1"}, "status": {"phase": "Bound"}}
    assert [one["reason"] for one in memory.claim(claim, "data-broker-1")] == ["Bound"]
    assert list(memory.claim(claim, "data-broker-1")) == []
    assert [one["reason"] for one in memory.claim(None, "data-broker-1")] == ["Gone"]
    assert list(memory.restarts(pod(RUNNING, restartCount=0))) == []
    assert [one["reason"] for one in memory.restarts(pod(RUNNING, restartCount=1))] == ["Restarted"]
    assert list(memory.restarts(pod(RUNNING, restartCount=1))) == []


def namespace(words: str, *, created: str = "", name: str = "kafka-lab-demo") -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": {OWNER: words, CREATED: created}}}


def test_only_the_dead_of_this_machine_are_forgotten() -> None:
    me = owner(os.getpid())
    assert not is_dead(me)
    assert is_dead(f"{machine()} {os.getpid()} another-start")
    assert not is_dead("another-machine 1 stamp")
    assert not is_forgotten(namespace(me), now=0)
    assert is_forgotten(namespace(f"{machine()} {os.getpid()} another-start"), now=0)


def test_what_is_too_old_is_forgotten_whoever_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_LAB_KUBERNETES_HOURS", "8")
    theirs = namespace("another-machine 1 stamp", created="1000")
    assert not is_forgotten(theirs, now=1000 + 8 * 3600)
    assert is_forgotten(theirs, now=1001 + 8 * 3600)
    assert not is_forgotten(namespace("another-machine 1 stamp"), now=1e12)


@pytest.mark.parametrize("hours", ["never", "0", "-1", "nan"])
def test_an_age_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, hours: str) -> None:
    monkeypatch.setenv("KAFKA_LAB_KUBERNETES_HOURS", hours)
    with pytest.raises(BadInput):
        oldest_h()


def test_a_namespace_is_ours_by_its_name_and_its_owner() -> None:
    assert ours(namespace("me"))
    assert not ours(namespace("me", name="production"))
    assert not ours({"metadata": {"name": "kafka-lab-demo"}})


def test_room_is_what_ready_nodes_have_less_what_pods_asked_for() -> None:
    def node(name: str, *, ready: str = "True", taint: str = "") -> dict[str, Any]:
        return {
            "metadata": {"name": name},
            "spec": {"taints": [{"key": "k", "effect": taint}]} if taint else {},
            "status": {
                "allocatable": {"memory": "1Gi", "cpu": "2"},
                "conditions": [{"type": "Ready", "status": ready}],
            },
        }

    def asking(where: str, phase: str = "Running") -> dict[str, Any]:
        resources = {"requests": {"memory": "100Mi", "cpu": "100m"}}
        return {"spec": {"nodeName": where, "containers": [{"resources": resources}]}, "status": {"phase": phase}}

    nodes = [node("a"), node("b"), node("lost", ready="Unknown"), node("control", taint="NoSchedule")]
    assert room(nodes, []) == (2048, 4000)
    assert room(nodes, [asking("a"), asking("control"), asking("b", "Succeeded"), {"spec": {"containers": [{}]}}]) == (
        1948,
        3900,
    )


def test_ends_of_all_containers_count_those_that_come_first_too() -> None:
    ended = pod(RUNNING, restartCount=1)
    ended["status"]["initContainerStatuses"] = [{"name": "format", "restartCount": 2, "state": {}}]
    assert restarts(ended) == {"format": 2, "other": 0, "kafka": 1}
    assert restarts(None) == {}
