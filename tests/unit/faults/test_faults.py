"""A fault heals exactly what it broke, on every exit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from labsupport import faults
from labsupport.cluster.broker import Capability, State
from labsupport.core.errors import BadInput, LabError, NotRunning
from labsupport.core.journal import NullJournal

ALL = [faults.killed, faults.stopped, faults.paused]
BROKEN = {faults.killed: "stopped", faults.stopped: "stopped", faults.paused: "paused"}


class Journal(NullJournal):
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, float | None, dict[str, object]]] = []

    def event(self, what: str, *, t_s: float | None = None, **fields: object) -> None:
        self.events.append((what, t_s, fields))


@dataclass
class FakeBroker:
    """Remembers what was done to it; `trouble` names calls that raise, once each."""

    node_id: int
    journal: Journal
    state: State = "running"
    done: list[str] = field(default_factory=list)
    trouble: dict[str, list[BaseException]] = field(default_factory=dict)
    supports: frozenset[Capability] = frozenset(Capability)

    @property
    def name(self) -> str:
        return f"broker-{self.node_id}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.node_id}"

    def _do(self, what: str, state: State) -> None:
        self.done.append(what)
        if self.trouble.get(what):
            raise self.trouble[what].pop(0)
        self.state = state

    def start(self) -> None:
        if self.state == "stopped":
            self._do("start", "running")

    def stop(self) -> None:
        self._do("stop", "stopped")

    def kill(self) -> None:
        self._do("kill", "stopped")

    def pause(self) -> None:
        self._do("pause", "paused")

    def resume(self) -> None:
        if self.state == "stopped":
            raise BadInput("not running")
        self._do("resume", "running")


@dataclass
class FakeCluster:
    """Knows roles, which a test may change."""

    leading: Any = None
    following: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def leader(self, topic: str, partition: int = 0) -> Any:
        self.asked.append((topic, partition))
        return self.leading

    def followers(self, topic: str, partition: int = 0) -> list[Any]:
        return self.following

    def controller(self) -> Any:
        return self.leading

    def topics(self) -> list[str]:
        return self.names


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def brokers(journal: Journal) -> list[Any]:
    return [FakeBroker(node_id, journal) for node_id in (1, 2, 3)]


Break = Callable[..., Any]


@pytest.mark.parametrize("break_", ALL)
def test_a_broker_is_broken_within_the_block_and_well_after_it(break_: Break, brokers: list[Any]) -> None:
    """And only that one."""
    with break_(brokers[1]) as fault:
        assert [broker.state for broker in brokers] == ["running", BROKEN[break_], "running"]
        assert (fault.nodes, fault.node_ids, fault.healed_s) == (("broker-2",), (2,), None)
    assert [broker.state for broker in brokers] == ["running"] * 3
    assert fault.began_s <= fault.healed_s


@pytest.mark.parametrize("break_", ALL)
@pytest.mark.parametrize("error", [ValueError("in the cell"), KeyboardInterrupt(), SystemExit(1)])
def test_whatever_ends_the_block_the_brokers_are_mended(
    break_: Break, error: BaseException, brokers: list[Any]
) -> None:
    """The error goes on as it was."""
    with pytest.raises(type(error)) as caught, break_(*brokers):
        raise error
    assert caught.value is error
    assert [broker.state for broker in brokers] == ["running"] * 3


@pytest.mark.parametrize("break_", ALL)
def test_what_was_found_broken_is_left_broken(break_: Break, brokers: list[Any], journal: Journal) -> None:
    """The reader stopped it, so the reader starts it."""
    brokers[0].state = BROKEN[break_]
    with break_(*brokers[:2]) as fault:
        assert fault.nodes == ("broker-2",)
    assert [broker.state for broker in brokers] == [BROKEN[break_], "running", "running"]
    assert brokers[0].done == []
    assert [fields["nodes"] for _, _, fields in journal.events] == [["broker-2"], ["broker-2"]]


@pytest.mark.parametrize("break_", ALL)
def test_when_the_second_cannot_be_broken_the_first_is_mended(break_: Break, brokers: list[Any]) -> None:
    """The block is not entered."""
    way = {faults.killed: "kill", faults.stopped: "stop", faults.paused: "pause"}[break_]
    brokers[1].trouble[way] = [LabError("No.")]
    with pytest.raises(LabError, match="No"), break_(*brokers):
        pytest.fail("the block was entered")
    assert [broker.state for broker in brokers] == ["running"] * 3
    assert brokers[2].done == []


def test_an_interruption_while_breaking_mends_what_may_be_half_broken(brokers: list[Any]) -> None:
    """The signal may be out before Ctrl-C arrives: the broker is mended although `stop` never returned."""

    def stop_and_be_interrupted() -> None:
        brokers[1].state = "stopped"
        raise KeyboardInterrupt

    brokers[1].stop = stop_and_be_interrupted
    with pytest.raises(KeyboardInterrupt), faults.stopped(*brokers):
        pytest.fail("the block was entered")
    assert [broker.state for broker in brokers] == ["running"] * 3


def test_a_broker_that_cannot_be_mended_is_named_and_the_others_are_mended(brokers: list[Any]) -> None:
    """One error for all of them, with the reasons."""
    brokers[1].trouble["start"] = [LabError("The port is taken.")]
    words = r"broker-2 could not be started again\..*The port is taken"
    with pytest.raises(LabError, match=words) as caught, faults.killed(*brokers):
        pass
    assert [broker.state for broker in brokers] == ["running", "stopped", "running"]
    assert "broker-1" not in str(caught.value)


def test_a_failure_while_mending_does_not_hide_an_interruption(brokers: list[Any]) -> None:
    """Ctrl-C stays Ctrl-C, with a note of what is still broken."""
    brokers[0].trouble["start"] = [LabError("The port is taken.")]
    with pytest.raises(KeyboardInterrupt) as caught, faults.killed(brokers[0]):
        raise KeyboardInterrupt
    assert "broker-1 could not be started again" in caught.value.__notes__[0]


def test_an_interruption_while_mending_mends_all_and_then_goes_on(brokers: list[Any]) -> None:
    """The broker whose mending was interrupted gets a second try, after the others."""
    brokers[2].trouble["start"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt), faults.killed(*brokers):
        pass
    assert [broker.state for broker in brokers] == ["running"] * 3


def test_a_second_interruption_while_mending_gives_up(brokers: list[Any]) -> None:
    """Somebody at the keyboard means it."""
    brokers[0].trouble["start"] = [KeyboardInterrupt(), KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt), faults.killed(brokers[0]):
        pass
    assert brokers[0].state == "stopped"


def test_faults_nest(brokers: list[Any]) -> None:
    """Each heals its own: the inner one leaves the outer one's damage alone."""
    with faults.stopped(brokers[0]):
        with faults.killed(*brokers[:2]) as inner:
            assert inner.nodes == ("broker-2",)
        assert [broker.state for broker in brokers] == ["stopped", "running", "running"]
    assert [broker.state for broker in brokers] == ["running"] * 3


def test_killing_a_paused_broker_leaves_it_paused_for_the_outer_fault(brokers: list[Any]) -> None:
    """It is found frozen and left frozen; the outer block thaws it."""
    with faults.paused(brokers[0]):
        with faults.killed(brokers[0]):
            assert brokers[0].state == "stopped"
        assert brokers[0].state == "paused"
    assert brokers[0].state == "running"


@pytest.mark.parametrize("break_", ALL)
def test_what_the_reader_mended_within_the_block_stays_as_it_is(break_: Break, brokers: list[Any]) -> None:
    """Nothing is started or resumed twice."""
    with break_(brokers[0]):
        brokers[0].resume() if break_ is faults.paused else brokers[0].start()
    assert len(brokers[0].done) == 2
    assert brokers[0].state == "running"


def test_a_paused_broker_killed_by_the_reader_has_nothing_left_to_thaw(brokers: list[Any]) -> None:
    """And it is not started: `paused` did not stop it."""
    with faults.paused(brokers[0]):
        brokers[0].kill()
    assert brokers[0].state == "stopped"


def test_the_journal_gets_the_moment_before_the_signal_and_the_healing(brokers: list[Any], journal: Journal) -> None:
    """One event for all nodes of a fault."""
    with faults.killed(*brokers[:2]) as fault:
        assert [what for what, _, _ in journal.events] == ["fault began"]
    fields = {"fault": "killed", "nodes": ["broker-1", "broker-2"]}
    (began, began_s, began_fields), (healed, healed_s, healed_fields) = journal.events
    assert (began, began_s, began_fields) == ("fault began", fault.began_s, fields)
    assert (healed, set(healed_fields["nodes"])) == ("fault healed", {"broker-1", "broker-2"})  # type: ignore[call-overload]
    assert healed_s is not None
    assert healed_s >= fault.began_s


def test_a_role_is_resolved_when_the_block_begins(brokers: list[Any]) -> None:
    """Not when the fault is named: leaders move."""
    cluster = FakeCluster(leading=brokers[0])
    fault = faults.killed(faults.leader_of(cluster, "flights", 0))
    cluster.leading = brokers[2]
    with fault as what:
        assert what.nodes == ("broker-3",)


@pytest.mark.parametrize(
    ("topic", "partition", "asked"),
    [
        ("flights", None, ("flights", 0)),
        ("flights", 2, ("flights", 2)),
        ("flights-2", None, ("flights", 2)),
        ("flights-2", 1, ("flights-2", 1)),
        ("old-7", None, ("old-7", 0)),  # a topic has that very name
    ],
)
def test_a_partition_may_be_written_with_a_hyphen(
    topic: str, partition: int | None, asked: tuple[str, int], brokers: list[Any]
) -> None:
    """As Kafka's own logs write it, unless a topic bears that name."""
    cluster = FakeCluster(leading=brokers[0], names=["flights", "old-7"])
    with faults.killed(faults.leader_of(cluster, topic, partition)):
        pass
    assert cluster.asked == [asked]


def test_the_follower_is_one_that_runs(brokers: list[Any]) -> None:
    """A dead one could not be broken."""
    brokers[0].state = "stopped"
    cluster = FakeCluster(following=brokers)
    with faults.stopped(faults.follower_of(cluster, "flights", 0)) as fault:
        assert fault.nodes == ("broker-2",)
    for broker in brokers:
        broker.state = "stopped"
    with (
        pytest.raises(NotRunning, match="follower of flights-0"),
        faults.stopped(faults.follower_of(cluster, "flights", 0)),
    ):
        pytest.fail("the block was entered")


def test_one_broker_named_twice_is_broken_once(brokers: list[Any]) -> None:
    """The leader may well be the controller."""
    cluster = FakeCluster(leading=brokers[0])
    with faults.killed(brokers[0], faults.controller(cluster), faults.leader_of(cluster, "t", 0)) as fault:
        assert fault.nodes == ("broker-1",)
    assert brokers[0].done == ["kill", "start"]


@pytest.mark.parametrize("break_", ALL)
@pytest.mark.parametrize("target", ["broker-1", 1, None, "\x1b[31m"])
def test_what_is_no_broker_is_refused_at_once(break_: Break, target: object) -> None:
    """Before the block, in words that can be shown."""
    with pytest.raises(BadInput, match=r"is no broker\. Write faults\.") as caught:
        break_(target)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("break_", ALL)
def test_nobody_is_refused(break_: Break) -> None:
    """A fault without a broker would prove nothing."""
    with pytest.raises(BadInput, match="no broker"):
        break_()


def test_a_role_without_a_cluster_is_refused() -> None:
    """`leader_of("flights-0")` is easily written."""
    with pytest.raises(BadInput, match="cluster"):
        faults.leader_of("flights-0", 0)  # type: ignore[arg-type]


def test_a_broker_that_cannot_be_frozen_is_refused(brokers: list[Any]) -> None:
    """Not every backend can."""
    brokers[0].supports = frozenset()
    with pytest.raises(BadInput, match="cannot be frozen"), faults.paused(brokers[0]):
        pytest.fail("the block was entered")
    assert brokers[0].done == []


def test_the_repr_holds_no_live_figure(brokers: list[Any]) -> None:
    """It is the compared output of a page."""
    with faults.killed(brokers[0]) as fault:
        assert repr(fault) == "broker-1 killed"
