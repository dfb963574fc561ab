"""A space asks Kubernetes for what it is told to, and refuses what cannot be meant before anybody is asked."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from labsupport.cluster.kubernetes.api import ApiError
from labsupport.cluster.kubernetes.space import BY_HAND, Space, rolled_out
from labsupport.core.errors import BadInput, LabError, WaitTimeout

NAMESPACE = "kafka-lab-by-hand-1"


def pod(
    name: str, uid: str = "", *, ready: bool = True, ip: str = "10.244.0.9", ending: bool = False
) -> dict[str, Any]:
    """As the API has it."""
    meta: dict[str, Any] = {"name": name, "uid": uid or f"uid-{name}", "resourceVersion": "7"}
    meta["ownerReferences"] = [{"kind": "StatefulSet", "name": name.rpartition("-")[0]}]
    if ending:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status = {"podIP": ip, "conditions": [{"type": "Ready", "status": str(ready)}]}
    return {"metadata": meta, "spec": {"nodeName": "worker", "containers": [{"name": "gate"}]}, "status": status}


class FakeApi:
    """Pods in a dict, requests in a list, and a watch that tells what a test puts into it."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods = {raw["metadata"]["uid"]: raw for raw in pods}
        self.objects: dict[str, Any] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.ran: list[tuple[str, ...]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.told: queue.Queue[tuple[str, dict[str, Any]] | ApiError] = queue.Queue()

    def list(self, kind: str, _namespace: str = "") -> list[dict[str, Any]]:
        if kind == "Node":
            labels = {"topology.kubernetes.io/zone": "zone-a"}
            return [{"metadata": {"name": "worker", "labels": labels}, "spec": {}, "status": {}}]
        return deepcopy([*self.pods.values()]) if kind == "Pod" else []

    def find(self, kind: str, name: str, _namespace: str = "") -> dict[str, Any] | None:
        if kind == "Pod":
            return next((raw for raw in self.pods.values() if raw["metadata"]["name"] == name), None)
        return self.objects.get(f"{kind}/{name}")

    def request(self, method: str, path: str, *, body: object = None, **_: object) -> dict[str, Any]:
        self.requests.append((method, path, body))
        if path.endswith("/pods"):
            return {"items": self.list("Pod"), "metadata": {"resourceVersion": "7"}}
        name = path.rpartition("/")[2]
        if method == "GET" and name not in self.objects:
            raise ApiError("no", status=404)
        return self.objects.get(name, {})

    def delete(self, kind: str, name: str, _namespace: str = "", **options: object) -> None:
        self.requests.append(("DELETE", f"{kind}/{name}", options))

    def run(self, pod: str, _namespace: str, container: str, argv: tuple[str, ...], **_: object) -> tuple[int, bytes]:
        self.ran.append((pod, container, *argv))
        return self.answers.pop(0)

    def watch(self, *_: object, **__: object) -> Iterator[tuple[str, dict[str, Any]]]:
        while True:
            try:
                word = self.told.get(timeout=20)
            except queue.Empty:
                return  # as the API ends a watch after its time
            if isinstance(word, ApiError):
                raise word
            yield word

    def tell(self, what: str, raw: Mapping[str, Any]) -> None:
        """Something happens, and the watch says so."""
        uid = raw["metadata"]["uid"]
        self.pods.pop(uid) if what == "DELETED" else self.pods.__setitem__(uid, dict(raw))
        self.told.put((what, deepcopy(dict(raw))))


def space_with(*pods: dict[str, Any]) -> tuple[Space, FakeApi]:
    api = FakeApi(*pods)
    return Space(api, NAMESPACE, "by-hand", image="lab/kafka:1"), api  # type: ignore[arg-type]


def put_behind(api: FakeApi, service: str, *pods: dict[str, Any]) -> None:
    """These pods, and no others, have the label that the Service selects."""
    for raw in pods:
        raw["metadata"]["labels"] = {"app": "gate"}
    api.objects[f"Service/{service}"] = {"spec": {"selector": {"app": "gate"}}}


class TestWhatIsThere:
    def test_pods_come_in_the_order_of_their_numbers_with_their_zones(self) -> None:
        """And of one owner when asked so."""
        space, _ = space_with(pod("gate-10"), pod("gate-9"), pod("desk-1"))
        assert [p.name for p in space.pods()] == ["desk-1", "gate-9", "gate-10"]
        assert [p.name for p in space.pods("gate")] == ["gate-9", "gate-10"]
        assert space.pod("gate-9").zone == "zone-a" and repr(space) == "<Space by-hand>"

    def test_a_pod_that_is_not_there_is_named_with_those_that_are(self) -> None:
        """One sentence."""
        space, _ = space_with(pod("gate-0"))
        with pytest.raises(BadInput, match=r"no pod 'gate-7' here\. There are: gate-0\."):
            space.pod("gate-7")

    @pytest.mark.parametrize("name", ["", "Gate", "a b", "a;b", "$(x)", "../x", None, 3, "a\n"])
    def test_what_is_no_name_never_reaches_a_shell_or_a_path(self, name: Any) -> None:
        """Refused before anything is asked."""
        space, api = space_with(pod("gate-0"))
        for ask in (space.pod, space.resolve, space.service_ip, space.delete_pod, space.run):
            with pytest.raises(BadInput, match="no name in Kubernetes"):
                ask(name)
        assert not api.ran and not api.requests

    @pytest.mark.parametrize(("address", "said"), [("None", None), ("10.96.0.7", "10.96.0.7"), ("", None)])
    def test_a_headless_service_has_no_address(self, address: str, said: str | None) -> None:
        """Kubernetes writes "None"."""
        space, api = space_with()
        api.objects["Service/gates"] = {"spec": {"clusterIP": address}}
        assert space.service_ip("gates") == said

    def test_addresses_are_those_behind_the_name_asked_for(self) -> None:
        """nslookup tells the server's own address first, and errors for the kind that was not found."""
        told = (
            b"Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tgates.n.svc.cluster.local\nAddress: 10.244.2.3\n"
            b"Name:\tgates.n.svc.cluster.local\nAddress: 10.244.1.2\n\n** server can't find it: NXDOMAIN\n"
        )
        space, api = space_with(pod("gate-0"))
        api.answers = [(0, told), (1, b"Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n** server can't find x\n")]
        assert space.resolve("gates") == ["10.244.1.2", "10.244.2.3"]
        assert space.resolve("nobody.gates") == []
        assert api.ran[0][:2] == ("gate-0", "gate") and api.ran[0][-1] == "gates"

    def test_nobody_can_be_asked_where_no_pod_is_ready(self) -> None:
        """One that ends is not asked either."""
        space, _ = space_with(pod("gate-0", ready=False), pod("gate-1", ending=True))
        with pytest.raises(LabError, match="No pod is ready here"):
            space.resolve("gates")

    def test_who_answers_is_counted_and_cannot_steer_a_terminal(self) -> None:
        """Names come from pods."""
        space, api = space_with(pod("gate-0"))
        api.answers = [(0, b"gate-1\ngate-0\ngate-1\n\x1b[31mx\n")]
        assert space.who_answers("any-gate", 8080, 4) == {"gate-1": 2, "gate-0": 1, "\\x1b[31mx": 1}

    def test_nobody_is_counted_before_each_ready_pod_behind_the_service_was_met(self) -> None:
        """Nodes hear of a new pod a moment later. Pods that are not ready, and those of others, are not waited for."""
        gates = [pod(f"gate-{number}", ready=number < 2) for number in range(3)]
        space, api = space_with(*gates, pod("desk-0"))
        put_behind(api, "any-gate", *gates)
        api.answers = [(0, b"gate-0\n"), (0, b"gate-0\ngate-1\n"), (0, b"gate-1\n")]
        assert space.who_answers("any-gate", 8080, 1) == {"gate-1": 1}

    def test_a_pod_that_never_answers_is_missing_from_the_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The wait has an end, and hides nothing."""
        gates = [pod("gate-0"), pod("gate-1")]
        space, api = space_with(*gates)
        put_behind(api, "any-gate", *gates)
        monkeypatch.setattr(api, "run", lambda *_, **__: (0, b"gate-0\n"))
        monkeypatch.setattr("labsupport.cluster.kubernetes.space.TOLD_WITHIN_S", 0.05)
        assert space.who_answers("any-gate", 8080, 1) == {"gate-0": 1}

    def test_a_program_that_fails_says_so(self) -> None:
        """With its end."""
        space, api = space_with(pod("gate-0"))
        api.answers = [(0, b"hello"), (2, b"no such file")]
        assert space.run("gate-0", "cat", "/data/log") == "hello"
        with pytest.raises(LabError, match=r"cat /data/x ended with 2 in gate-0: no such file"):
            space.run("gate-0", "cat", "/data/x")


class TestWhatIsWanted:
    def test_a_manifest_is_declared_here_with_our_image(self) -> None:
        """By the name of its file; the namespace is this one, whatever the file says."""
        space, api = space_with()
        assert space.apply("gates.yaml") == ["Service gates", "Service any-gate", "StatefulSet gate"]
        method, path, body = api.requests[-1]
        assert (method, path) == ("PATCH", f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/gate")
        assert body["metadata"]["namespace"] == NAMESPACE
        assert body["spec"]["template"]["spec"]["containers"][0]["image"] == "lab/kafka:1"

    def test_a_deployment_has_its_place(self) -> None:
        """Beside its claim."""
        space, api = space_with()
        assert space.apply("desks.yaml") == ["PersistentVolumeClaim desk", "Deployment desk"]
        assert api.requests[-1][1] == f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/desk"

    def test_an_image_of_the_readers_own_stays(self) -> None:
        """Only those that our manifests name are replaced."""
        space, api = space_with()
        space.apply("kind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, image: busybox}]}\n")
        assert api.requests[-1][2]["spec"]["containers"][0]["image"] == "busybox"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("kind: ClusterRole\nmetadata: {name: x}\n", "kind 'ClusterRole' is not applied"),
            ("kind: Namespace\nmetadata: {name: x}\n", "kind 'Namespace' is not applied"),
            ("just words\nand more\n", "kind None"),
            ("kind: [\n", "no YAML"),
            ("kind: Service\nmetadata: {name: ../x}\n", "no name in Kubernetes"),
            ("kind: Service\nmetadata:\n", "no name in Kubernetes"),
            (
                "nothing.yaml",
                r"no manifest 'nothing.yaml'\. Name one of claim.yaml, desks.yaml, errands.yaml, gates.yaml",
            ),
        ],
    )
    def test_what_is_no_manifest_for_a_namespace_is_refused(self, text: str, said: str) -> None:
        """Before anything is declared."""
        space, api = space_with()
        with pytest.raises(BadInput, match=said):
            space.apply(text)
        assert not api.requests

    @pytest.mark.parametrize("replicas", [-1, 10, 1.5, "3", True, None])
    def test_a_number_of_pods_is_a_small_whole_number(self, replicas: Any) -> None:
        """A slip of the pen fills nobody's cluster."""
        space, api = space_with()
        with pytest.raises(BadInput, match="whole number from 0 to 9"):
            space.scale("StatefulSet", "gate", replicas)
        assert not api.requests

    def test_scaling_and_restarting_declare_and_do_nothing_else(self) -> None:
        """A number, and a template with a time in it."""
        space, api = space_with()
        api.objects = {"gate": {}, "desk": {}}
        space.scale("StatefulSet", "gate", 1)
        space.restart_rollout("desk", kind="Deployment")
        scaled, restarted = [request for request in api.requests if request[0] == "PATCH"]
        assert scaled[2] == {"spec": {"replicas": 1}} and scaled[1].endswith("statefulsets/gate")
        assert "restartedAt" in json.dumps(restarted[2]) and restarted[1].endswith("deployments/desk")

    def test_what_is_not_there_cannot_be_scaled(self) -> None:
        """Nor what has no replicas."""
        space, _ = space_with()
        with pytest.raises(BadInput, match="no StatefulSet 'gate' here"):
            space.scale("StatefulSet", "gate", 1)
        with pytest.raises(BadInput, match="'Service' has no replicas"):
            space.scale("Service", "gate", 1)

    def test_a_pod_is_deleted_gracefully_unless_forced(self) -> None:
        """Force is Kubernetes' grace period of 0."""
        space, api = space_with(pod("gate-0"))
        space.delete_pod("gate-0")
        space.delete_pod("gate-0", force=True)
        assert [request[2] for request in api.requests] == [{}, {"gracePeriodSeconds": 0}]


class TestWaiting:
    def test_exactly_so_many_are_waited_for(self) -> None:
        """One that ends is one too many; what is the matter is in the message."""
        space, api = space_with(pod("gate-0"), pod("gate-1"), pod("gate-2", ending=True))
        with pytest.raises(WaitTimeout, match=r"2 pods of gate to be ready.*(?s:.*)gate-2: ending"):
            space.wait_until_ready("gate", 2, timeout_s=0.1)
        api.pods.pop("uid-gate-2")
        assert [p.name for p in space.wait_until_ready("gate", 2, timeout_s=5)] == ["gate-0", "gate-1"]
        api.pods.clear()
        assert space.wait_until_ready("gate", 0, timeout_s=5) == ()

    def test_another_pod_is_one_with_another_uid(self) -> None:
        """The same pod, ready again, is not."""
        space, api = space_with(pod("gate-1"))
        gone = space.pod("gate-1")
        with pytest.raises(WaitTimeout):
            space.wait_for_another(gone, timeout_s=0.1)
        api.pods = {"new": pod("gate-1", "new", ready=False)}
        with pytest.raises(WaitTimeout):
            space.wait_for_another(gone, timeout_s=0.1)
        api.pods = {"new": pod("gate-1", "new")}
        assert space.wait_for_another(gone, timeout_s=5).uid == "new"

    def test_a_newcomer_is_ready_and_was_not_known(self) -> None:
        """One that only begins is none yet."""
        space, api = space_with(pod("gate-0"), pod("gate-1", ready=False))
        known = space.pod("gate-0")
        with pytest.raises(WaitTimeout, match="another pod of gate"):
            space.wait_for_newcomer("gate", known, timeout_s=0.1)
        api.pods["new"] = pod("gate-1", "new")
        assert space.wait_for_newcomer("gate", known, timeout_s=5).uid == "new"

    def test_a_pod_that_finds_no_node_is_not_one_that_waits_for_its_image(self) -> None:
        """The scheduler's word counts; and one that ends is no answer."""
        space, api = space_with(pod("gate-1", ready=False))
        with pytest.raises(WaitTimeout, match="gate-1 to find no node"):
            space.wait_until_stuck("gate-1", timeout_s=0.1)
        nowhere = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        api.pods["uid-gate-1"]["status"]["conditions"].append(nowhere)
        assert space.wait_until_stuck("gate-1", timeout_s=5).stuck
        with pytest.raises(WaitTimeout, match="gate-1 to be asked to end"):
            space.wait_until_ending("gate-1", timeout_s=0.1)
        api.pods = {"u": pod("gate-1", ending=True)}
        assert space.wait_until_ending("gate-1", timeout_s=5).ending

    def test_a_node_is_waited_for_in_either_way(self) -> None:
        """One that is not there is refused at once."""
        space, _ = space_with()
        assert not space.wait_for_node("worker", ready=False, timeout_s=5).ready
        with pytest.raises(WaitTimeout, match="worker to be ready"):
            space.wait_for_node("worker", ready=True, timeout_s=0.1)
        with pytest.raises(BadInput, match="no node 'nowhere'"):
            space.wait_for_node("nowhere", ready=True)

    @pytest.mark.parametrize(
        ("changed", "done"),
        [
            ({}, True),
            ({"observedGeneration": 1}, False),
            ({"updatedReplicas": 2}, False),
            ({"readyReplicas": 2}, False),
            ({"replicas": 4}, False),
            ({"currentRevision": "old"}, False),
        ],
    )
    def test_a_rollout_is_over_when_its_status_says_so_in_every_word(self, changed: dict[str, Any], done: bool) -> None:
        """An old status that knows nothing of the last order does not count."""
        counts = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3}
        status = {"observedGeneration": 2, "currentRevision": "new", "updateRevision": "new", **counts, **changed}
        assert rolled_out({"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": status}) is done


class TestTheSettingsOfANode:
    CONFIG = "node.id=2\nadvertised.listeners=CLIENT://h:1\n"

    def space(self) -> tuple[Space, FakeApi]:
        space, api = space_with()
        api.objects["ConfigMap/config"] = {"data": {"broker-2.properties": self.CONFIG, "cluster-id": "x"}}
        api.patch = lambda *args: api.requests.append(args)  # type: ignore[attr-defined]
        return space, api

    def test_are_read_and_one_is_replaced(self) -> None:
        """The others stay as they are; a second line of the same name would be ambiguous."""
        space, api = self.space()
        assert space.setting("broker-2", "advertised.listeners") == "CLIENT://h:1"
        assert space.setting("broker-2", "broker.rack") == ""
        space.configure("broker-2", "advertised.listeners", "CLIENT://x:2")
        kind, name, namespace, body = api.requests[-1]
        assert (kind, name, namespace) == ("ConfigMap", "config", NAMESPACE)
        assert body == {"data": {"broker-2.properties": "node.id=2\nadvertised.listeners=CLIENT://x:2\n"}}  # type: ignore[comparison-overlap]

    @pytest.mark.parametrize("value", ["a\nb", "a\r", None, 3, "a\x00"])
    def test_of_several_lines_are_refused(self, value: Any) -> None:
        """Whatever follows would be a setting of its own."""
        space, api = self.space()
        with pytest.raises(BadInput, match="Use one line of text"):
            space.configure("broker-2", "broker.rack", value)
        assert not api.requests

    def test_of_a_node_that_has_no_file_are_refused(self) -> None:
        """Those there are, are named."""
        space, _ = self.space()
        with pytest.raises(
            BadInput, match=r"no broker-9\.properties here\. There are: broker-2\.properties, cluster-id"
        ):
            space.configure("broker-9", "a", "b")


def test_a_claim_is_found_by_its_name_or_those_there_are_are_named() -> None:
    """As pods are."""
    space, api = space_with()
    raw = {"metadata": {"name": "data-gate-0"}, "spec": {}, "status": {"phase": "Pending"}}
    claims = {"PersistentVolumeClaim": [raw]}
    api.list = lambda kind, *_: claims.get(kind, [])  # type: ignore[method-assign, assignment]
    assert space.claim("data-gate-0").phase == "Pending"
    with pytest.raises(BadInput, match=r"no claim 'data-gate-1' here\. There are: data-gate-0\."):
        space.claim("data-gate-1")


def test_an_event_is_waited_for_by_its_reason() -> None:
    """Another reason, or another name, is none."""
    space, api = space_with()
    event = {"involvedObject": {"kind": "Pod", "name": "gate-0"}, "lastTimestamp": "2026-01-01T00:00:00Z"}
    told = [{**event, "reason": reason, "metadata": {}} for reason in ("Scheduled", "Killing")]
    api.list = lambda kind, *_: told if kind == "Event" else []  # type: ignore[method-assign, assignment]
    assert space.wait_for_event("gate-0", "Killing", timeout_s=5).reason == "Killing"
    for about, reason in (("gate-0", "Started"), ("gate-1", "Killing")):
        with pytest.raises(WaitTimeout, match=f"Kubernetes to say {reason} of {about}"):
            space.wait_for_event(about, reason, timeout_s=0.1)


class TestWatching:
    def test_tells_what_happened_in_the_block_and_nothing_from_before(self) -> None:
        """In the order of the API; at the end of the block nothing is missing."""
        space, api = space_with(pod("gate-0"))
        with space.watching() as seen:
            api.tell("MODIFIED", pod("gate-0", ending=True))
            api.tell("DELETED", pod("gate-0", ending=True))
            api.tell("ADDED", pod("gate-0", "new", ready=False))
            api.tell("MODIFIED", pod("gate-0", "new"))
        assert seen.steps.lines() == ["gate-0 ending", "gate-0 gone", "gate-0 created", "gate-0 ready"]
        assert [p.name for p in seen.steps.began] == ["gate-0"] and seen.steps.fewest_ready == 0
        with space.watching() as later:
            pass
        assert repr(later) == "nothing happened"
        space.close()

    def test_a_watch_that_broke_goes_on_where_it_was_or_from_a_new_look(self) -> None:
        """410: the API has forgotten what came after our last word, so the pods are looked at anew."""
        space, api = space_with(pod("gate-0"))
        with space.watching() as seen:
            api.pods["uid-gate-1"] = pod("gate-1")
            api.told.put(ApiError("too old", status=410))
        assert seen.steps.lines() == ["gate-1 created", "gate-1 ready"]
        space.close()


@pytest.mark.parametrize("file", sorted(BY_HAND.glob("*.yaml")), ids=lambda path: path.name)
def test_the_small_pods_are_as_careful_as_the_brokers(file: Path) -> None:
    """No token, no root, nothing to write to but volumes, requests and limits; the image of our clusters."""
    import yaml  # type: ignore[import-untyped]

    items = list(yaml.safe_load_all(file.read_text()))
    templates = [item["spec"]["template"]["spec"] for item in items if "template" in item["spec"]]
    assert templates or {item["kind"] for item in items} == {"PersistentVolumeClaim"}
    for template in templates:
        assert template["automountServiceAccountToken"] is False and template["securityContext"]["runAsNonRoot"]
        for container in template["containers"]:
            assert container["image"].startswith("apache/kafka:") and container["resources"]["limits"]
            assert container["securityContext"]["readOnlyRootFilesystem"] and container["readinessProbe"]


def test_a_cluster_that_runs_elsewhere_has_no_kubernetes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused in one sentence, before anything is imported."""
    from labsupport.cluster.cluster import Cluster
    from labsupport.cluster.spec import build_spec

    cluster = object.__new__(Cluster)
    cluster.spec = build_spec(name="here", backend="local")
    with pytest.raises(BadInput, match="here does not run on Kubernetes"):
        _ = cluster.kubernetes


def test_without_a_kubeconfig_a_space_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The reader is told what to do."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(LabError, match="no kubeconfig, so no Kubernetes can be reached"):
        Space.create()


@pytest.mark.parametrize("name", ["", "Airport", "a b", "9x", 3, None])
def test_a_spaces_name_is_that_of_a_cluster(name: Any) -> None:
    """Refused before Kubernetes is asked."""
    with pytest.raises(BadInput, match="no name for a space"):
        Space.create(name)
