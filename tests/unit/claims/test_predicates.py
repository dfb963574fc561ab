"""Each predicate of the chapters can decide in every way it knows, and says when a run settles nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labsupport.claims import predicates as p
from labsupport.claims.evidence import Undecided
from labsupport.claims.predicates import Measured
from labsupport.claims.rows import Verdict

HOLDS, CONDITIONS, OUTDATED, WRONG = Verdict.HOLDS, Verdict.CONDITIONS, Verdict.OUTDATED, Verdict.WRONG

GATES = ["gate-0", "gate-1", "gate-2"]
UP = [f"{gate} {what}" for gate in GATES for what in ("created", "ready")]
DOWN = [f"{gate} {what}" for gate in reversed(GATES) for what in ("ending", "gone")]
KEPT: dict[str, object] = {"replicas": 3, "kept_names": 3, "volumes": 3, "other_at_once": 4}
ROLLED: dict[str, object] = {"pods": GATES, "replaced": GATES[::-1], "most_away": 1}
READDRESSED: dict[str, object] = {"pod_addresses": ["10.0.0.1", "10.0.0.2"]}
GREW: dict[str, object] = {"asked": 4, "there": 4}
OUTSIDE: dict[str, object] = {"addresses": ["h:1", "h:2", "h:3"], "leaders": [1, 2, 3]}

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
    (p.a_name_is_the_identity, {"replaced": 3, "names_kept": True, "addresses_kept": 0}, WRONG),
    (p.a_name_is_the_identity, {"replaced": 3, "names_kept": True, "addresses_kept": 1}, WRONG),
    (p.a_name_is_the_identity, {"replaced": 3, "names_kept": False, "addresses_kept": 0}, WRONG),
    (p.a_name_is_the_identity, {"replaced": 3, "names_kept": True, "addresses_kept": 3}, HOLDS),
    (p.a_name_is_the_identity, {"replaced": 0, "names_kept": True, "addresses_kept": 0}, None),
    (p.an_address_stays, {"before": ["10.0.0.1", "10.0.0.2"], "after": ["10.0.0.1", "10.0.0.2"]}, HOLDS),
    (p.an_address_stays, {"before": ["10.0.0.1", "10.0.0.2"], "after": ["10.0.0.1", "10.0.0.3"]}, WRONG),
    (p.an_address_stays, {"before": [], "after": []}, None),
    (p.pods_follow_each_other, {"up": UP, "down": DOWN, "said_goodbye": True}, HOLDS),
    (p.pods_follow_each_other, {"up": UP, "down": DOWN[:4], "said_goodbye": True}, HOLDS),
    (p.pods_follow_each_other, {"up": UP, "down": DOWN, "said_goodbye": False}, CONDITIONS),
    (p.pods_follow_each_other, {"up": [UP[0], UP[2], UP[1], *UP[3:]], "down": DOWN, "said_goodbye": True}, WRONG),
    (p.pods_follow_each_other, {"up": UP, "down": [DOWN[0], DOWN[2], DOWN[1], DOWN[3]], "said_goodbye": True}, WRONG),
    (p.pods_follow_each_other, {"up": UP, "down": [*DOWN[4:], *DOWN[:4]], "said_goodbye": True}, WRONG),
    (p.pods_follow_each_other, {"up": UP[:2], "down": DOWN[:2], "said_goodbye": True}, None),
    (p.updates_go_one_by_one, {"pods": GATES, "order": GATES[::-1], "most_away": 1}, HOLDS),
    (p.updates_go_one_by_one, {"pods": GATES, "order": GATES, "most_away": 1}, HOLDS),
    (p.updates_go_one_by_one, {"pods": GATES, "order": [GATES[1], GATES[0], GATES[2]], "most_away": 1}, CONDITIONS),
    (p.updates_go_one_by_one, {"pods": GATES, "order": GATES[::-1], "most_away": 3}, WRONG),
    (p.updates_go_one_by_one, {"pods": GATES, "order": GATES[:1], "most_away": 1}, None),
    (p.a_service_spreads, {"pods": GATES, "answered": set(GATES), "served_by": [[1], [2], [3]]}, HOLDS),
    (p.a_service_spreads, {"pods": GATES, "answered": {"gate-1"}, "served_by": [[1], [2], [3]]}, WRONG),
    (p.a_service_spreads, {"pods": GATES, "answered": set(GATES), "served_by": [[1, 2], [2], [3]]}, CONDITIONS),
    (p.a_service_spreads, {"pods": GATES, "answered": set(GATES), "served_by": [[], [2], [3]]}, CONDITIONS),
    (p.a_service_spreads, {"pods": GATES[:1], "answered": {"gate-0"}, "served_by": [[1]]}, None),
    (p.a_headless_service_has_one_address, {"service_ip": None, "answers": 3, "pods": 3}, WRONG),
    (p.a_headless_service_has_one_address, {"service_ip": "10.96.0.7", "answers": 1, "pods": 3}, HOLDS),
    (p.a_headless_service_has_one_address, {"service_ip": None, "answers": 1, "pods": 3}, HOLDS),
    (p.a_headless_service_has_one_address, {"service_ip": None, "answers": 2, "pods": 3}, None),
    (p.a_headless_service_has_one_address, {"service_ip": None, "answers": 1, "pods": 1}, None),
    (p.brokers_are_found_by_one_name, {"brokers": GATES, "found": GATES[::-1]}, HOLDS),
    (p.brokers_are_found_by_one_name, {"brokers": GATES, "found": GATES[:2]}, WRONG),
    (p.brokers_are_found_by_one_name, {"brokers": GATES[:1], "found": GATES[:1]}, None),
    (p.identity_and_storage_last, {**KEPT, "other_kept": 0, "other_volumes": 1}, HOLDS),
    (p.identity_and_storage_last, {**KEPT, "other_kept": 0, "other_volumes": 1, "other_at_once": 3}, HOLDS),
    (p.identity_and_storage_last, {**KEPT, "other_kept": 3, "other_volumes": 3}, CONDITIONS),
    (p.identity_and_storage_last, {**KEPT, "kept_names": 2, "other_kept": 0, "other_volumes": 1}, WRONG),
    (p.identity_and_storage_last, {**KEPT, "volumes": 1, "other_kept": 0, "other_volumes": 1}, WRONG),
    (p.identity_and_storage_last, {**KEPT, "replicas": 1, "other_kept": 0, "other_volumes": 1}, None),
    (p.the_declared_state_is_kept, {"wanted": 3, "taken": 2, "there_again": 3, "asked_for_it": 0}, HOLDS),
    (p.the_declared_state_is_kept, {"wanted": 3, "taken": 2, "there_again": 1, "asked_for_it": 0}, WRONG),
    (p.the_declared_state_is_kept, {"wanted": 3, "taken": 0, "there_again": 3, "asked_for_it": 0}, None),
    (p.the_declared_state_is_kept, {"wanted": 3, "taken": 2, "there_again": 3, "asked_for_it": 1}, None),
    (p.a_rollout_runs_by_itself, {**ROLLED, "acked": 900, "lost": 0}, HOLDS),
    (p.a_rollout_runs_by_itself, {**ROLLED, "acked": 900, "lost": 4}, CONDITIONS),
    (p.a_rollout_runs_by_itself, {**ROLLED, "most_away": 2, "acked": 900, "lost": 0}, CONDITIONS),
    (p.a_rollout_runs_by_itself, {**ROLLED, "replaced": GATES[:2], "acked": 900, "lost": 0}, WRONG),
    (p.a_rollout_runs_by_itself, {**ROLLED, "acked": 0, "lost": 0}, None),
    (p.brokers_are_reached_one_by_one, {**OUTSIDE, "acked_by": [3, 2, 1], "serve_all": 0}, CONDITIONS),
    (p.brokers_are_reached_one_by_one, {**OUTSIDE, "acked_by": [3, 2, 1], "serve_all": 1}, HOLDS),
    (p.brokers_are_reached_one_by_one, {**OUTSIDE, "acked_by": [1], "serve_all": 0}, WRONG),
    (p.brokers_are_reached_one_by_one, {"addresses": ["h:1"], "leaders": [1], "acked_by": [1], "serve_all": 1}, None),
    (p.the_advertised_address_counts, {**READDRESSED, "written": True, "wrong_written": False}, CONDITIONS),
    (p.the_advertised_address_counts, {**READDRESSED, "written": False, "wrong_written": False}, HOLDS),
    (p.the_advertised_address_counts, {**READDRESSED, "written": True, "wrong_written": True}, WRONG),
    (
        p.the_advertised_address_counts,
        {"pod_addresses": ["10.0.0.1", "10.0.0.1"], "written": True, "wrong_written": False},
        None,
    ),
    (p.data_need_not_follow, {"moved": True, "found_its_data": False, "claim_moved": False}, CONDITIONS),
    (p.data_need_not_follow, {"moved": True, "found_its_data": False, "claim_moved": True}, HOLDS),
    (p.data_need_not_follow, {"moved": True, "found_its_data": True, "claim_moved": False}, WRONG),
    (p.data_need_not_follow, {"moved": False, "found_its_data": True, "claim_moved": False}, None),
    (p.failed_pods_are_replaced, {"elsewhere": True, "pinned_elsewhere": False, "came_back": True}, CONDITIONS),
    (p.failed_pods_are_replaced, {"elsewhere": True, "pinned_elsewhere": False, "came_back": False}, CONDITIONS),
    (p.failed_pods_are_replaced, {"elsewhere": True, "pinned_elsewhere": True, "came_back": True}, HOLDS),
    (p.failed_pods_are_replaced, {"elsewhere": False, "pinned_elsewhere": False, "came_back": False}, WRONG),
    (p.scales_and_copes_with_nodes, {**GREW, "used_again": True, "moved": True, "waited": True}, CONDITIONS),
    (p.scales_and_copes_with_nodes, {**GREW, "used_again": False, "moved": True, "waited": False}, CONDITIONS),
    (p.scales_and_copes_with_nodes, {**GREW, "used_again": True, "moved": True, "waited": False}, HOLDS),
    (p.scales_and_copes_with_nodes, {**GREW, "used_again": True, "moved": False, "waited": True}, WRONG),
    (
        p.scales_and_copes_with_nodes,
        {"asked": 4, "there": 3, "used_again": True, "moved": True, "waited": True},
        WRONG,
    ),
    (p.the_api_server_notices, {"told_by": {"node-controller"}}, WRONG),
    (p.the_api_server_notices, {"told_by": {"kubelet"}}, WRONG),
    (p.the_api_server_notices, {"told_by": {"kube-apiserver"}}, HOLDS),
    (p.the_api_server_notices, {"told_by": set()}, None),
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
