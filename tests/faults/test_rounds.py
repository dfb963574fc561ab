"""acks=all, min.insync.replicas=2 and an idempotent producer keep their promise while brokers are killed and frozen."""

from __future__ import annotations

import pytest

from labsupport.observe.history import ANOMALIES
from tests.faults.rounds import MODES, STRIKES, TARGETS, run_all, schedule


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many a mode: 3, or 20 with `--soak`, or as many as `--rounds` says."""
    return request.config.getoption("--rounds") or (20 if request.config.getoption("--soak") else 3)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
def test_nothing_lost_nothing_twice_nothing_out_of_order(mode: str, seed: int, rounds: int) -> None:
    """Each round shows its effect with sends in flight. Replay: `python -m tests.faults.rounds --mode M --seed S`."""
    outcomes = run_all(mode, seed=seed, rounds=rounds, say=lambda line: print(line, flush=True))
    assert len(outcomes) == rounds
    assert [str(outcome) for outcome in outcomes if not outcome.kept] == []
    assert {kind: sum(getattr(o.verdict, kind) for o in outcomes) for kind in ANOMALIES} == dict.fromkeys(ANOMALIES, 0)


def test_a_seed_is_a_schedule_and_every_pair_comes_equally_often() -> None:
    """The first rounds of a longer schedule are those of a shorter one, too."""
    assert list(schedule(7, 20)) == list(schedule(7, 20)) != list(schedule(8, 20))
    assert list(schedule(7, 20))[:6] == list(schedule(7, 6))[:6]
    pairs = [(entry.target, entry.strike) for entry in schedule(7, 12)][:12]
    assert all(pairs.count((target, strike)) == 2 for target in TARGETS for strike in STRIKES)
