"""Pods as a picture: judged facts in the text, everything of one machine in the HTML, nothing obeyed."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from labsupport.cluster.kubernetes.space_facts import Node, Pod
from labsupport.views.pods import nodes_svg, plain, pods_display
from tests.unit.views.fakes import HOSTILE

NODES = [Node(name="worker", zone="zone-a"), Node(name="worker2", zone="zone-b")]
GATES = [
    Pod(
        name=f"gate-{n}",
        uid=f"uid-{n}-before",
        ip=f"10.244.1.{n + 2}",
        node=NODES[n % 2].name,
        zone=NODES[n % 2].zone,
        phase="Running",
        ready=True,
        claims=(f"data-gate-{n}",),
        owner=("StatefulSet", "gate"),
    )
    for n in range(3)
]
DESKS = [
    replace(pod, name=f"desk-6d4-{n}", claims=("desk",), owner=("Deployment", "desk")) for n, pod in enumerate(GATES)
]


def test_the_text_names_what_was_declared_and_no_address() -> None:
    """A StatefulSet's names are the same everywhere; a Deployment's are not, so they are counted."""
    assert plain([*GATES, *DESKS]) == (
        "StatefulSet gate: gate-0, gate-1, gate-2 ready; a volume each\n"
        "Deployment desk: 3 pods ready; one volume for all"
    )


def test_what_is_not_ready_is_counted_apart() -> None:
    """Ending is not ready, whatever its probe says."""
    pods = [GATES[0], replace(GATES[1], ending=True), replace(GATES[2], ready=False)]
    assert plain(pods) == "StatefulSet gate: gate-0 ready, 2 not ready; a volume each"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"uid": "new", "ip": "10.244.9.9"}, "gate-1: the same name, the same volume, another address; another pod"),
        ({"uid": "new"}, "gate-1: the same name, the same volume, the same address; another pod"),
        ({"uid": "new", "claims": ("x",)}, "gate-1: the same name, another volume, the same address; another pod"),
    ],
)
def test_a_pod_that_took_anothers_place_is_compared_with_it(changed: dict[str, object], said: str) -> None:
    """Only the one that was replaced has a line."""
    now = [GATES[0], replace(GATES[1], **changed), GATES[2]]  # type: ignore[arg-type]
    assert plain(now, GATES).splitlines()[1:] == [said]


def test_a_deployments_new_pods_are_no_successors() -> None:
    """None has a name of before."""
    now = [replace(pod, name=f"desk-8f-{n}", uid="x") for n, pod in enumerate(DESKS)]
    assert plain(now, DESKS).splitlines()[1:] == ["desk: 0 of 3 names are there still"]


def test_the_picture_has_a_box_a_node_and_a_pod() -> None:
    """In words for whoever does not see it, too; addresses are in the HTML alone."""
    svg = ET.fromstring(nodes_svg(GATES, NODES))
    assert [g.get("data-node") for g in svg if g.get("data-node")] == ["worker", "worker2"]
    assert sorted(g.get("data-pod", "") for g in svg.iter() if g.get("data-pod")) == ["gate-0", "gate-1", "gate-2"]
    assert "worker: gate-0 (ready), gate-2 (ready)" in svg.get("aria-label", "")
    assert "10.244.1.2" in pods_display(GATES, NODES).html


def test_a_pod_without_a_node_is_drawn_and_its_reason_said() -> None:
    """A pod that waits has no node yet."""
    waiting = replace(GATES[0], node="", zone="", ip="", ready=False, phase="Pending", reason="Unschedulable")
    assert "no node yet" in nodes_svg([waiting], NODES) and "Unschedulable" in nodes_svg([waiting], NODES)


def test_no_pods_are_no_error() -> None:
    """An empty namespace has a picture, too."""
    display = pods_display([], NODES)
    assert repr(display) == "no pods" and "0 pods" in display.html


def test_text_from_the_api_is_never_obeyed() -> None:
    """Names, nodes and reasons are escaped in picture, table and text."""
    bad = Pod(name=HOSTILE, uid=HOSTILE, ip=HOSTILE, node=HOSTILE, zone=HOSTILE, reason=HOSTILE, claims=(HOSTILE,))
    display = pods_display([bad, replace(bad, owner=("StatefulSet", HOSTILE), ready=True)], [], [bad])
    assert "<img" not in display.html and "\x1b" not in display.html + repr(display)


def test_a_long_name_ends_within_its_box() -> None:
    """Its middle is left out: bold letters are wide in some fonts."""
    long = replace(GATES[0], name="errand-7854df4465-clpwh", claims=())
    others = [replace(GATES[1], node=f"worker{n}") for n in (2, 3)]
    drawn = str(nodes_svg([long, *others], NODES))
    assert "errand-7854df4465-clpwh</text>" not in drawn and "clpwh</text>" in drawn
