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


def a_name_is_the_identity(*, replaced: int, names_kept: bool, addresses_kept: int) -> Measured:
    """Of so many pods that were replaced: had the new ones the old names, and how many had the old IP address?"""
    if replaced == 0:
        raise Undecided("No pod was replaced.", fix="Delete one (`space.delete_pod`), and wait for another.")
    if addresses_kept == replaced:
        return Measured(Verdict.HOLDS, "each pod that took another's place had its IP address")
    if not names_kept:
        return Measured(Verdict.WRONG, "neither name nor IP address stayed when a pod was replaced")
    return Measured(Verdict.WRONG, "a pod that took another's place had its name, and another IP address")


def an_address_stays(*, before: Sequence[str], after: Sequence[str]) -> Measured:
    """The IP addresses of pods of a StatefulSet, and of those that took their places, in the same order."""
    if not before or len(before) != len(after):
        raise Undecided("No pod was replaced.", fix="Delete one (`space.delete_pod`), and wait for another.")
    if list(before) == list(after):
        return Measured(Verdict.HOLDS, "each pod came back under its IP address")
    return Measured(Verdict.WRONG, "pods came back under other IP addresses than before")


def pods_follow_each_other(*, up: Sequence[str], down: Sequence[str], said_goodbye: bool) -> Measured:
    """What happened to pods when a StatefulSet grew and shrank, as "gate-0 created"; and did each end by itself?"""
    grew = [step.rpartition(" ")[0] for step in up if step.endswith(" created")]
    if len(grew) < 2 or len(down) < 4:
        raise Undecided("One pod is no order.", fix="Grow and shrink by two pods at least.")
    began = [f"{pod} {what}" for pod in sorted(grew) for what in ("created", "ready")]
    ended = [f"{pod} {what}" for pod in sorted(grew, reverse=True) for what in ("ending", "gone")]
    if list(up) != began or list(down) != ended[: len(down)]:
        return Measured(
            Verdict.WRONG, "pods began or ended in another order, or before the one before was ready or gone"
        )
    if not said_goodbye:
        return Measured(
            Verdict.CONDITIONS, "pods began and ended in order, but were cut off instead of ending themselves"
        )
    return Measured(
        Verdict.HOLDS, "each began when the one before was ready, and the last ended first, by itself when asked to"
    )


def updates_go_one_by_one(*, pods: Sequence[str], order: Sequence[str], most_away: int) -> Measured:
    """The pods of a StatefulSet in the order of their numbers, in which order they were replaced, and how many were
    away at once."""
    if len(pods) < 3 or set(order) != set(pods):
        raise Undecided("Not every pod was replaced.", fix="Restart the rollout, and wait for it (`wait_for_rollout`).")
    if most_away > 1:
        return Measured(Verdict.WRONG, "several pods were away at once")
    if list(order) == list(reversed(pods)):
        return Measured(Verdict.HOLDS, "one by one, the last first")
    if list(order) == list(pods):
        return Measured(Verdict.HOLDS, "one by one, the first first")
    return Measured(Verdict.CONDITIONS, "one by one, but not in the order of their numbers")


def a_service_spreads(
    *, pods: Collection[str], answered: Collection[str], served_by: Sequence[Collection[int]]
) -> Measured:
    """The pods behind a plain Service, which of them answered; and by which broker ids each partition is served."""
    if len(pods) < 2 or not served_by:
        raise Undecided("With one pod there is nothing to spread over.", fix="Use three pods, and three partitions.")
    if set(answered) != set(pods):
        return Measured(Verdict.WRONG, "not every pod behind the Service answered")
    if any(len(set(brokers)) != 1 for brokers in served_by):
        return Measured(
            Verdict.CONDITIONS, "all pods answered; but a partition was served by several brokers, or by none"
        )
    return Measured(Verdict.HOLDS, "all pods behind one address answered; each partition was served by one broker only")


def a_headless_service_has_one_address(*, service_ip: str | None, answers: int, pods: int) -> Measured:
    """The virtual address of a headless Service (None: it has none), and with how many addresses DNS answers for it."""
    if pods < 2:
        raise Undecided("With one pod, one answer says nothing.", fix="Ask when three pods are ready.")
    if service_ip is not None or answers == 1:
        return Measured(Verdict.HOLDS, "the name stood for one address")
    if answers == pods:
        return Measured(Verdict.WRONG, "it has no address of its own: DNS answered with that of every pod")
    raise Undecided("DNS did not know every pod yet.", fix="Wait for it (`wait_until_resolved`).")


def brokers_are_found_by_one_name(*, brokers: Collection[str], found: Collection[str]) -> Measured:
    """The brokers there are, and those that a client found which was told the name of the headless Service only."""
    if len(brokers) < 2:
        raise Undecided("One broker is found by any name of it.", fix="Start three.")
    if set(found) == set(brokers):
        return Measured(Verdict.HOLDS, "told one name, a client found every broker, each under a name of its own")
    return Measured(Verdict.WRONG, "told the name of the Service, a client did not find every broker")


def identity_and_storage_last(
    *, replicas: int, kept_names: int, volumes: int, other_kept: int, other_volumes: int, other_at_once: int
) -> Measured:
    """Of a StatefulSet's pods: how many names stayed when all were replaced, and how many volumes there are.
    `other_`: the same of a Deployment's, and how many pods there were at most while they were replaced."""
    if replicas < 2:
        raise Undecided("With one pod, sharing cannot be told from owning.", fix="Use three replicas.")
    if kept_names < replicas or volumes < replicas:
        return Measured(Verdict.WRONG, "a StatefulSet's pods lost their names, or shared a volume")
    if other_kept == replicas and other_volumes >= replicas:
        return Measured(Verdict.CONDITIONS, "a Deployment's pods kept names and volumes, too")
    too_many = ", and for a while more pods than declared" if other_at_once > replicas else ""
    return Measured(
        Verdict.HOLDS, f"a StatefulSet's pods kept name and volume; a Deployment's had new names, one volume{too_many}"
    )


def the_declared_state_is_kept(*, wanted: int, taken: int, there_again: int, asked_for_it: int) -> Measured:
    """Pods declared, pods taken away, pods ready afterwards, and how often somebody had asked for that."""
    if taken == 0 or asked_for_it:
        raise Undecided("Nothing was taken away, or somebody helped.", fix="Delete pods, and only wait.")
    if there_again == wanted:
        return Measured(Verdict.HOLDS, "pods that were taken away were replaced without anybody's asking")
    return Measured(Verdict.WRONG, "pods that were taken away stayed away")


def a_rollout_runs_by_itself(
    *, pods: Collection[str], replaced: Collection[str], most_away: int, acked: int, lost: int
) -> Measured:
    """The brokers' pods, those that one order replaced, how many were away at once; and acks=all records then."""
    if acked == 0:
        raise Undecided("No record had been acknowledged, so none could be lost.", fix="Write during the rollout.")
    if set(replaced) != set(pods):
        return Measured(Verdict.WRONG, "not every broker was replaced")
    if lost:
        return Measured(Verdict.CONDITIONS, "every broker was replaced, but acknowledged records are missing")
    if most_away > 1:
        return Measured(Verdict.CONDITIONS, "every broker was replaced, but several were away at once")
    return Measured(Verdict.HOLDS, "one order replaced every broker, one by one, and no acknowledged record is missing")


def brokers_are_reached_one_by_one(
    *, addresses: Sequence[str], leaders: Collection[int], acked_by: Collection[int], serve_all: int
) -> Measured:
    """Where clients outside reach each broker; the brokers that lead, those that acknowledged a write from outside; and
    how many addresses would do for every partition."""
    if len(addresses) < 2 or len(set(leaders)) < 2:
        raise Undecided("One broker needs one address.", fix="Start three, each of which leads a partition.")
    if set(acked_by) != set(leaders):
        return Measured(Verdict.WRONG, "from outside, not every leader was reached")
    if serve_all:
        return Measured(Verdict.HOLDS, "from outside every leader was reached, and one address would have done")
    return Measured(
        Verdict.CONDITIONS,
        "from outside every leader was reached, each under an address of its own; none served for all",
    )


def the_advertised_address_counts(*, pod_addresses: Sequence[str], written: bool, wrong_written: bool) -> Measured:
    """The addresses that a broker's pods had one after the other; whether its clients wrote under each of them, and
    whether they did when the broker advertised an address that is not theirs."""
    if len(set(pod_addresses)) < 2:
        raise Undecided("The pod's address did not change.", fix="Delete the pod, and wait for another.")
    if not written:
        return Measured(Verdict.HOLDS, "when the pod's address had changed, clients did not reach the broker")
    if wrong_written:
        return Measured(Verdict.WRONG, "clients reached the broker, whatever address it advertised")
    return Measured(
        Verdict.CONDITIONS,
        "the pod's address changed and clients went on; with another advertised address they did not reach it",
    )


def data_need_not_follow(*, moved: bool, found_its_data: bool, claim_moved: bool) -> Measured:
    """A pod whose folder goes with it: was the next one on another node, and had it the data? And was a pod with a
    volume on one node started on another?"""
    if not moved:
        raise Undecided("No pod was started on another node.", fix="Cordon its node, and delete the pod.")
    if claim_moved:
        return Measured(Verdict.HOLDS, "a pod with a claim was started on another node than its volume")
    if found_its_data:
        return Measured(Verdict.WRONG, "on another node, a pod found its data; one with a claim stayed where it was")
    return Measured(
        Verdict.CONDITIONS,
        "a pod without a claim was started on another node, without its data; one with a claim waited for its volume",
    )


def failed_pods_are_replaced(*, elsewhere: bool, pinned_elsewhere: bool, came_back: bool) -> Measured:
    """While a node was silent: was a Deployment's pod replaced on another one, and a broker's with its volume there?
    And did that broker come back when the node did?"""
    if not elsewhere and not came_back:
        return Measured(Verdict.WRONG, "no pod was replaced")
    if elsewhere and pinned_elsewhere:
        return Measured(Verdict.HOLDS, "every pod was replaced on another node")
    if elsewhere and came_back:
        return Measured(
            Verdict.CONDITIONS,
            "a Deployment's pod was replaced on another node; a broker's was not before its own node was back",
        )
    return Measured(Verdict.CONDITIONS, "only some of the pods were replaced")


def scales_and_copes_with_nodes(*, asked: int, there: int, used_again: bool, moved: bool, waited: bool) -> Measured:
    """Pods declared and pods there; whether a node that took pods again got one; whether a pod of a lost node was
    replaced elsewhere, and whether another one waited for that node."""
    if there < asked:
        return Measured(Verdict.WRONG, "more pods were declared than came")
    if not moved:
        return Measured(Verdict.WRONG, "more pods came, but no pod of a lost node was replaced elsewhere")
    if waited:
        return Measured(
            Verdict.CONDITIONS,
            "more pods came when they were declared; of those on a lost node, one was replaced and a broker's waited",
        )
    if not used_again:
        return Measured(Verdict.CONDITIONS, "pods came and were replaced, but a node that was back got none")
    return Measured(Verdict.HOLDS, "pods came, were replaced, and a node that was back got its share")


def the_api_server_notices(*, told_by: Collection[str]) -> Measured:
    """Which parts of Kubernetes wrote down that the node of a pod is not ready."""
    if not told_by:
        raise Undecided("Nobody said that a node is not ready.", fix="Freeze one, and wait (`wait_for_node`).")
    if any("apiserver" in who for who in told_by):
        return Measured(Verdict.HOLDS, "the API server said that the node is not ready")
    if set(told_by) == {"node-controller"}:
        return Measured(Verdict.WRONG, "the node controller said that the node is not ready")
    return Measured(Verdict.WRONG, "another part of Kubernetes said that the node is not ready")
