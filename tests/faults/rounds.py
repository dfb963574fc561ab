"""The promise, put to the test: acks=all, min.insync.replicas=2, idempotent, while brokers are killed and frozen.

    .venv/bin/python -m tests.faults.rounds --mode kraft --rounds 20 --seed 7

runs the twenty rounds that seed 7 stands for, on one cluster, and prints a line for each. A round counts only if the
Recording shows its effect while sends were in flight; one that does not is void, and another takes its place.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labsupport import Cluster, Recording, faults
from labsupport.clients.load import Load
from labsupport.cluster.broker import Broker
from labsupport.cluster.topic import Topic
from labsupport.core.clock import now_s
from labsupport.core.errors import WaitTimeout
from labsupport.core.wait import wait_until
from labsupport.observe import Entry, HistoryVerdict, verdict
from tests.faults.well import wait_until_well

MODES = ("kraft", "zookeeper")
TARGETS = ("leader", "follower", "controller")
STRIKES = ("killed", "paused")
SESSION_TIMEOUT_MS = 5_000
# A broker waits for an answer of a frozen controller, as long as 30 s by default, before it asks the new one.
ALL_MODES = {"controller.socket.timeout.ms": 3_000}
SETTINGS: dict[str, dict[str, object]] = {
    "kraft": ALL_MODES | {"broker.session.timeout.ms": SESSION_TIMEOUT_MS, "broker.heartbeat.interval.ms": 1_000},
    "zookeeper": ALL_MODES | {"zookeeper.session.timeout.ms": SESSION_TIMEOUT_MS},
}
# A request that a frozen broker holds is given up after three seconds and sent again: so there are retries.
CLIENT = {"socket.timeout.ms": 3_000, "request.timeout.ms": 3_000}
RECORDS_PER_S = 200
PARTITIONS = {0: [1, 2, 3], 1: [2, 3, 1], 2: [3, 1, 2]}
PATIENCE_S = 90
VOID_LIMIT = 3

Effect = Callable[[Entry], bool]


@dataclass(frozen=True)
class Round:
    """One entry of a schedule: who is struck, how, after how many acknowledged records, and healed how much later."""

    number: int
    target: str
    strike: str
    after_acked: int
    healed_after_s: float

    def __str__(self) -> str:
        return f"{self.number:>2} {self.target} {self.strike} after {self.after_acked} records"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a round came to. `effect_s`: seconds from the strike to its effect; `in_flight`: sends open at the strike
    or due before the effect, that ended after the strike. None and 0: there was no effect, and the round is void."""

    round: Round
    struck: str
    effect: str
    effect_s: float | None
    in_flight: int
    verdict: HistoryVerdict
    errors: dict[str, int]

    @property
    def counts(self) -> bool:
        return self.effect_s is not None and self.in_flight > 0

    @property
    def kept(self) -> bool:
        """Whether the promise was kept: no anomaly of any kind."""
        return self.verdict.clean and self.verdict.acked > 0

    def __str__(self) -> str:
        found = self.verdict
        said = "void" if not self.counts else "ok" if self.kept else "BROKEN"
        seen = f"{self.effect} after {self.effect_s:.1f} s" if self.effect_s is not None else "no effect seen"
        counts = f"acked {found.acked}, unknown {found.unknown}, lost {found.lost}, duplicated {found.duplicated}"
        rest = {kind: n for kind, n in found.anomalies.items() if kind not in ("lost", "duplicated", "reordered")}
        return (
            f"{self.round} ({self.struck}): {seen}, {self.in_flight} in flight; {counts}, reordered {found.reordered}"
            f"{f', {rest}' if rest else ''} {said}"
        )


def schedule(seed: int, rounds: int) -> Iterator[Round]:
    """`rounds` rounds and, in case some are void, more. Each pair of target and strike comes equally often."""
    chance = random.Random(seed)
    pairs = [(target, strike) for target in TARGETS for strike in STRIKES]
    for number in range(rounds + VOID_LIMIT):
        if number % len(pairs) == 0:
            chance.shuffle(pairs)
        target, strike = pairs[number % len(pairs)]
        yield Round(number + 1, target, strike, chance.randint(50, 150), round(chance.uniform(0, 1.5), 2))


def start(mode: str) -> Cluster:
    """Three brokers, that are controllers too in KRaft, and one ZooKeeper server else."""
    return Cluster.start(3, mode, config={"auto.leader.rebalance.enable": False, **SETTINGS[mode]})


def run(cluster: Cluster, plan: Round, *, name: str) -> Outcome:
    """Strike during a load, wait for the effect, heal, wait until all is well, read back and judge."""
    recording = cluster.recording
    assert isinstance(recording, Recording)
    topic = cluster.create_topic(name, replica_assignment=PARTITIONS, config={"min.insync.replicas": 2})
    with cluster.load(topic, records_per_s=RECORDS_PER_S, delivery_timeout_ms=120_000, config=CLIENT) as load:
        load.wait_for_acked(plan.after_acked, timeout_s=PATIENCE_S)
        broker = _target(cluster, topic, plan.target)
        words, effect = _effect(topic, plan.target, broker)
        with getattr(faults, plan.strike)(broker) as fault:
            effect_at_s = _wait_for(recording, effect, after_s=fault.began_s)
            _let_pass(load, plan.healed_after_s)
        load.wait_for_acked_after(now_s(), timeout_s=PATIENCE_S)
        wait_until_well(cluster, topic, timeout_s=PATIENCE_S)
    cluster.read_back(topic, timeout_s=PATIENCE_S)
    return Outcome(
        round=plan,
        struck=broker.name,
        effect=words,
        effect_s=None if effect_at_s is None else effect_at_s - fault.began_s,
        in_flight=_in_flight(recording, topic, fault.began_s, effect_at_s),
        verdict=verdict(recording, topic.name),
        errors=dict(load.report().errors),
    )


def _target(cluster: Cluster, topic: Topic, target: str) -> Broker:
    if target == "controller":
        return cluster.controller()
    return cluster.leader(topic) if target == "leader" else cluster.followers(topic)[0]


def _effect(topic: Topic, target: str, broker: Broker) -> tuple[str, Effect]:
    """What the Recording must show, in words and as a test of an event."""
    struck = broker.node_id

    def of_partition_0(event: Entry) -> bool:
        return event.get("topic") == topic.name and event.get("partition") == 0

    if target == "controller":
        return "another controller", lambda event: event["what"] == "controller" and event["node"] not in (None, struck)
    if target == "leader":
        return (
            "leader moved",
            lambda event: of_partition_0(event) and event["what"] == "leader" and event["node"] not in (None, struck),
        )
    return "ISR shrank", lambda event: of_partition_0(event) and event["what"] == "isr" and struck not in event["isr"]


def _wait_for(recording: Recording, effect: Effect, *, after_s: float) -> float | None:
    """When the first event after `after_s` that is the effect happened; None if none is seen in time."""
    follower = recording.follow(kinds={"event"})
    seen: list[float] = []

    def look() -> bool:
        recording.flush()
        seen.extend(
            event["t"] for event in follower.poll() if event["t"] > after_s - recording.began_s and effect(event)
        )
        return bool(seen)

    try:
        wait_until(look, PATIENCE_S, because="the effect in the Recording")
    except WaitTimeout:
        return None
    finally:
        follower.close()
    return recording.began_s + seen[0]


def _let_pass(load: Load, some_s: float) -> None:
    """The schedule's random moment, not a wait for something."""
    until_s = now_s() + some_s
    wait_until(lambda: now_s() >= until_s or load.finished, some_s + 1, because="the moment to heal")


def _in_flight(recording: Recording, topic: Topic, began_s: float, effect_at_s: float | None) -> int:
    """Sends that were due before the effect, and ended after the fault began."""
    if effect_at_s is None:
        return 0
    began_t, effect_t = began_s - recording.began_s, effect_at_s - recording.began_s
    sends = (send for send in recording.entries(kinds={"send"}) if send["topic"] == topic.name)
    return sum(send["intended"] < effect_t and send["t"] > began_t for send in sends)


def run_all(mode: str, *, seed: int, rounds: int, say: Callable[[str], None]) -> list[Outcome]:
    """All rounds of a schedule on one cluster; `say` gets a line for each. Void ones are not among the outcomes."""
    outcomes: list[Outcome] = []
    with start(mode) as cluster:
        say(f"# {mode}, Kafka {cluster.spec.version}, seed {seed}, {rounds} rounds; {_settings(mode)}")
        for plan in schedule(seed, rounds):
            outcome = run(cluster, plan, name=f"round-{plan.number}")
            say(str(outcome))
            outcomes += [outcome] if outcome.counts else []
            if len(outcomes) == rounds:
                break
    kept = sum(outcome.kept for outcome in outcomes)
    say(f"# {mode}: {kept} of {rounds} rounds kept the promise")
    return outcomes


def _settings(mode: str) -> str:
    """What differs from Kafka's defaults, and what the promise rests on."""
    broker = ", ".join(f"{name}={value}" for name, value in SETTINGS[mode].items())
    client = ", ".join(f"{name}={value}" for name, value in CLIENT.items())
    return f"min.insync.replicas=2, {broker}; acks=all, enable.idempotence=true, {client}, {RECORDS_PER_S} records/s"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.rounds", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mode", choices=[*MODES, "both"], default="both")
    parser.add_argument("--rounds", type=int, default=20, help="in each mode")
    parser.add_argument("--seed", type=int, default=None, help="of the schedule; chosen and printed when left out")
    parser.add_argument("--keep", type=Path, help="a file to which the lines are appended")
    wishes = parser.parse_args(arguments)
    seed = secrets.randbelow(2**32) if wishes.seed is None else wishes.seed

    def say(line: str) -> None:
        print(line, flush=True)
        if wishes.keep is not None:
            with wishes.keep.open("a") as kept:
                kept.write(f"{line}\n")

    say(f"# {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    modes = MODES if wishes.mode == "both" else (wishes.mode,)
    outcomes = [outcome for mode in modes for outcome in run_all(mode, seed=seed, rounds=wishes.rounds, say=say)]
    return 0 if len(outcomes) == len(modes) * wishes.rounds and all(outcome.kept for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
