"""Claims and events as tables: judged facts in the text, names of one machine in the HTML, nothing obeyed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labsupport.cluster.kubernetes.space_facts import Claim, Event, Pod, StorageClass
from labsupport.views import show
from labsupport.views.volumes import events_display, volumes_display
from tests.unit.views.fakes import HOSTILE

CLAIM = Claim(
    name="data-gate-0",
    phase="Bound",
    size="16Mi",
    storage_class="standard",
    volume="pvc-7a3f8c21-0000-4000-8000-000000000000",
    pinned_to=("worker2",),
)
POD = Pod(name="gate-0", uid="u", node="worker2", claims=("data-gate-0",), ready=True)
CLASSES = [
    StorageClass(name="fast", provisioner="example.com/fast"),
    StorageClass(name="standard", provisioner="rancher.io/local-path", waits=True, default=True),
]
EVENT = Event(kind="Pod", name="broker-2", reason="FailedScheduling", message="0/4 nodes are available", source="s")


@pytest.mark.parametrize(
    ("claim", "pod", "said"),
    [
        (CLAIM, POD, "bound to a volume on one node, that of gate-0"),
        (CLAIM, None, "bound to a volume on one node, and its pod is not there"),
        (CLAIM, replace(POD, node="worker"), "bound to a volume on one node, and its pod is not there"),
        (replace(CLAIM, pinned_to=("worker", "worker2")), POD, "bound to a volume on 2 nodes, that of gate-0"),
        (replace(CLAIM, pinned_to=()), POD, "bound to a volume that may be used on any node"),
        (replace(CLAIM, phase="Pending", volume="", pinned_to=()), None, "pending, no volume"),
        (Claim(name="data-gate-0"), POD, "unknown, no volume"),
    ],
)
def test_the_text_says_how_far_a_volume_reaches_and_no_name_of_a_node(claim: Claim, pod: Pod | None, said: str) -> None:
    """The same on every machine."""
    assert repr(volumes_display([claim], CLASSES, [pod] if pod else [])) == f"data-gate-0: {said}"


def test_the_table_has_the_chain_from_claim_to_pod() -> None:
    """And who makes volumes of this class; of others nothing is said."""
    html = volumes_display([CLAIM], CLASSES, [POD]).html
    for word in ("standard", "pvc-7", "worker2", "gate-0", "rancher.io/local-path, when a pod wants one"):
        assert word in html
    assert "example.com/fast" not in html and "1 of 1 claims have a volume" in html


@pytest.mark.parametrize(("node", "said"), [("worker2", ""), ("", ", on no node yet"), ("worker9", ", on worker9")])
def test_a_pod_that_is_not_where_its_volume_is_is_told_so(node: str, said: str) -> None:
    """It waits, or something is very wrong."""
    html = volumes_display([CLAIM], CLASSES, [replace(POD, node=node)]).html
    assert f">gate-0{said}<" in html


def test_a_namespace_without_claims_is_told_so() -> None:
    """In two words."""
    assert repr(volumes_display([], CLASSES, [])) == "no claims"


def test_an_event_that_is_told_again_and_again_is_shown_once() -> None:
    """With its sentence and who says so in the table alone."""
    shown = events_display([EVENT, replace(EVENT, count=7), replace(EVENT, reason="Killing", message="m")])
    assert repr(shown) == "broker-2: FailedScheduling\nbroker-2: Killing"
    assert shown.html.count("0/4 nodes are available") == 1
    assert repr(events_display([])) == "nothing was written down"


def test_words_are_never_obeyed() -> None:
    """All of them come from the API."""
    claim = Claim(name=HOSTILE, phase=HOSTILE, storage_class=HOSTILE, volume=HOSTILE, pinned_to=(HOSTILE,))
    pod = Pod(name=HOSTILE, uid=HOSTILE, node=HOSTILE, claims=(HOSTILE,))
    shown = volumes_display([claim], [StorageClass(name=HOSTILE, provisioner=HOSTILE)], [pod])
    told = events_display([Event(kind=HOSTILE, name=HOSTILE, reason=HOSTILE, message=HOSTILE, source=HOSTILE)])
    for each in (shown, told):
        assert "<img" not in each.html and "\x1b" not in each.html + repr(each)


class OneSpace:
    """As much of a namespace as pictures ask for."""

    def pods(self, owner: str = "") -> tuple[Pod, ...]:
        found = (
            replace(POD, owner=("StatefulSet", "gate")),
            replace(POD, name="errand-1", owner=("Deployment", "errand")),
        )
        return tuple(pod for pod in found if owner in ("", pod.owner[1]))

    def nodes(self) -> tuple[()]:
        return ()

    def claims(self) -> tuple[Claim, ...]:
        return (CLAIM, replace(CLAIM, name="old", phase="Lost"))

    def storage_classes(self) -> list[StorageClass]:
        return CLASSES

    def events(self, about: str = "") -> tuple[Event, ...]:
        return tuple(e for e in (EVENT, replace(EVENT, name="x", reason="Killing")) if about in ("", e.name))


SPACE: Any = OneSpace()


def test_a_page_names_whose_pods_and_claims_it_wants() -> None:
    """None: all of the namespace."""
    assert [pod.name for pod in show.pods(SPACE).value] == ["gate-0", "errand-1"]
    assert [pod.name for pod in show.pods(SPACE, "gate", "nobody").value] == ["gate-0"]
    assert len(show.pods(SPACE, "gate", "errand").value) == 2
    assert [claim.name for claim in show.volumes(SPACE, "gate").value] == ["data-gate-0"]
    assert repr(show.volumes(SPACE)).endswith("old: lost, no volume")


def test_a_page_names_about_whom_and_why() -> None:
    """Either, both, or neither."""
    assert repr(show.events(SPACE, reason="Killing")) == "x: Killing"
    assert repr(show.events(SPACE, "broker-2", "Killing")) == "nothing was written down"
    assert len(show.events(SPACE).value) == 2
