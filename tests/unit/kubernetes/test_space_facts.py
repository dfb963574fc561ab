"""What the API says of pods becomes facts, and what it says one after the other becomes steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labsupport.cluster.kubernetes.space_facts import (
    Pod,
    Step,
    Steps,
    by_number,
    claim_of,
    event_of,
    node_of,
    pod_of,
    steps_to,
    storage_class_of,
)

RAW: dict[str, Any] = {
    "metadata": {
        "name": "gate-1",
        "uid": "u1",
        "labels": {"app": "gate"},
        "ownerReferences": [{"kind": "StatefulSet", "name": "gate"}],
    },
    "spec": {
        "nodeName": "worker",
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-gate-1"}}, {"name": "tmp"}],
    },
    "status": {
        "phase": "Running",
        "podIP": "10.244.1.7",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"restartCount": 2, "state": {"running": {}}}],
    },
}
POD = Pod(name="gate-1", uid="u1", owner=("StatefulSet", "gate"))


class TestPod:
    def test_has_the_facts_of_the_api(self) -> None:
        """Name, address, node and its zone, claims, restarts, owner."""
        pod = pod_of(RAW, {"worker": "zone-b"})
        assert (pod.name, pod.uid, pod.ip, pod.node, pod.zone) == ("gate-1", "u1", "10.244.1.7", "worker", "zone-b")
        assert pod.ready and not pod.ending and pod.restarts == 2
        assert pod.claims == ("data-gate-1",) and pod.owner == ("StatefulSet", "gate")

    def test_that_was_just_made_has_hardly_any(self) -> None:
        """No node, no address, no status."""
        pod = pod_of({"metadata": {"name": "x", "uid": "u"}}, {})
        assert (pod.ip, pod.node, pod.ready, pod.owner) == ("", "", False, ("", ""))

    def test_of_a_deployment_belongs_to_it_and_not_to_its_replica_set(self) -> None:
        """A ReplicaSet bears the mark of the template behind the Deployment's name."""
        meta = {
            "name": "desk-6d4f-abc",
            "uid": "u",
            "labels": {"pod-template-hash": "6d4f"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "desk-6d4f"}],
        }
        assert pod_of({"metadata": meta}, {}).owner == ("Deployment", "desk")
        alone = {**meta, "ownerReferences": [{"kind": "ReplicaSet", "name": "mine"}]}
        assert pod_of({"metadata": alone}, {}).owner == ("ReplicaSet", "mine")

    def test_says_why_it_waits(self) -> None:
        """A container's reason, or the scheduler's."""
        waiting = {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}
        nowhere = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}
        for status, reason in ((waiting, "ImagePullBackOff"), (nowhere, "Unschedulable")):
            assert pod_of({"metadata": RAW["metadata"], "status": status}, {}).reason == reason

    def test_shows_its_name_and_state_alone(self) -> None:
        """What a page compares holds no address."""
        assert repr(pod_of(RAW, {})) == "<gate-1: ready>"


class TestSteps:
    def test_a_life_from_beginning_to_end(self) -> None:
        """Created, ready, ending, gone; what is known already is no news, and readiness of one that ends is none."""
        known: dict[str, Pod] = {}
        told = []
        ready = replace(POD, ready=True)
        ending = replace(ready, ending=True)
        for what, pod in (
            ("ADDED", POD),
            ("MODIFIED", POD),
            ("MODIFIED", ready),
            ("MODIFIED", ready),
            ("MODIFIED", ending),
            ("MODIFIED", replace(ending, ready=False)),
            ("DELETED", ending),
            ("DELETED", ending),
        ):
            told += [str(step) for step in steps_to(known, what, pod)]
        assert told == ["gate-1 created", "gate-1 ready", "gate-1 ending", "gate-1 gone"]
        assert known == {}

    def test_a_pod_that_takes_anothers_place_is_another(self) -> None:
        """By uid, not by name."""
        known = {POD.uid: replace(POD, ready=True)}
        assert [str(step) for step in steps_to(known, "ADDED", replace(POD, uid="u2"))] == ["gate-1 created"]

    def test_who_loses_readiness_is_told_of_but_not_listed(self) -> None:
        """It counts, and a page that lists steps does not depend on it."""
        known = {POD.uid: replace(POD, ready=True)}
        steps = Steps((replace(POD, ready=True),), tuple(steps_to(known, "MODIFIED", POD)))
        assert steps.fewest_ready == 0 and steps.lines() == []

    def test_counts_who_was_there_and_who_was_ready(self) -> None:
        """A rollout that makes a pod more, and one that makes one less."""
        old = [replace(POD, name=f"p{n}", uid=f"u{n}", ready=True) for n in range(2)]
        new = [replace(pod, uid=f"new-{pod.uid}") for pod in old]
        surge = Steps(tuple(old), (Step(new[0], "created"), Step(new[0], "ready"), Step(old[0], "ending")))
        assert (surge.most_at_once, surge.fewest_ready) == (3, 2)
        order = (Step(old[1], "ending"), Step(old[1], "gone"), Step(new[1], "created"), Step(new[1], "ready"))
        in_place = Steps(tuple(old), order)
        assert (in_place.most_at_once, in_place.fewest_ready, in_place.most_away) == (2, 1, 1)
        both = Steps(tuple(old), (Step(old[1], "ending"), Step(old[0], "ending"), Step(new[1], "ready")))
        assert both.most_away == 2
        assert in_place.order("ending") == ["p1"] and list(in_place) == in_place.lines()

    def test_can_be_asked_for_one_owner(self) -> None:
        """Others in the namespace do not disturb."""
        other = replace(POD, name="desk-1", uid="d", owner=("Deployment", "desk"))
        steps = Steps((POD, other), (Step(other, "ready"), Step(POD, "ready")))
        assert steps.of("gate").lines() == ["gate-1 ready"] and len(steps.of("gate").began) == 1
        assert repr(Steps(())) == "nothing happened"


def test_a_node_says_its_zone_and_whether_it_takes_pods() -> None:
    """Cordoned is not the same as not ready."""
    raw = {
        "metadata": {"name": "worker", "labels": {"topology.kubernetes.io/zone": "zone-a"}},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    node = node_of(raw)
    assert (node.zone, node.ready, node.schedulable) == ("zone-a", True, False)


def test_a_claim_says_to_which_node_its_volume_is_pinned() -> None:
    """A local volume's affinity; one that may be used anywhere has none, one that is not there yet neither."""
    raw = {
        "metadata": {"name": "data-gate-1"},
        "spec": {"volumeName": "pv-1", "storageClassName": "standard"},
        "status": {"phase": "Bound", "capacity": {"storage": "16Mi"}},
    }
    rule = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["worker"]}
    zone = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["zone-a"]}
    terms = [{"matchExpressions": [zone, rule]}]
    volume = {"spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}}
    claim = claim_of(raw, volume)
    assert (claim.phase, claim.size, claim.storage_class, claim.pinned_to) == ("Bound", "16Mi", "standard", ("worker",))
    assert claim_of(raw, {"spec": {}}).pinned_to == () and claim_of(raw, None).pinned_to == ()
    waiting = claim_of({"metadata": {"name": "x"}, "spec": {}, "status": {"phase": "Pending"}}, None)
    assert (waiting.phase, waiting.volume) == ("Pending", "") and repr(waiting) == "<x: Pending>"


def test_an_event_says_about_whom_and_why() -> None:
    """Its sentence may hold addresses, so it does not show itself with it."""
    raw = {"involvedObject": {"kind": "Pod", "name": "gate-1"}, "reason": "Killing", "message": "10.0.0.1", "count": 2}
    event = event_of(raw)
    assert (event.name, event.reason, event.count) == ("gate-1", "Killing", 2) and "10.0.0.1" not in repr(event)


def test_names_are_sorted_by_their_numbers() -> None:
    """gate-10 stands behind gate-9."""
    assert sorted(["gate-10", "gate-9", "desk"], key=by_number) == ["desk", "gate-9", "gate-10"]


def test_an_event_names_the_part_of_kubernetes_that_says_so() -> None:
    """In the field of old, or in the newer one."""
    about = {"involvedObject": {"kind": "Pod", "name": "gate-0"}, "reason": "NodeNotReady", "message": "m"}
    assert event_of({**about, "source": {"component": "node-controller"}}).source == "node-controller"
    assert event_of({**about, "source": {}, "reportingComponent": "default-scheduler"}).source == "default-scheduler"
    assert event_of(about).source == ""


def test_a_storage_class_says_whether_it_waits_and_whether_it_is_the_default() -> None:
    """As the API has it; a bare one does neither."""
    notes = {"storageclass.kubernetes.io/is-default-class": "true"}
    raw = {"metadata": {"name": "standard", "annotations": notes}, "provisioner": "rancher.io/local-path"}
    found = storage_class_of({**raw, "volumeBindingMode": "WaitForFirstConsumer"})
    assert (found.name, found.provisioner, found.waits, found.default) == (
        "standard",
        "rancher.io/local-path",
        True,
        True,
    )
    bare = storage_class_of({"metadata": {"name": "fast"}, "volumeBindingMode": "Immediate"})
    assert not bare.waits and not bare.default
