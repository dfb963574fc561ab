"""A cluster that is none: it changes its state at once and writes what happened into a real Recording."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from labsupport.core.errors import NotRunning
from labsupport.observe import Recording

HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[31m"


class FakeBroker:
    """A broker that is killed and started without a process."""

    def __init__(self, cluster: FakeCluster, node_id: int) -> None:
        self.cluster, self.node_id, self.state = cluster, node_id, "running"
        self.trouble: Exception | None = None
        self.hold = threading.Event()
        self.hold.set()

    def _to(self, state: str) -> None:
        assert self.hold.wait(20)
        if self.trouble is not None:
            raise self.trouble
        self.state = state
        self.cluster.recording.event("process", node=f"broker-{self.node_id}", node_id=self.node_id, state=state)

    def kill(self) -> None:
        if self.state == "stopped":
            raise NotRunning(f"broker-{self.node_id} does not run.", fix="Start it first.")
        self._to("stopped")

    def start(self) -> None:
        self._to("running")

    def pause(self) -> None:
        self._to("paused")

    def resume(self) -> None:
        self._to("running")


class FakeCluster:
    """What the map needs of a cluster."""

    def __init__(
        self,
        folder: Path,
        *,
        brokers: int = 3,
        coordination: str = "kraft",
        name: str = "flights-lab",
        coordinators: tuple[str, ...] = (),
        partitions: int = 2,
        topic: str = "flights",
    ) -> None:
        ids = list(range(1, brokers + 1))
        self.recording = Recording.create(
            name=name, coordination=coordination, version="4.3.1", brokers=ids, coordinators=coordinators, folder=folder
        )
        self.brokers = tuple(FakeBroker(self, node_id) for node_id in ids)
        for broker in self.brokers:
            broker.start()
        for node in coordinators:
            self.recording.event("process", node=node, node_id=int(node.split("-")[1]), state="running")
        self.recording.event(
            "topic", topic=topic, partitions=partitions, replicas={str(n): ids for n in range(partitions)}
        )
        self._topics: dict[str, dict[int, Any]] = {topic: {}}
        for number in range(partitions):
            self.lead(topic, number, leader=ids[0], isr=ids)
        self.recording.event("controller", node=1)
        self.recording.flush()

    def lead(self, topic: str, partition: int, *, leader: int | None, isr: list[int]) -> None:
        self.recording.event("leader", topic=topic, partition=partition, node=leader)
        self.recording.event("isr", topic=topic, partition=partition, isr=isr)
        self._topics[topic][partition] = SimpleNamespace(leader=leader, isr=isr)

    def broker(self, node_id: int) -> FakeBroker:
        return self.brokers[node_id - 1]

    def metadata(self) -> Any:
        return SimpleNamespace(topics=self._topics)

    def close(self) -> None:
        self.recording.close()

    def told(self) -> list[dict[str, Any]]:
        return [entry for entry in self.recording.entries(kinds={"event"}) if entry.get("by") == "reader"]
