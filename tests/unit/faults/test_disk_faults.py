"""A fault on a disk is undone on every exit: the space, the folder, the broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from labsupport import faults
from labsupport.cluster.broker import State
from labsupport.core.errors import BadInput
from labsupport.core.journal import NullJournal


@dataclass
class FakeBroker:
    """Its own disk: remembers what was done to either, in order; `trouble` is raised by the next deed on the disk."""

    state: State = "running"
    done: list[str] = field(default_factory=list)
    trouble: list[BaseException] = field(default_factory=list)
    node_id: int = 1
    name: str = "broker-1"
    address: str = "127.0.0.1:1"
    refuses: bool = False
    journal: NullJournal = field(default_factory=NullJournal)

    @property
    def disk(self) -> Any:
        return self

    def _do(self, what: str, state: State | None = None) -> None:
        self.done.append(what)
        if state is not None:
            self.state = state
        elif self.trouble:
            raise self.trouble.pop(0)

    def start(self) -> None:
        self._do("start", "running")

    def stop(self) -> None:
        self._do("stop", "stopped")

    def kill(self) -> None:
        self._do("kill", "stopped")

    def pause(self) -> None:
        self._do("pause", "paused")

    def check_fill(self, log_dir: int) -> None:
        self._check()

    def check_take_away(self, log_dir: int) -> None:
        self._check()

    def check_tear(self, topic: str, partition: int) -> None:
        self._check()

    def _check(self) -> None:
        if self.refuses:
            raise BadInput("No such folder.")

    def fill(self, log_dir: int) -> None:
        self._do(f"fill {log_dir}")

    def free(self, log_dir: int) -> None:
        self._do(f"free {log_dir}")

    def take_away(self, log_dir: int) -> None:
        self._do(f"take away {log_dir}")

    def bring_back(self, log_dir: int) -> None:
        self._do(f"bring back {log_dir}")

    def tear(self, topic: str, partition: int, *, zeros: bool) -> None:
        self._do(f"tear {topic}-{partition}{' with zeros' if zeros else ''}")


def full(broker: Any) -> Any:
    return faults.disk_full(broker, log_dir=1)


def lost(broker: Any) -> Any:
    return faults.log_dir_lost(broker, 1)


def torn(broker: Any) -> Any:
    return faults.tail_torn(broker, "t", 2)


BEGUN = {full: ["fill 1"], lost: ["take away 1"], torn: ["kill", "tear t-2"]}
MENDED = {full: ["free 1", "stop", "start"], lost: ["bring back 1", "stop", "start"], torn: ["start"]}
WORDS = {full: "broker-1 disk full", lost: "broker-1 log dir lost", torn: "broker-1 tail torn"}
Break = Callable[[Any], Any]
each = pytest.mark.parametrize("break_", BEGUN)


@each
def test_the_disk_is_broken_within_the_block_and_mended_after_it(break_: Break) -> None:
    broker = FakeBroker()
    with break_(broker) as fault:
        assert broker.done == BEGUN[break_]
        assert repr(fault) == WORDS[break_]
    assert broker.done == BEGUN[break_] + MENDED[break_]
    assert broker.state == "running"


@each
@pytest.mark.parametrize("error", [ValueError("in the cell"), KeyboardInterrupt(), SystemExit(1)])
def test_whatever_ends_the_block_it_is_mended(break_: Break, error: BaseException) -> None:
    broker = FakeBroker()
    with pytest.raises(type(error)) as caught, break_(broker):
        raise error
    assert caught.value is error
    assert broker.done == BEGUN[break_] + MENDED[break_]


@each
def test_a_disk_that_cannot_be_broken_is_refused_before_anything_is_done(break_: Break) -> None:
    """A broker is not restarted for a fault that never was."""
    broker = FakeBroker(refuses=True)
    with pytest.raises(BadInput, match="No such folder"), break_(broker):
        pytest.fail("the block was entered")
    assert broker.done == []


@each
def test_what_is_half_broken_is_mended(break_: Break) -> None:
    broker = FakeBroker(trouble=[OSError("Input/output error")])
    with pytest.raises(OSError, match="Input/output error"), break_(broker):
        pytest.fail("the block was entered")
    assert broker.done == BEGUN[break_] + MENDED[break_]


@each
def test_an_interruption_while_mending_mends_it_all_the_same(break_: Break) -> None:
    broker = FakeBroker()
    with pytest.raises(KeyboardInterrupt), break_(broker):
        if break_ is torn:
            raise KeyboardInterrupt
        broker.trouble = [KeyboardInterrupt()]
    assert broker.state == "running"
    assert broker.done[-len(MENDED[break_]) :] == MENDED[break_]


@pytest.mark.parametrize("break_", [full, lost])
def test_a_broker_that_was_stopped_stays_stopped(break_: Break) -> None:
    """A disk may be full before its broker starts."""
    broker = FakeBroker(state="stopped")
    with break_(broker):
        assert broker.done == BEGUN[break_]
    assert broker.state == "stopped"


def test_a_stopped_brokers_tail_is_left_alone() -> None:
    broker = FakeBroker(state="stopped")
    with pytest.raises(BadInput, match="is stopped"), torn(broker):
        pytest.fail("the block was entered")
    assert broker.done == []


def test_a_tail_may_end_in_zeros() -> None:
    broker = FakeBroker()
    with faults.tail_torn(broker, "t", zeros=True):
        assert broker.done == ["kill", "tear t-0 with zeros"]


@each
def test_what_is_no_broker_is_refused_at_once(break_: Break) -> None:
    with pytest.raises(BadInput, match="is no broker"):
        break_("broker-1")
