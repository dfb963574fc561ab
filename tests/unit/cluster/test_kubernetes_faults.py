"""Faults of pods are refused, before anything is done, where brokers are no pods or do not run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from labsupport import faults
from labsupport.cluster.broker import Capability, State
from labsupport.core.errors import BadInput
from labsupport.core.journal import NullJournal

ALL = [
    faults.image_unpullable,
    faults.isolated,
    faults.node_cordoned,
    faults.node_drained,
    faults.node_frozen,
    faults.node_gone,
    faults.pod_deleted,
    faults.quota_exhausted,
    faults.volume_lost,
]


@dataclass
class Elsewhere:
    """A broker; whatever a fault would do to it fails, since it has no pod."""

    supports: frozenset[Capability]
    state: State = "running"
    node_id: int = 1
    name: str = "broker-1"
    address: str = "127.0.0.1:1"
    journal: NullJournal = field(default_factory=NullJournal)


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.__name__)
def test_a_broker_that_is_no_pod_is_refused(fault: Callable[..., Any]) -> None:
    broker = Elsewhere(frozenset(Capability) - {Capability.PODS})
    with pytest.raises(BadInput, match=r"broker-1 is no pod.*backend='kubernetes'"), fault(broker):
        pytest.fail("the block must not begin")


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.__name__)
def test_a_broker_that_does_not_run_is_refused(fault: Callable[..., Any]) -> None:
    broker = Elsewhere(frozenset(Capability), state="stopped")
    with pytest.raises(BadInput, match="broker-1 is not running"), fault(broker):
        pytest.fail("the block must not begin")


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.__name__)
def test_nobody_is_refused_with_an_example(fault: Callable[..., Any]) -> None:
    with pytest.raises(BadInput, match="was given no broker"):
        fault()


def test_arguments_that_cannot_be_meant_are_refused() -> None:
    broker = Elsewhere(frozenset(Capability))
    with pytest.raises(BadInput):
        faults.pod_deleted(broker, force=1)  # type: ignore[arg-type]
    for timeout_s in (0, -1, True, float("nan"), "soon"):
        with pytest.raises(BadInput):
            faults.node_drained(broker, timeout_s=timeout_s)  # type: ignore[arg-type]


def test_only_pods_offer_it() -> None:
    from labsupport.cluster.backend import backend_class

    assert Capability.PODS in backend_class("kubernetes").node_class.can
    assert Capability.PODS not in backend_class("docker").node_class.can
    assert Capability.PODS not in backend_class("local").node_class.can
