"""A fault on links lays one rule between its two sides and lifts exactly that, on every exit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from labsupport import faults
from labsupport.core.errors import BadInput, LabError
from labsupport.core.journal import NullJournal
from labsupport.faults.roles import Role


class Journal(NullJournal):
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, float | None, dict[str, object]]] = []

    def event(self, what: str, *, t_s: float | None = None, **fields: object) -> None:
        self.events.append((what, t_s, fields))


class FakeLinks:
    """Remembers which rules hold; `trouble` are errors that the next calls raise."""

    def __init__(self) -> None:
        self.rules: dict[str, tuple[Sequence[str], Sequence[str], dict[str, Any]]] = {}
        self.trouble: list[BaseException] = []

    def set(self, rule: str, one: Sequence[str], other: Sequence[str], **what: Any) -> None:
        self.rules[rule] = (one, other, what)
        if self.trouble:
            raise self.trouble.pop(0)

    def lift(self, rule: str) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.rules.pop(rule, None)


@dataclass
class FakeBroker:
    """A node at the end of a link."""

    node_id: int
    links: Any
    journal: Journal = field(default_factory=Journal)

    @property
    def name(self) -> str:
        return f"broker-{self.node_id}"


class Unlinked(FakeBroker):
    """Of a cluster without a proxy."""

    @property
    def links(self) -> Any:
        raise BadInput("The cluster was started without links.", fix="Use Cluster.start(links=True).")

    @links.setter
    def links(self, _: Any) -> None: ...


@pytest.fixture
def links() -> FakeLinks:
    return FakeLinks()


@pytest.fixture
def brokers(links: FakeLinks) -> list[Any]:
    journal = Journal()
    return [FakeBroker(node_id, links, journal) for node_id in (1, 2, 3)]


def slowed(one: Any, other: Any) -> Any:
    return faults.link_slowed(one, other, delay_ms=100, kbit_per_s=1000)


Break = Callable[[Any, Any], Any]
RULES: dict[Break, dict[str, Any]] = {
    faults.link_cut: {"cut": True},
    faults.link_half_open: {"half_open": True},
    slowed: {"delay_ms": 100, "kbit_per_s": 1000},
}
WORDS = {faults.link_cut: "link cut", faults.link_half_open: "link half-open", slowed: "link slowed"}
each = pytest.mark.parametrize("break_", RULES)


@each
def test_the_rule_holds_within_the_block_and_not_after_it(break_: Break, brokers: list[Any], links: FakeLinks) -> None:
    with break_("clients", brokers[0]) as fault:
        assert list(links.rules.values()) == [(("clients",), ("broker-1",), RULES[break_])]
        assert (fault.nodes, fault.node_ids) == (("broker-1",), (1,))
        assert repr(fault) == f"{WORDS[break_]} between clients and broker-1"
    assert links.rules == {}


@each
@pytest.mark.parametrize("error", [ValueError("in the cell"), KeyboardInterrupt(), SystemExit(1)])
def test_whatever_ends_the_block_the_rule_is_lifted(
    break_: Break, error: BaseException, brokers: list[Any], links: FakeLinks
) -> None:
    with pytest.raises(type(error)) as caught, break_(brokers[0], brokers[1]):
        raise error
    assert caught.value is error
    assert links.rules == {}


@each
def test_an_interruption_while_breaking_lifts_what_may_hold(
    break_: Break, brokers: list[Any], links: FakeLinks
) -> None:
    """The proxy may have the rule although its answer never came."""
    links.trouble = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt), break_(brokers[0], brokers[1]):
        pytest.fail("the block was entered")
    assert links.rules == {}


@each
def test_an_interruption_while_mending_still_lifts_it(break_: Break, brokers: list[Any], links: FakeLinks) -> None:
    with pytest.raises(KeyboardInterrupt), break_(brokers[0], brokers[1]):
        links.trouble = [KeyboardInterrupt()]
    assert links.rules == {}


def test_a_link_that_cannot_be_mended_is_named(brokers: list[Any], links: FakeLinks) -> None:
    words = r"The link between clients and broker-1, broker-2 could not be mended\..*gone"
    with pytest.raises(LabError, match=words), faults.link_cut("clients", brokers[:2]):
        links.trouble = [LabError("The proxy is gone.")]


def test_one_against_two(brokers: list[Any], links: FakeLinks) -> None:
    """A side may be a list, roles among its members; a node named twice counts once."""
    role = Role("the leader of t-0", lambda: brokers[1])
    with faults.link_cut(brokers[0], [role, brokers[2], brokers[1]]) as fault:
        assert [rule[:2] for rule in links.rules.values()] == [(("broker-1",), ("broker-2", "broker-3"))]
        assert fault.between == (("broker-1",), ("broker-2", "broker-3"))


def test_two_faults_on_one_link_are_healed_each_for_itself(brokers: list[Any], links: FakeLinks) -> None:
    with faults.link_cut(brokers[0], brokers[1]):
        with slowed(brokers[0], brokers[1]):
            assert len(links.rules) == 2
        assert [rule[2] for rule in links.rules.values()] == [{"cut": True}]
    assert links.rules == {}


def test_the_journal_gets_both_ends(brokers: list[Any]) -> None:
    """Nodes for the lanes of a timeline, `between` for the words."""
    with faults.link_cut(["clients", brokers[0]], brokers[2]) as fault:
        pass
    fields = {
        "fault": "link cut",
        "nodes": ["broker-1", "broker-3"],
        "between": [["clients", "broker-1"], ["broker-3"]],
    }
    assert brokers[0].journal.events == [
        ("fault began", fault.began_s, fields),
        ("fault healed", fault.healed_s, fields),
    ]


@each
@pytest.mark.parametrize("end", ["broker-1", "client", 1, None, "\x1b[31m"])
def test_what_is_no_end_is_refused_at_once(break_: Break, end: object, brokers: list[Any]) -> None:
    """On either side, alone or in a list; in words that can be shown."""
    for sides in ((end, brokers[0]), (brokers[0], end), (brokers[0], [brokers[1], end])):
        with pytest.raises(BadInput, match=r"is no end of a link\. Write faults\.link_") as caught:
            break_(*sides)
        assert "\x1b" not in str(caught.value)


@each
def test_an_empty_side_is_refused_at_once(break_: Break, brokers: list[Any]) -> None:
    with pytest.raises(BadInput, match="is empty"):
        break_(brokers[0], [])


@each
def test_a_link_has_two_different_ends(break_: Break, brokers: list[Any]) -> None:
    """Also when a role turns out to be the broker on the other side."""
    role = Role("the leader of t-0", lambda: brokers[0])
    for sides in ((brokers[0], role), ("clients", "clients")):
        with pytest.raises(BadInput, match="on both sides"), break_(*sides):
            pytest.fail("the block was entered")


@each
def test_nodes_of_two_clusters_have_no_link(break_: Break, brokers: list[Any]) -> None:
    with pytest.raises(BadInput, match="different clusters"), break_(brokers[0], FakeBroker(2, FakeLinks())):
        pytest.fail("the block was entered")


@each
def test_a_cluster_without_links_says_how_to_have_them(break_: Break) -> None:
    broker = Unlinked(1, None)
    with pytest.raises(BadInput, match=r"without links\. Use Cluster\.start\(links=True\)"), break_("clients", broker):
        pytest.fail("the block was entered")
    assert broker.journal.events == []


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({}, "by nothing"),
        ({"delay_ms": -1}, "delay_ms"),
        ({"delay_ms": "100"}, "delay_ms"),
        ({"delay_ms": float("nan")}, "delay_ms"),
        ({"delay_ms": 10**6}, "delay_ms"),
        ({"kbit_per_s": 1}, "kbit_per_s"),
        ({"kbit_per_s": True}, "kbit_per_s"),
    ],
)
def test_a_slowness_that_cannot_be_meant_is_refused(how: dict[str, Any], word: str, brokers: list[Any]) -> None:
    with pytest.raises(BadInput, match=word):
        faults.link_slowed("clients", brokers[0], **how)
