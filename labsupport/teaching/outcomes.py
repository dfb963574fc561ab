"""What a run says to each question: from evidence to the letter of an option.

A reader's keyword parameters name the evidence it needs. The page shows the option that the *run* bore out, not the
one we wrote down; if the two differ, the page fails.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

AT_ONCE_S = 1.0  # no reader would call a shorter gap a pause; a KRaft session (9,000 ms by default) lasts much longer


def leader_dies(*, new_leader: int | None, pause_s: float | None, lost: int, duplicated: int) -> str:
    """`new_leader`: broker id, None if nobody took over. `pause_s`: seconds without an acknowledgement."""
    if new_leader is None or pause_s is None:
        return "e"
    if lost:
        return "b"
    if duplicated:
        return "c"
    return "a" if pause_s < AT_ONCE_S else "d"


def no_key(*, records: int, changes: int, longest_run: int) -> str:
    """Of records without a key: how often the next one went to another partition, and the most in a row to one."""
    if longest_run == records:
        return "b"
    if longest_run == 1:
        return "a"
    return "c" if changes * 10 < records else "d"


def seek_cost(*, before_bytes: int, segment_bytes: int, scanned_bytes: int, entries: int, records: int) -> str:
    """Of a seek: bytes of the log before the record, of its segment, and read; entries of its index, and records."""
    if entries >= records:
        return "a"
    if scanned_bytes * 10 < min(before_bytes, segment_bytes):
        return "d"
    return "b" if scanned_bytes >= before_bytes else "c"


def three_ways_out(*, stopped_at_once: bool, killed_at_once: bool, frozen_at_once: bool) -> str:
    """For each way out: was the broker off the list of in-sync replicas as soon as it was out?"""
    if stopped_at_once and killed_at_once:
        return "c" if frozen_at_once else "a"
    return "b" if stopped_at_once else "d"


def left_behind(*, behind: Sequence[int], leader: int | None, leader_later: int | None, came_back: int) -> str:
    """`behind`: the living brokers in the order of the list. Who led then, and with `came_back` there again."""
    if leader in behind:
        return "a" if leader == behind[0] else "b"
    return "c" if leader_later == came_back else "d"


def pod_comes_back(*, same_name: bool, same_pod: bool, same_volume: bool, same_address: bool) -> str:
    """What the pod that is there later has in common with the one that was deleted."""
    if same_pod:
        return "d"
    if not (same_name and same_volume):
        return "a"
    return "b" if same_address else "c"


def update_order(*, numbers: Sequence[int], most_away: int) -> str:
    """In which order pods were replaced, by their numbers, and how many were away at once."""
    if most_away > 1:
        return "c"
    return {tuple(sorted(numbers)): "a", tuple(sorted(numbers, reverse=True)): "b"}.get(tuple(numbers), "d")


def pinned_pod(*, stuck: bool, same_node: bool, same_volume: bool) -> str:
    """What became of a pod whose node takes no new ones: without a node; else on the same one, or with its volume."""
    if stuck:
        return "c"
    if same_node:
        return "d"
    return "b" if same_volume else "a"


def unreachable_address(*, acknowledged: Collection[int], partitions: int, ready: bool) -> str:
    """Of so many partitions, which a client wrote to; and whether the broker's pod was ready meanwhile."""
    if not acknowledged:
        return "a"
    if len(acknowledged) < partitions:
        return "b"
    return "c" if ready else "d"


def frozen_node(
    *, leader_s: float | None, marked_s: float | None, errand_elsewhere: bool, broker_elsewhere: bool
) -> str:
    """Seconds until another broker led, and until Kubernetes gave the pods up; which of them were started elsewhere."""
    if not errand_elsewhere:
        return "d"
    if leader_s is None or (marked_s is not None and marked_s < leader_s):
        return "a"
    return "b" if broker_elsewhere else "c"


OUTCOMES: dict[str, Callable[..., str]] = {
    "frozen-node": frozen_node,
    "leader-dies": leader_dies,
    "left-behind": left_behind,
    "no-key": no_key,
    "pinned-pod": pinned_pod,
    "pod-comes-back": pod_comes_back,
    "seek-cost": seek_cost,
    "three-ways-out": three_ways_out,
    "unreachable-address": unreachable_address,
    "update-order": update_order,
}
