"""What "well" means: all replicas in sync, again the next time, and nothing given up for it."""

from __future__ import annotations

from labsupport import Cluster
from labsupport.core.finding import Finding
from labsupport.teaching import check, settings, watermarks

from .scenario import PAYMENTS, TOPIC


@check(f"every partition of {TOPIC} has three replicas in sync")
def in_sync(cluster: Cluster) -> Finding:
    behind = _behind(cluster)
    return Finding.of(not behind, saw=behind, look="kafka-topics.sh --describe --under-replicated-partitions")


@check("a broker that restarts tomorrow will catch up as well")
def not_held_back(cluster: Cluster) -> Finding:
    if _behind(cluster):
        return Finding.of(False, saw="this shows once all replicas are in sync")
    held = [
        f"{of}: {name}={value}"
        for of, changed in settings(cluster).items()
        for name, value in changed.items()
        if "throttled" in name
    ]
    return Finding.of(not held, saw=held, look="kafka-configs.sh --describe --entity-type brokers")


@check(f"{TOPIC} holds all {PAYMENTS:,} payments")
def nothing_lost(cluster: Cluster) -> Finding:
    held = watermarks(cluster, TOPIC)
    count = sum(end - start for start, end in held.values())
    saw = f"it holds {count:,} payments in {len(held)} partitions" if held else f"there is no topic {TOPIC}"
    return Finding.of(count >= PAYMENTS, saw=saw, look=f"kafka-get-offsets.sh --topic {TOPIC}")


@check(f"a write to {TOPIC} still needs two replicas in sync")
def promise_kept(cluster: Cluster) -> Finding:
    needed = settings(cluster).get(f"topic {TOPIC}", {}).get("min.insync.replicas", "the broker's default")
    look = f"kafka-configs.sh --describe --entity-type topics --entity-name {TOPIC}"
    return Finding.of(needed == "2", saw=f"min.insync.replicas: {needed}", look=look)


def _behind(cluster: Cluster) -> list[str]:
    partitions = cluster.metadata().topics.get(TOPIC, {})
    if not partitions:
        return [f"there is no topic {TOPIC}"]
    return [
        f"{TOPIC}-{number}: replicas {_ids(info.replicas)} · in sync {_ids(sorted(info.isr))}"
        for number, info in partitions.items()
        if len(info.isr) < 3
    ]


def _ids(ids: list[int] | tuple[int, ...]) -> str:
    return ",".join(map(str, ids))
