"""A broker that is taken off its network is put back on every exit, and by the fault that took it off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from labsupport import faults
from labsupport.cluster.broker import Capability, State
from labsupport.core.errors import BadInput
from labsupport.core.journal import NullJournal


@dataclass
class FakeBroker:
    """On its network, or not."""

    node_id: int = 1
    state: State = "running"
    connected: bool = True
    supports: frozenset[Capability] = frozenset({Capability.NETWORK})
    journal: NullJournal = field(default_factory=NullJournal)

    @property
    def name(self) -> str:
        return f"broker-{self.node_id}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.node_id}"

    def disconnect(self) -> None:
        self.connected = False

    def reconnect(self) -> None:
        self.connected = True


@pytest.fixture
def broker() -> Any:
    return FakeBroker()


def test_it_is_off_within_the_block_and_on_after_it_whatever_happens(broker: Any) -> None:
    with pytest.raises(KeyboardInterrupt), faults.disconnected(broker) as fault:
        assert not broker.connected and fault.nodes == ("broker-1",)
        raise KeyboardInterrupt
    assert broker.connected


def test_an_inner_fault_leaves_what_the_outer_one_broke(broker: Any) -> None:
    with faults.disconnected(broker):
        with faults.disconnected(broker) as inner:
            assert inner.nodes == ()
        assert not broker.connected
    assert broker.connected


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"supports": frozenset()}, "cannot be taken off its network"), ({"state": "stopped"}, "is not running")],
)
def test_what_cannot_be_disconnected_is_refused_before_anything_is(
    broker: Any, wrong: dict[str, Any], words: str
) -> None:
    other = FakeBroker(node_id=2, **wrong)
    with pytest.raises(BadInput, match=words), faults.disconnected(broker, other):
        pass
    assert broker.connected
