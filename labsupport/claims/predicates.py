"""What decides each claim. A predicate's keyword parameters name the evidence; it returns the verdict which that
evidence supports, with a sentence of facts that are the same on every machine (no counts, no times)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

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


def records_lie_in_a_file(*, sent: str, file_holds_it: bool) -> Measured:
    """What was sent, and whether these bytes stand in the partition's `.log` file."""
    if not sent:
        raise Undecided("Nothing was sent, and nothing is in every file.", fix="Send a record with a value.")
    if file_holds_it:
        return Measured(Verdict.HOLDS, "the bytes that were sent stand in the broker's .log file")
    return Measured(Verdict.WRONG, "the bytes that were sent are in no .log file of the partition")


def what_was_written_stays(*, grown: bool, unchanged: bool) -> Measured:
    """Of a `.log` file, before and after more was sent: is it longer, and does it begin with what it was?"""
    if not grown:
        raise Undecided("The file did not grow.", fix="Send a record, and read the file again.")
    if unchanged:
        return Measured(Verdict.HOLDS, "the file grew at its end, and not one byte before that changed")
    return Measured(Verdict.WRONG, "bytes that had been written were changed")


def offsets_follow_each_other(*, offsets: Sequence[int], markers: int) -> Measured:
    """The offsets of a partition's records in their order, and how many markers of transactions lie between them."""
    if len(offsets) < 3:
        raise Undecided("Two offsets are no sequence.", fix="Send more records.")
    if any(after <= before for before, after in pairwise(offsets)):
        return Measured(Verdict.WRONG, "an offset does not follow the one before it")
    left_out = offsets[-1] - offsets[0] + 1 - len(offsets)
    if left_out == 0:
        return Measured(Verdict.HOLDS, "each record has the next number")
    if left_out <= markers:
        return Measured(Verdict.CONDITIONS, "numbers only rise, but a transaction's marker has taken one of them")
    return Measured(Verdict.WRONG, "offsets are left out, and nothing in the log has them")


def records_go_round(*, records: int, partitions: int, changes: int, longest_run: int) -> Measured:
    """Records without a key: how often the next one went to another partition, and the most in a row to one."""
    if records < 100 * partitions or partitions < 2:
        raise Undecided("Too few records or partitions to tell turns from runs.", fix="Send some thousands.")
    if longest_run == 1:
        return Measured(Verdict.HOLDS, "each record went to another partition than the one before")
    if changes * 5 < records:
        return Measured(Verdict.OUTDATED, "records without a key went to the partitions in long runs, not in turn")
    raise Undecided("Records went to the partitions neither in turn nor in runs.", fix="Did several producers send?")


def order_is_kept(*, in_each_partition: bool, as_received: bool) -> Measured:
    """Whether records stand in the order of sending within each partition, and in what a consumer of all received."""
    if not in_each_partition:
        return Measured(Verdict.WRONG, "a partition has its records in another order than they were sent")
    if as_received:
        return Measured(Verdict.HOLDS, "each partition has its records in the order of sending")
    return Measured(
        Verdict.HOLDS, "each partition has its records in the order of sending; read together, they are not in order"
    )


def a_partition_has_segments(*, segments: int, named_by_first_offset: bool) -> Measured:
    """How many segments a partition has, and whether each file is named by the first offset in it."""
    if not named_by_first_offset:
        return Measured(Verdict.WRONG, "a file of the partition does not begin with the offset in its name")
    if segments < 2:
        raise Undecided("The log is still too short to be divided.", fix="Send more, or lower segment.bytes.")
    return Measured(Verdict.HOLDS, "several files, each named by its first offset")


def an_index_leads_there(*, sought: int, found: int, entries: int, batches: int, records: int) -> Measured:
    """Offsets sought and found by the index, and how many entries it has for how many batches and records."""
    if found != sought:
        return Measured(Verdict.WRONG, "the index led to another record")
    if entries == 0 or records < 100:
        raise Undecided("There was hardly anything to look up.", fix="Send more records.")
    if entries >= records:
        return Measured(Verdict.HOLDS, "the index has an entry for each record, and leads to it")
    if entries < batches:
        return Measured(
            Verdict.CONDITIONS, "found; the index knows some batches only, and from the nearest one the log is read on"
        )
    return Measured(Verdict.CONDITIONS, "found; the index knows batches, not records")


def segments_spare_reading(*, segmented_bytes: int, one_file_bytes: int, one_file_size_bytes: int) -> Measured:
    """Bytes read to find the same record: in a log of several segments, and in a single file of so many bytes."""
    if one_file_size_bytes < 20 * segmented_bytes:
        raise Undecided("The single file is too small for a difference to show.", fix="Send more records.")
    if one_file_bytes * 10 < one_file_size_bytes:
        return Measured(Verdict.WRONG, "in one large file hardly more was read: the index finds the place, not the cut")
    return Measured(Verdict.HOLDS, "in one large file a good part of it had to be read")


def deleting_drops_files(*, segments_before: int, segments_after: int, rest_untouched: bool) -> Measured:
    """How many segments there were and are, and whether those that stayed are the same to the byte."""
    if segments_after >= segments_before:
        raise Undecided("Nothing was deleted.", fix="Lower retention.bytes, and wait for the broker's next check.")
    if rest_untouched:
        return Measured(Verdict.HOLDS, "whole files went, and not one byte of the others was written anew")
    return Measured(Verdict.WRONG, "the files that stayed were written anew")


def leading_is_shared(*, leaders: Sequence[int], leaders_later: Sequence[int], brokers: int) -> Measured:
    """Who leads each partition, at first and after brokers had died and come back, of so many brokers."""
    if len(leaders) < brokers or len(leaders_later) != len(leaders):
        raise Undecided("There are fewer partitions than brokers.", fix="Create as many partitions as brokers.")
    if len(set(leaders)) < brokers:
        return Measured(Verdict.WRONG, "a broker led no partition from the beginning")
    if len(set(leaders_later)) < brokers:
        return Measured(Verdict.CONDITIONS, "at first each broker led a partition; after failures, some led none")
    return Measured(Verdict.HOLDS, "each broker leads a partition, also after failures")


def a_follower_behind_takes_over(*, in_sync: Collection[int], alive: Collection[int], leader: int | None) -> Measured:
    """The ISR when the leader died, the replicas then alive, and who led (None: nobody)."""
    behind = set(alive) - set(in_sync)
    if not behind:
        raise Undecided("No living follower was behind.", fix="Leave one out of the ISR before the leader dies.")
    if leader in behind:
        return Measured(Verdict.HOLDS, "a follower that was behind became leader")
    if leader is None:
        return Measured(Verdict.CONDITIONS, "the followers that lived were behind, and none of them led")
    return Measured(Verdict.CONDITIONS, "a follower in sync became leader, and none that was behind")


def a_follower_stays_in_sync(*, isr: Collection[int], leader: int, replicas: int) -> Measured:
    """The smallest ISR that was seen of a partition with so many replicas, and its leader then."""
    if replicas < 2:
        raise Undecided("A single replica has no follower.", fix="Use a topic with three replicas.")
    if set(isr) == {leader}:
        return Measured(Verdict.WRONG, "the in-sync replicas were the leader alone")
    return Measured(Verdict.HOLDS, "a follower was in sync all the time")


def a_leader_alone_commits(*, isr: Collection[int], acknowledged: bool, consumed: bool) -> Measured:
    """With this ISR, was a record acknowledged to acks=all, and did a consumer get it?"""
    if len(isr) != 1:
        raise Undecided("A follower was in sync.", fix="Wait until the leader is alone (`topic.wait_for_isr(size=1)`).")
    if acknowledged and consumed:
        return Measured(Verdict.WRONG, "the leader alone acknowledged a record, and a consumer got it")
    return Measured(Verdict.HOLDS, "with the leader alone, no record was acknowledged and consumed")


def a_commit_waits_for_all(
    *, isr_while_waiting: Collection[int], silent: Collection[int], acked_then: bool, acked: bool
) -> Measured:
    """An acks=all write while members of the ISR were silent: was it acknowledged then, and once they had left it?"""
    if not set(silent) & set(isr_while_waiting):
        raise Undecided("Nobody in the ISR was silent.", fix="Send right after the brokers were hit.")
    if acked_then:
        return Measured(Verdict.WRONG, "the write was acknowledged before every in-sync replica had it")
    if not acked:
        raise Undecided("The write was never acknowledged.", fix="Wait for the ISR to shrink.")
    return Measured(Verdict.HOLDS, "the write waited as long as a silent broker was in the list of those in sync")


def laggards_are_struck_off(*, isr_before: int, isr_after: int, shrank_after_s: float, lag_limit_s: float) -> Measured:
    """Sizes of the ISR before and after followers fell silent, and after how many seconds; the leader's own limit."""
    if isr_after >= isr_before:
        return Measured(Verdict.WRONG, "silent followers stayed in the list")
    if shrank_after_s < lag_limit_s:
        return Measured(
            Verdict.CONDITIONS, "silent followers left the list sooner than the leader would have struck them off"
        )
    return Measured(Verdict.HOLDS, "silent followers left the list when the leader's limit was over")


def the_leader_controls(
    *, controller: int, leaders: Collection[int], replaced_without: bool, replaced_with: bool
) -> Measured:
    """The controller's id and the leaders' ids; was a dead leader replaced while the controller was dead, and after?"""
    if not replaced_with:
        raise Undecided("The leader was not replaced at all.", fix="Start the controller again, and wait.")
    if controller in leaders:
        raise Undecided("The controller was a leader, too.", fix="Use separate controllers.")
    if replaced_without:
        return Measured(Verdict.HOLDS, "without the controller, the leaders replaced a dead one")
    return Measured(
        Verdict.WRONG, "the controller leads no partition; while it was dead, nobody replaced a leader, and then it did"
    )


def all_its_partitions_get_leaders(
    *, led_before: Sequence[int], killed: int, leaders_after: Sequence[int | None]
) -> Measured:
    """Partitions that the killed broker led, and who leads each of them afterwards."""
    if not led_before or len(leaders_after) != len(led_before):
        raise Undecided("The broker that was killed led nothing.", fix="Kill one that leads.")
    if any(leader in (None, killed) for leader in leaders_after):
        return Measured(Verdict.WRONG, "a partition of the dead broker got no other leader")
    return Measured(Verdict.HOLDS, "every partition that the dead broker had led got another leader")


def any_broker_may_control(*, zookeeper: Sequence[int], kraft: Sequence[int], brokers: Collection[int]) -> Measured:
    """Who controlled, before and after the controller died, in both modes; and the brokers' ids."""
    if len(set(zookeeper)) < 2:
        raise Undecided("The controller did not change.", fix="Kill it, and wait for another.")
    if not set(zookeeper) <= set(brokers):
        return Measured(Verdict.WRONG, "under ZooKeeper, something else than a broker controlled")
    if set(kraft) & set(brokers):
        return Measured(Verdict.HOLDS, "in both modes a broker controlled")
    return Measured(
        Verdict.OUTDATED, "under ZooKeeper one broker controlled after another; in KRaft none of the brokers did"
    )


def a_majority_does_not_decide(
    *, replicas: int, alive: Collection[int], in_sync: Collection[int], leader: int | None
) -> Measured:
    """Of so many replicas: those alive, those that had been in sync when the leader died, and who led then."""
    if 2 * len(alive) <= replicas or set(alive) & set(in_sync):
        raise Undecided("No majority was alive, or one of it was in sync.", fix="Leave both followers behind.")
    if leader in alive:
        return Measured(Verdict.WRONG, "a majority of the replicas lived, and one of it became leader")
    return Measured(Verdict.HOLDS, "a majority of the replicas lived, and could make none of them leader")


def the_list_changes(*, sizes: Sequence[int]) -> Measured:
    """Sizes of an ISR: before followers fell silent, while they were, and after they had caught up."""
    before, during, after = sizes
    if during < before and after > during:
        return Measured(Verdict.HOLDS, "the list shrank when followers fell silent, and grew when they had caught up")
    return Measured(Verdict.WRONG, "the list stayed as it was")
