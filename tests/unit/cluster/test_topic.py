"""A topic's handle asks anew each time, and waits for what it is told to wait for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labsupport.clients.metadata import ClusterMetadata, NoAnswer, PartitionInfo
from labsupport.cluster.topic import Topic
from labsupport.core.errors import WaitTimeout


def led_by(*leaders: int | None) -> Topic:
    """A topic of one partition whose leader is, at each question, the next of these, and then the last for ever."""
    answers: Iterator[int | None] = iter(leaders)
    last = leaders[-1]

    def metadata() -> ClusterMetadata:
        info = PartitionInfo(leader=next(answers, last), replicas=(1, 2, 3), isr=(1, 2, 3))
        return ClusterMetadata(cluster_id="x", brokers={}, controller_id=None, topics={"flights": {0: info}})

    return Topic("flights", metadata)


def test_a_leaderless_partition_is_waited_for() -> None:
    """As long as somebody leads, it waits."""
    led_by(1, 1, None).wait_for_no_leader(timeout_s=5)
    with pytest.raises(WaitTimeout, match="flights-0 to have no leader"):
        led_by(1).wait_for_no_leader(timeout_s=0.1)


def test_silence_is_not_taken_for_a_partition_without_a_leader() -> None:
    """A cluster that does not answer has said nothing."""

    def silent() -> ClusterMetadata:
        raise NoAnswer("nobody")

    with pytest.raises(WaitTimeout):
        Topic("flights", silent).wait_for_no_leader(timeout_s=0.1)


@pytest.mark.parametrize(("leaders", "kept"), [((1,), True), ((1, 1, 2), False), ((1, 2, 1), False)])
def test_a_leader_that_changed_was_not_kept(leaders: tuple[int, ...], kept: bool) -> None:
    """Even if the first one leads again at the end."""
    assert led_by(*leaders).keeps_leader(for_s=0.3) is kept


def test_a_leader_that_went_was_not_kept() -> None:
    assert not led_by(1, None).keeps_leader(for_s=0.1)
