"""Each predicate of the chapters can decide in every way it knows, and says when a run settles nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labsupport.claims import predicates as p
from labsupport.claims.evidence import Undecided
from labsupport.claims.predicates import Measured
from labsupport.claims.rows import Verdict

HOLDS, CONDITIONS, OUTDATED, WRONG = Verdict.HOLDS, Verdict.CONDITIONS, Verdict.OUTDATED, Verdict.WRONG

# For each predicate: evidence, and the verdict that it supports; None if it settles nothing.
CASES: list[tuple[Callable[..., Measured], dict[str, object], Verdict | None]] = [
    (p.records_lie_in_a_file, {"sent": "+2 min", "file_holds_it": True}, HOLDS),
    (p.records_lie_in_a_file, {"sent": "+2 min", "file_holds_it": False}, WRONG),
    (p.records_lie_in_a_file, {"sent": "", "file_holds_it": True}, None),
    (p.what_was_written_stays, {"grown": True, "unchanged": True}, HOLDS),
    (p.what_was_written_stays, {"grown": True, "unchanged": False}, WRONG),
    (p.what_was_written_stays, {"grown": False, "unchanged": True}, None),
    (p.offsets_follow_each_other, {"offsets": [0, 1, 2], "markers": 0}, HOLDS),
    (p.offsets_follow_each_other, {"offsets": [0, 1, 3], "markers": 1}, CONDITIONS),
    (p.offsets_follow_each_other, {"offsets": [0, 1, 3], "markers": 0}, WRONG),
    (p.offsets_follow_each_other, {"offsets": [0, 2, 1], "markers": 0}, WRONG),
    (p.offsets_follow_each_other, {"offsets": [0, 0, 1], "markers": 0}, WRONG),
    (p.offsets_follow_each_other, {"offsets": [0, 1], "markers": 0}, None),
    (p.records_go_round, {"records": 3000, "partitions": 3, "changes": 2999, "longest_run": 1}, HOLDS),
    (p.records_go_round, {"records": 3000, "partitions": 3, "changes": 45, "longest_run": 130}, OUTDATED),
    (p.records_go_round, {"records": 3000, "partitions": 3, "changes": 2000, "longest_run": 7}, None),
    (p.records_go_round, {"records": 30, "partitions": 3, "changes": 29, "longest_run": 1}, None),
    (p.records_go_round, {"records": 3000, "partitions": 1, "changes": 0, "longest_run": 3000}, None),
    (p.order_is_kept, {"in_each_partition": True, "as_received": False}, HOLDS),
    (p.order_is_kept, {"in_each_partition": True, "as_received": True}, HOLDS),
    (p.order_is_kept, {"in_each_partition": False, "as_received": False}, WRONG),
    (p.a_partition_has_segments, {"segments": 4, "named_by_first_offset": True}, HOLDS),
    (p.a_partition_has_segments, {"segments": 4, "named_by_first_offset": False}, WRONG),
    (p.a_partition_has_segments, {"segments": 1, "named_by_first_offset": True}, None),
    (p.an_index_leads_there, {"sought": 7, "found": 7, "entries": 9, "batches": 10, "records": 900}, CONDITIONS),
    (p.an_index_leads_there, {"sought": 7, "found": 7, "entries": 10, "batches": 10, "records": 900}, CONDITIONS),
    (p.an_index_leads_there, {"sought": 7, "found": 7, "entries": 900, "batches": 900, "records": 900}, HOLDS),
    (p.an_index_leads_there, {"sought": 7, "found": 8, "entries": 9, "batches": 10, "records": 900}, WRONG),
    (p.an_index_leads_there, {"sought": 7, "found": 7, "entries": 0, "batches": 1, "records": 900}, None),
    (
        p.segments_spare_reading,
        {"segmented_bytes": 9000, "one_file_bytes": 9000, "one_file_size_bytes": 4_000_000},
        WRONG,
    ),
    (
        p.segments_spare_reading,
        {"segmented_bytes": 9000, "one_file_bytes": 2_000_000, "one_file_size_bytes": 4_000_000},
        HOLDS,
    ),
    (p.segments_spare_reading, {"segmented_bytes": 9000, "one_file_bytes": 9000, "one_file_size_bytes": 10_000}, None),
    (p.deleting_drops_files, {"segments_before": 4, "segments_after": 2, "rest_untouched": True}, HOLDS),
    (p.deleting_drops_files, {"segments_before": 4, "segments_after": 2, "rest_untouched": False}, WRONG),
    (p.deleting_drops_files, {"segments_before": 4, "segments_after": 4, "rest_untouched": True}, None),
    (p.leading_is_shared, {"leaders": [1, 2, 3], "leaders_later": [2, 2, 3], "brokers": 3}, CONDITIONS),
    (p.leading_is_shared, {"leaders": [1, 2, 3], "leaders_later": [1, 2, 3], "brokers": 3}, HOLDS),
    (p.leading_is_shared, {"leaders": [1, 1, 1], "leaders_later": [1, 1, 1], "brokers": 3}, WRONG),
    (p.leading_is_shared, {"leaders": [1], "leaders_later": [2], "brokers": 3}, None),
    (p.a_follower_behind_takes_over, {"in_sync": [1], "alive": [2, 3], "leader": None}, CONDITIONS),
    (p.a_follower_behind_takes_over, {"in_sync": [1, 3], "alive": [2, 3], "leader": 3}, CONDITIONS),
    (p.a_follower_behind_takes_over, {"in_sync": [1], "alive": [2, 3], "leader": 2}, HOLDS),
    (p.a_follower_behind_takes_over, {"in_sync": [1, 2, 3], "alive": [2, 3], "leader": 2}, None),
    (p.a_follower_stays_in_sync, {"isr": [1], "leader": 1, "replicas": 3}, WRONG),
    (p.a_follower_stays_in_sync, {"isr": [1, 2], "leader": 1, "replicas": 3}, HOLDS),
    (p.a_follower_stays_in_sync, {"isr": [1], "leader": 1, "replicas": 1}, None),
    (p.a_leader_alone_commits, {"isr": [1], "acknowledged": True, "consumed": True}, WRONG),
    (p.a_leader_alone_commits, {"isr": [1], "acknowledged": False, "consumed": False}, HOLDS),
    (p.a_leader_alone_commits, {"isr": [1], "acknowledged": True, "consumed": False}, HOLDS),
    (p.a_leader_alone_commits, {"isr": [1, 2], "acknowledged": True, "consumed": True}, None),
    (p.a_commit_waits_for_all, {"isr_while_waiting": [1, 2], "silent": [2], "acked_then": False, "acked": True}, HOLDS),
    (p.a_commit_waits_for_all, {"isr_while_waiting": [1, 2], "silent": [2], "acked_then": True, "acked": True}, WRONG),
    (p.a_commit_waits_for_all, {"isr_while_waiting": [1], "silent": [2], "acked_then": True, "acked": True}, None),
    (p.a_commit_waits_for_all, {"isr_while_waiting": [1, 2], "silent": [2], "acked_then": False, "acked": False}, None),
    (
        p.laggards_are_struck_off,
        {"isr_before": 3, "isr_after": 1, "shrank_after_s": 9.4, "lag_limit_s": 30},
        CONDITIONS,
    ),
    (p.laggards_are_struck_off, {"isr_before": 3, "isr_after": 1, "shrank_after_s": 31, "lag_limit_s": 30}, HOLDS),
    (p.laggards_are_struck_off, {"isr_before": 3, "isr_after": 3, "shrank_after_s": 60, "lag_limit_s": 30}, WRONG),
    (
        p.the_leader_controls,
        {"controller": 101, "leaders": [1, 2, 3], "replaced_without": False, "replaced_with": True},
        WRONG,
    ),
    (
        p.the_leader_controls,
        {"controller": 101, "leaders": [1, 2, 3], "replaced_without": True, "replaced_with": True},
        HOLDS,
    ),
    (
        p.the_leader_controls,
        {"controller": 101, "leaders": [1, 2, 3], "replaced_without": False, "replaced_with": False},
        None,
    ),
    (
        p.the_leader_controls,
        {"controller": 1, "leaders": [1, 2, 3], "replaced_without": False, "replaced_with": True},
        None,
    ),
    (p.all_its_partitions_get_leaders, {"led_before": [0, 3], "killed": 1, "leaders_after": [2, 3]}, HOLDS),
    (p.all_its_partitions_get_leaders, {"led_before": [0, 3], "killed": 1, "leaders_after": [2, None]}, WRONG),
    (p.all_its_partitions_get_leaders, {"led_before": [0, 3], "killed": 1, "leaders_after": [2, 1]}, WRONG),
    (p.all_its_partitions_get_leaders, {"led_before": [], "killed": 1, "leaders_after": []}, None),
    (p.any_broker_may_control, {"zookeeper": [2, 1], "kraft": [101], "brokers": [1, 2, 3]}, OUTDATED),
    (p.any_broker_may_control, {"zookeeper": [2, 1], "kraft": [2], "brokers": [1, 2, 3]}, HOLDS),
    (p.any_broker_may_control, {"zookeeper": [101, 102], "kraft": [101], "brokers": [1, 2, 3]}, WRONG),
    (
        p.a_majority_does_not_decide,
        {"replicas": 3, "alive": [2, 3], "in_sync": [1], "leader": None},
        HOLDS,
    ),
    (p.a_majority_does_not_decide, {"replicas": 3, "alive": [2, 3], "in_sync": [1], "leader": 2}, WRONG),
    (p.a_majority_does_not_decide, {"replicas": 3, "alive": [2], "in_sync": [1], "leader": None}, None),
    (p.a_majority_does_not_decide, {"replicas": 3, "alive": [2, 3], "in_sync": [1, 2], "leader": 2}, None),
    (p.the_list_changes, {"sizes": [3, 1, 3]}, HOLDS),
    (p.the_list_changes, {"sizes": [3, 3, 3]}, WRONG),
    (p.any_broker_may_control, {"zookeeper": [2, 2], "kraft": [101], "brokers": [1, 2, 3]}, None),
]


@pytest.mark.parametrize(("predicate", "evidence", "verdict"), CASES)
def test_evidence_supports_its_verdict_or_settles_nothing(
    predicate: Callable[..., Measured], evidence: dict[str, object], verdict: Verdict | None
) -> None:
    """The sentence for the card is the same whatever the counts of a run are, and ends without a full stop."""
    if verdict is None:
        with pytest.raises(Undecided):
            predicate(**evidence)
        return
    measured = predicate(**evidence)
    assert measured.verdict is verdict
    assert measured.saw and not measured.saw.endswith(".")


def test_every_predicate_here_can_be_confirmed_and_refuted() -> None:
    """At least two verdicts each, and a run that settles nothing wherever one can be imagined."""
    verdicts: dict[str, set[Verdict | None]] = {}
    for predicate, _, verdict in CASES:
        verdicts.setdefault(predicate.__name__, set()).add(verdict)
    assert all(len(found - {None}) >= 2 for found in verdicts.values())
