"""Time to recover, from hand-made recordings."""

from __future__ import annotations

import pytest

from labsupport.core.errors import LabError
from labsupport.observe import Recording, failover, failovers


class Story:
    """Writes at given seconds."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def leader(self, t: float, node: int | None, *, partition: int = 0, topic: str = "flights") -> None:
        self._event(t, "leader", topic=topic, partition=partition, node=node)

    def isr(self, t: float, *isr: int) -> None:
        self._event(t, "isr", topic="flights", partition=0, isr=isr)

    def process(self, t: float, node: str, state: str) -> None:
        self._event(t, "process", node=node, node_id=int(node[-1]), state=state)

    def began(self, t: float, fault: str, *nodes: str | int) -> None:
        self._event(t, "fault began", fault=fault, nodes=nodes)

    def healed(self, t: float, fault: str, *nodes: str | int) -> None:
        self._event(t, "fault healed", fault=fault, nodes=nodes)

    def send(self, t: float, outcome: str = "acked", *, partition: int = 0, topic: str = "flights") -> None:
        self.recording.send(topic, f"r-{t}", outcome, partition=partition, t_s=self.recording.began_s + t)

    def _event(self, t: float, what: str, **fields: object) -> None:
        self.recording.event(what, t_s=self.recording.began_s + t, **fields)


@pytest.fixture
def story(recording: Recording) -> Story:
    """Broker 1 leads flights-0 from the first second on."""
    story = Story(recording)
    story.leader(1, 1)
    return story


def test_from_the_signal_to_the_first_acknowledged_write(story: Story) -> None:
    """All four stamps count from the fault's beginning; acks before the new leader, and elsewhere, do not count."""
    story.send(4.9)
    story.began(5, "killed", "broker-1")
    story.process(5.1, "broker-1", "stopped")
    story.send(5.5)
    story.isr(8, 2, 3)
    story.leader(8, 2)
    story.leader(7, 3, partition=1)
    story.send(8.1, "unknown")
    story.send(8.2, partition=1)
    story.send(8.3, topic="other")
    story.send(8.5)
    story.send(8.4)
    seen = failover(story.recording, "flights", 0)
    assert (seen.fault, seen.old, seen.new, seen.signal_t) == ("killed", 1, 2, 5.0)
    assert (seen.exited_s, seen.isr_shrunk_s, seen.new_leader_s, seen.first_acked_s) == (0.1, 3.0, 3.0, 3.4)


def test_what_has_not_been_seen_yet_is_none(story: Story) -> None:
    """While nobody leads, and while nothing is acknowledged; a leader None is no new leader."""
    story.began(5, "paused", 1)
    story.leader(8, None)
    story.send(8.5)
    seen = failover(story.recording, "flights", 0)
    assert (seen.new, seen.new_leader_s, seen.first_acked_s, seen.exited_s) == (None, None, None, None)
    assert repr(seen) == "flights-0: new leader: no · writes acknowledged again: no"
    story.leader(9, 3)
    assert failover(story.recording, "flights", 0).new_leader_s == 4.0
    assert failover(story.recording, "flights", 0).first_acked_s is None


def test_its_text_holds_no_figure_of_this_run(story: Story) -> None:
    """The same on every machine."""
    story.began(5, "killed", "broker-1")
    story.leader(8, 2)
    story.send(8.123)
    assert (
        repr(failover(story.recording, "flights", 0)) == "flights-0: new leader: yes · writes acknowledged again: yes"
    )


def test_a_leader_that_comes_back_before_anyone_took_over_is_no_failover(story: Story) -> None:
    """Leader None, then the old one again."""
    story.began(5, "killed", "broker-1")
    story.leader(6, None)
    story.leader(7, 1)
    story.send(7.5)
    assert failover(story.recording, "flights", 0).new_leader_s is None


def test_a_kill_by_a_button_counts_from_the_exit(story: Story) -> None:
    """Nothing was announced: the end of the leader's process is the signal."""
    story.process(5, "broker-1", "stopped")
    story.leader(8, 2)
    seen = failover(story.recording, "flights", 0)
    assert (seen.fault, seen.signal_t, seen.new_leader_s) == ("exited", 5.0, 3.0)


def test_a_pause_by_a_button_counts_too(story: Story) -> None:
    """As "paused"."""
    story.process(5, "broker-1", "paused")
    assert failover(story.recording, "flights", 0).fault == "paused"


def test_the_exit_under_an_announced_fault_is_no_second_signal(story: Story) -> None:
    """One fault, one failover; once it is healed, an exit counts again."""
    story.began(5, "killed", "broker-1")
    story.process(5.1, "broker-1", "stopped")
    story.leader(8, 2)
    story.healed(9, "killed", "broker-1")
    story.leader(10, 1)
    story.process(11, "broker-1", "stopped")
    assert [(f.fault, f.signal_t) for f in failovers(story.recording, "flights", 0)] == [
        ("killed", 5.0),
        ("exited", 11.0),
    ]


def test_two_failovers_do_not_borrow_from_each_other(story: Story) -> None:
    """What comes after the second signal belongs to the second; `failover` gives the last."""
    story.began(5, "killed", "broker-1")
    story.leader(8, 2)
    story.began(8.5, "killed", "broker-2")
    story.leader(12, 3)
    story.send(13)
    first, second = failovers(story.recording, "flights", 0)
    assert (first.old, first.new, first.new_leader_s, first.first_acked_s) == (1, 2, 3.0, None)
    assert (second.old, second.new, second.new_leader_s, second.first_acked_s) == (2, 3, 3.5, 4.5)
    assert failover(story.recording, "flights", 0) == second


def test_events_written_late_are_taken_in_the_order_of_their_time(story: Story) -> None:
    """A leader that was stamped before the signal is the one that was hit."""
    story.began(5, "killed", "broker-2")
    story.leader(4, 2)
    assert failover(story.recording, "flights", 0).old == 2


def test_what_hits_others_is_none_of_ours(story: Story) -> None:
    """Followers, ZooKeeper server 1 (not broker 1), other kinds of fault; then it says so in two sentences."""
    story.began(5, "killed", "broker-2")
    story.began(5, "killed", "zookeeper-1")
    story.process(5, "zookeeper-1", "stopped")
    story.process(5, "broker-3", "stopped")
    story.began(5, "slowed", "broker-1")
    with pytest.raises(LabError, match=r"nothing that hit the leader of flights-0\. Kill, stop or pause it"):
        failover(story.recording, "flights", 0)
    assert failovers(story.recording, "flights", 0) == []
