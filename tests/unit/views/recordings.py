"""Recordings made by hand, of a cluster in which something happens."""

from __future__ import annotations

from pathlib import Path

from labsupport.observe import Recording

BEGAN_S, HEALED_S, END_S = 5.0, 18.0, 25.0


class Made:
    """A Recording whose clock is ours: `at(seconds, what, …)`."""

    def __init__(self, folder: Path, *, name: str = "flights-lab", coordination: str = "kraft") -> None:
        self.recording = Recording.create(
            name=name, coordination=coordination, version="4.3.1", brokers=[1, 2, 3], folder=folder
        )

    def at(self, t_s: float, what: str, **fields: object) -> None:
        self.recording.event(what, t_s=self.recording.began_s + t_s, **fields)

    def sample(self, t_s: float, name: str, value: float, **labels: object) -> None:
        self.recording.sample(name, value, t_s=self.recording.began_s + t_s, **labels)

    def acked(self, t_s: float, topic: str, n: int, *, partition: int = 0) -> None:
        self.recording.send(topic, f"a-{n}", "acked", partition=partition, offset=n, t_s=self.recording.began_s + t_s)


def failover(
    folder: Path,
    *,
    topic: str = "flights",
    name: str = "flights-lab",
    coordination: str = "kraft",
    moved_s: float = 14.0,
    group: str = "board",
) -> Recording:
    """Broker 1 is killed at 5 s; broker 2 leads at `moved_s`, and writes go on; broker 1 is back at 18 s."""
    made = Made(folder, name=name, coordination=coordination)
    for node in (1, 2, 3):
        made.at(0.1 * node, "process", node=f"broker-{node}", node_id=node, state="running")
    made.at(0.5, "topic", topic=topic, partitions=1, replicas={"0": [1, 2, 3]})
    made.at(0.5, "leader", topic=topic, partition=0, node=1)
    made.at(0.5, "isr", topic=topic, partition=0, isr=[1, 2, 3])
    made.at(0.6, "controller", node=3)
    made.at(BEGAN_S, "fault began", fault="killed", nodes=["broker-1"])
    made.at(BEGAN_S + 0.02, "process", node="broker-1", node_id=1, state="stopped")
    made.at(moved_s, "leader", topic=topic, partition=0, node=2, was=1)
    made.at(moved_s, "isr", topic=topic, partition=0, isr=[2, 3])
    made.at(moved_s + 0.15, "picture", topic=topic, partition=0, node=2, seen="drawn")
    made.at(HEALED_S - 1, "process", node="broker-1", node_id=1, state="starting")
    made.at(HEALED_S, "process", node="broker-1", node_id=1, state="running")
    made.at(HEALED_S, "fault healed", fault="killed", nodes=["broker-1"])
    made.at(HEALED_S + 2, "isr", topic=topic, partition=0, isr=[1, 2, 3])
    writing = [n / 20 for n in range(20, 100)] + [n / 20 for n in range(int(moved_s * 20) + 5, int(END_S * 20))]
    for n, t_s in enumerate(writing):
        made.acked(t_s, topic, n)
    for half in range(2, int(END_S * 2)):
        t_s = half / 2
        quiet = BEGAN_S <= t_s <= moved_s
        made.sample(t_s, "records_per_s", 0.0 if quiet else 20.0 + half % 3, topic=topic)
        if not quiet:
            made.sample(t_s, "latency_p50_ms", 2.0 + half % 2, topic=topic)
            made.sample(t_s, "latency_p99_ms", 9_000.0 if t_s < moved_s + 1 and t_s > moved_s else 8.0, topic=topic)
        made.sample(t_s, "lag_records", 12.0 if quiet else 3.0, group=group, topic=topic)
        offsets = (half * 10, max(half * 10 - 30, 0))
        segments = [[base, 16_384] for base in range(0, offsets[0], 200)] or [[0, 0]]
        made.at(t_s, "log", topic=topic, partition=0, node=1, segments=segments, start=0, end=offsets[0])
        made.at(t_s, "positions", group=group, topic=topic, positions={"0": offsets[1]})
    made.recording.flush()
    return made.recording
