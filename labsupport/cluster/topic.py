"""A topic of a running cluster: who leads its partitions, who is in sync."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from labsupport.clients.metadata import ClusterMetadata, PartitionInfo, unless_silent
from labsupport.core.errors import BadInput, WaitTimeout
from labsupport.core.escape import printable
from labsupport.core.wait import wait_until


@dataclass(frozen=True)
class Topic:
    """A handle: every method asks the cluster anew."""

    name: str
    _metadata: Callable[[], ClusterMetadata] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return self.name

    def partitions(self) -> dict[int, PartitionInfo]:
        """Leader, replicas and ISR of each partition. Raises `BadInput` when there is no such topic."""
        topics = self._metadata().topics
        if self.name not in topics:
            known = ", ".join(printable(name) for name in sorted(topics) if not name.startswith("__"))
            raise BadInput(
                f"There is no topic {printable(self.name)}.",
                fix=f"There are: {known}." if known else "Make it with cluster.create_topic().",
            )
        return topics[self.name]

    def leader(self, partition: int = 0) -> int | None:
        """The node id of the leader; None while there is none."""
        return self._partition(partition).leader

    def isr(self, partition: int = 0) -> list[int]:
        """The node ids of the in-sync replicas, smallest first."""
        return sorted(self._partition(partition).isr)

    def replicas(self, partition: int = 0) -> list[int]:
        """The node ids of all replicas, the preferred leader first."""
        return list(self._partition(partition).replicas)

    def wait_for_isr(self, partition: int = 0, *, size: int, timeout_s: float = 60) -> list[int]:
        """Wait until `size` replicas are in sync, and return them. Raises `WaitTimeout`."""

        def right_size() -> list[int]:
            isr = unless_silent(lambda: self.isr(partition)) or []
            return isr if len(isr) == size else []

        return wait_until(right_size, timeout_s, because=f"{size} in-sync replicas of {self.name}-{partition}")

    def wait_for_leader(self, partition: int = 0, *, other_than: int | None = None, timeout_s: float = 60) -> int:
        """Wait until a broker (another than `other_than`) leads, and return its node id. Raises `WaitTimeout`."""

        def new_leader() -> int | None:
            leader = unless_silent(lambda: self.leader(partition))
            return leader if leader != other_than else None

        return wait_until(new_leader, timeout_s, because=f"a new leader of {self.name}-{partition}") or 0

    def wait_for_no_leader(self, partition: int = 0, *, timeout_s: float = 60) -> None:
        """Wait until the brokers say that nobody leads. Raises `WaitTimeout`."""

        def leaderless() -> bool:
            leaders = unless_silent(lambda: [self.leader(partition)])
            return leaders == [None]

        wait_until(leaderless, timeout_s, because=f"{self.name}-{partition} to have no leader")

    def keeps_leader(self, partition: int = 0, *, for_s: float) -> bool:
        """Whether one and the same broker is named as leader for so many seconds.

        The proof of a negative, that nobody takes over: take a time in which somebody would have.
        """
        first = self.leader(partition)
        try:
            self.wait_for_leader(partition, other_than=first, timeout_s=for_s)
        except WaitTimeout:
            return self.leader(partition) == first
        return False

    def _partition(self, partition: int) -> PartitionInfo:
        partitions = self.partitions()
        if partition not in partitions:
            raise BadInput(
                f"Topic {printable(self.name)} has no partition {partition!r}.",
                fix=f"Its partitions are 0 to {len(partitions) - 1}.",
            )
        return partitions[partition]
