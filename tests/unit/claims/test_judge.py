"""A run is held against the ledger: it agrees, contradicts, or settles nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsupport.claims import judge, predicates
from labsupport.claims.audit import read_pages
from labsupport.claims.evidence import Undecided
from labsupport.claims.rows import Verdict
from labsupport.core.errors import Contradiction, LabError

TOOK_OVER = {"isr_before": [1, 2, 3], "killed": 1, "new_leader": 2}
NOTHING_LOST = {"acked": 4711, "lost": 0, "min_insync_replicas": 2, "brokers_killed": 1}


def test_a_run_that_agrees_is_a_judgement() -> None:
    """The judgement carries the row's verdict and what this run saw."""
    judgement = judge("5.3-failover", TOOK_OVER)
    assert judgement.verdict == "holds" and judgement.settled
    assert judgement.saw == "broker 1 died and broker 2, in sync, took over unasked"


def test_a_judgement_reads_the_same_on_every_machine() -> None:
    """Counts and times of this run are in `evidence`, never in the text."""
    few, many = (judge("5.3.1-acked-not-lost", {**NOTHING_LOST, "acked": acked}) for acked in (7, 70_000))
    assert repr(few) == repr(many)
    assert ("acked", "70000") in many.evidence


def test_the_text_of_a_judgement() -> None:
    """Verdict and id, the claim, what was seen, why."""
    lines = str(judge("5.3-failover", TOOK_OVER)).splitlines()
    assert lines[0] == "✓ holds   5.3-failover (§5.3)"
    assert [line.split()[0] for line in lines[1:]] == ["claim", "saw", "why"]


def test_the_reference_run_stands_beside_this_one_and_not_in_the_text() -> None:
    """Another broker may take over on another machine: other words, the same verdict, no contradiction."""
    here = judge("5.3-failover", {**TOOK_OVER, "new_leader": 3})
    assert here.saw == "broker 1 died and broker 3, in sync, took over unasked"
    assert here.reference == "broker 1 died and broker 2, in sync, took over unasked"
    assert here.reference not in str(here)


def test_the_committed_page_shows_the_text_as_it_is_today() -> None:
    """A change of the text form would fail the page; so it fails here first."""
    shown = read_pages(Path(__file__).parents[3])["00-start-here"].shown
    assert str(judge("5.3-failover", TOOK_OVER)) in shown
    assert str(judge("5.3.1-acked-not-lost", NOTHING_LOST)) in shown


def test_a_run_that_says_otherwise_raises() -> None:
    """A page cannot show a verdict that its own run refutes."""
    with pytest.raises(Contradiction, match=r"“holds”, but this run says “wrong”: broker 1 died and nobody took over"):
        judge("5.3-failover", {**TOOK_OVER, "new_leader": None})


def test_missing_evidence_is_named() -> None:
    """The message says what is missing and what is wanted."""
    with pytest.raises(LabError, match=r"lacks new_leader.*isr_before, killed, new_leader"):
        judge("5.3-failover", {"isr_before": [1, 2, 3], "killed": 1})


def test_evidence_that_nobody_reads_is_named() -> None:
    """A misspelt name does not pass silently."""
    with pytest.raises(LabError, match="has leader, which nobody reads"):
        judge("5.3-failover", {**TOOK_OVER, "leader": 2})


def test_an_untested_row_comes_back_unsettled() -> None:
    """What the ledger does not know, a run cannot contradict."""
    judgement = judge("5.3.3-40-percent", {"saved": 0.4})
    assert not judgement.settled and str(judgement).startswith("? untested")


def test_evidence_from_a_broker_cannot_obey_a_terminal() -> None:
    """Control characters in evidence are escaped before anybody shows them."""
    judgement = judge("5.3.3-40-percent", {"name": "\x1b[2J"})
    assert judgement.evidence == (("name", "\\x1b[2J"),)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        ({"new_leader": 2}, Verdict.HOLDS),
        ({"new_leader": 3}, Verdict.HOLDS),
        ({"new_leader": None}, Verdict.WRONG),
        ({"new_leader": 4}, Verdict.WRONG),
    ],
)
def test_failover_is_confirmed_by_an_in_sync_leader_only(evidence: dict[str, int | None], verdict: Verdict) -> None:
    """Whoever takes over must have been in sync; nobody, or a stranger, refutes the claim."""
    measured = predicates.an_in_sync_replica_takes_over(isr_before=[1, 2, 3], killed=1, **evidence)
    assert measured.verdict is verdict


@pytest.mark.parametrize("evidence", [{"isr_before": [1], "new_leader": None}, {"isr_before": [1, 2], "new_leader": 1}])
def test_failover_is_not_settled_without_a_candidate_or_a_change(evidence: dict[str, object]) -> None:
    """With nobody else in sync, or the same leader as before, the claim was not put to the test."""
    with pytest.raises(Undecided):
        predicates.an_in_sync_replica_takes_over(killed=1, **evidence)  # type: ignore[arg-type]


def test_one_lost_record_refutes_that_none_is_lost() -> None:
    """The condition was kept, so a single missing record is enough."""
    measured = predicates.acknowledged_records_survive(acked=9, lost=1, min_insync_replicas=2, brokers_killed=1)
    assert measured.verdict is Verdict.WRONG


@pytest.mark.parametrize("evidence", [{"acked": 0}, {"brokers_killed": 2}, {"min_insync_replicas": 1}])
def test_an_experiment_that_could_not_lose_or_may_lose_settles_nothing(evidence: dict[str, int]) -> None:
    """No acknowledged record, or more brokers dead than the setting covers: the claim is not put to the test."""
    with pytest.raises(Undecided):
        predicates.acknowledged_records_survive(**{**NOTHING_LOST, **evidence})
