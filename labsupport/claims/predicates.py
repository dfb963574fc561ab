"""What decides each claim. A predicate's keyword parameters name the evidence; it returns the verdict which that
evidence supports, with a sentence of facts that are the same on every machine (no counts, no times)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from labsupport.claims.evidence import Undecided
from labsupport.claims.rows import Verdict


@dataclass(frozen=True)
class Measured:
    """The verdict that a run supports, and what it saw."""

    verdict: Verdict
    saw: str


def an_in_sync_replica_takes_over(*, isr_before: Collection[int], killed: int, new_leader: int | None) -> Measured:
    """Broker ids: the ISR before the leader was killed, the leader, and who leads now (None: nobody)."""
    if len(set(isr_before) - {killed}) == 0:
        raise Undecided(
            "No other replica was in sync when the leader died, so none could follow it.",
            fix="Wait for the in-sync replicas (`topic.wait_for_isr`) before you kill the leader.",
        )
    if new_leader == killed:
        raise Undecided("The broker that was killed leads still or again.", fix="Wait for another leader first.")
    if new_leader is None:
        return Measured(Verdict.WRONG, f"broker {killed} died and nobody took over")
    if new_leader not in isr_before:
        return Measured(Verdict.WRONG, f"broker {killed} died and broker {new_leader}, not in sync, took over")
    return Measured(Verdict.HOLDS, f"broker {killed} died and broker {new_leader}, in sync, took over unasked")


def acknowledged_records_survive(*, acked: int, lost: int, min_insync_replicas: int, brokers_killed: int) -> Measured:
    """Counts of records sent with acks=all, and of brokers that died."""
    if acked == 0:
        raise Undecided(
            "No record had been acknowledged, so none could be lost.",
            fix="Wait for acknowledgements (`load.wait_for_acked`) before you kill the leader.",
        )
    if brokers_killed >= min_insync_replicas:
        raise Undecided(
            f"With {brokers_killed} dead and min.insync.replicas={min_insync_replicas}, a record may be lost.",
            fix="Kill fewer brokers than min.insync.replicas counts.",
        )
    if lost:
        return Measured(Verdict.WRONG, "acknowledged records are missing")
    return Measured(
        Verdict.CONDITIONS,
        f"no acknowledged record is missing, with fewer brokers dead ({brokers_killed}) than "
        f"min.insync.replicas ({min_insync_replicas})",
    )
