"""Brokers by what they do at the moment: the leader of a partition, a follower, the controller."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from labsupport.cluster.broker import Broker
from labsupport.core.errors import BadInput, NotRunning
from labsupport.core.escape import printable

if TYPE_CHECKING:
    from labsupport.cluster.topic import Topic


class KnowsRoles(Protocol):
    """What a role needs of a `Cluster`."""

    def leader(self, topic: str, partition: int = 0) -> Broker: ...
    def followers(self, topic: str, partition: int = 0) -> list[Broker]: ...
    def controller(self) -> Broker: ...
    def topics(self) -> list[str]: ...


@dataclass(frozen=True)
class Role:
    """Who plays it is asked when the block of a fault begins, not before."""

    words: str
    resolve: Callable[[], Broker]

    def __str__(self) -> str:
        return self.words


def leader_of(cluster: KnowsRoles, topic: Topic | str, partition: int | None = None) -> Role:
    """The leader of a partition, given as ("flights", 0) or "flights-0". Resolving raises `NotRunning` without one."""
    _check(cluster, "leader")
    return Role(f"the leader of {_words(topic, partition)}", lambda: cluster.leader(*_split(cluster, topic, partition)))


def follower_of(cluster: KnowsRoles, topic: Topic | str, partition: int | None = None) -> Role:
    """The first running follower of a partition, in order of assignment. Resolving raises `NotRunning` if none is."""
    _check(cluster, "followers")
    words = f"a follower of {_words(topic, partition)}"

    def resolve() -> Broker:
        for broker in cluster.followers(*_split(cluster, topic, partition)):
            if broker.state == "running":
                return broker
        raise NotRunning(f"There is no {words.removeprefix('a ')} running.", fix="Start one first.")

    return Role(words, resolve)


def controller(cluster: KnowsRoles) -> Role:
    """The active controller: a broker, or a separate KRaft controller. Resolving raises `NotRunning` without one."""
    _check(cluster, "controller")
    return Role("the active controller", cluster.controller)


def _check(cluster: object, ability: str) -> None:
    if not hasattr(cluster, ability):
        raise BadInput(
            f"A role is played in a cluster, and {printable(repr(cluster), limit=60)} is none.",
            fix='Write faults.leader_of(cluster, "flights", 0).',
        )


def _words(topic: Topic | str, partition: int | None) -> str:
    return printable(topic) if partition is None else f"{printable(topic)}-{partition}"


def _split(cluster: KnowsRoles, topic: Topic | str, partition: int | None) -> tuple[str, int]:
    name = str(topic)
    written = re.fullmatch(r"(.+)-(\d+)", name)
    if partition is not None or written is None or name in cluster.topics():
        return name, partition or 0
    return cast(str, written[1]), int(written[2])
