"""Each lab is proven both ways: its solution is accepted, and repairs that only look right are refused in their words.

All of it twice (of pods, once) and in sequence on one cluster, which `reset` brings back to its neutral state between
attempts.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from kafka.errors import KafkaError

from labsupport.cluster import registry
from labsupport.cluster.kubernetes import actions
from labsupport.core.errors import LabError
from labsupport.core.finding import Outcome
from labsupport.core.wait import wait_until
from labsupport.teaching import Lab, Report, neutral, open_lab, progress
from labsupport.teaching.lab import cluster_name
from labsupport.teaching.scenarios import names, scenario
from tests.kubernetes.conftest import as_pod
from tests.labs.conftest import LABS, Attempt, of_pods, wrong
from tests.labs.effects import EFFECTS

ROUNDS = (1, 2)
LIMIT_S = 240  # pods end and begin at leisure


def test_every_lab_has_at_least_three_wrong_attempts_with_words_and_an_effect() -> None:
    """No attempt is recorded without what it does and how it is refused; no effect belongs to none."""
    assert names() == sorted(EFFECTS)
    for name in names():
        assert {attempt.name for attempt in wrong(name)} == set(EFFECTS[name]) and len(EFFECTS[name]) >= 3
        assert all(attempt.words for attempt in wrong(name))


@pytest.mark.parametrize("name", [name for name in names() if scenario(name).backend == "kubernetes"])
def test_without_a_kubernetes_a_lab_of_pods_refuses_in_a_sentence_and_a_remedy(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was started, and no shell is pointed anywhere."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(LabError, match="There is no kubeconfig") as refusal:
        open_lab(name)
    assert "kafka-lab kubernetes create" in refusal.value.fix
    assert cluster_name(name) not in [record["name"] for record in registry.running()]
    assert "BOOTSTRAP" not in os.environ


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("number", ROUNDS)
def test_a_lab_is_proven_both_ways(lab: Lab, number: int) -> None:
    """Unsolved: refused. Wrong attempts: exit 0, do what they do, and are refused otherwise. Solution: accepted."""
    if number > 1 and of_pods(lab):
        pytest.skip("one round of pods takes minutes, and compares six resets already")
    attempts = wrong(lab.name)
    random.Random(number).shuffle(attempts)
    unsolved = str(refused(lab))
    for attempt in attempts:
        succeed(attempt, lab)
        wait_until(lambda: has_taken_effect(attempt, lab), LIMIT_S, because=f"the effect of {attempt}")  # noqa: B023
        report = str(refused(lab))
        assert attempt.words in report, f"{attempt.name}\n{report}"
        assert attempt.still is (attempt.words in unsolved), f"{attempt.name}\n{unsolved}"
        begin_anew(lab)
        as_wrong_as_before(lab, unsolved)
    succeed(Attempt(LABS / lab.name / "solution.sh"), lab)
    wait_until(lambda: lab.check().solved, LIMIT_S, because="the solution to be accepted", poll_s=0.5)
    assert progress.load().of(lab.name).standing == "solved"
    begin_anew(lab)
    as_wrong_as_before(lab, unsolved)


def test_a_restarted_kernel_goes_on_with_the_lab(lab: Lab) -> None:
    """Another process opens the lab: it is the same cluster, as wrong as before, and outlives that process."""
    code = f"from labsupport import open_lab; lab = open_lab({lab.name!r}); print(lab.resumed, lab.check(), sep='\\n')"
    ended = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True)
    resumed, *report = ended.stdout.splitlines()
    assert resumed == "True" and "\n".join(report) == str(refused(lab))


def test_what_people_change_is_seen_by_the_digest(lab: Lab) -> None:
    """A topic more is another state; and once it is gone the state is the same: the digest looks at the cluster.

    Of pods that are wrong, some cannot tell of topics; there it is an object more in their namespace.
    """
    state = neutral.declared if of_pods(lab) else neutral.state_of
    before = neutral.digest(state(lab.cluster))
    with an_object_more(lab) if of_pods(lab) else a_topic_more(lab):
        assert neutral.digest(state(lab.cluster)) != before
    wait_until(lambda: neutral.digest(state(lab.cluster)) == before, LIMIT_S, because="the change to be taken back")


@contextmanager
def a_topic_more(lab: Lab) -> Iterator[None]:
    lab.cluster.create_topic("scratch", replica_assignment={0: [1, 2, 3]})
    yield
    with_admin = lab.cluster.admin()
    with_admin.delete_topics(["scratch"])
    with_admin.close()


@contextmanager
def an_object_more(lab: Lab) -> Iterator[None]:
    space = lab.cluster.kubernetes
    space.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: scratch}\ndata: {a: b}\n")
    yield
    space.api.delete("ConfigMap", "scratch", space.namespace)


def test_silence_and_a_cluster_that_is_gone_could_not_be_checked(lab: Lab) -> None:
    """First every broker hangs, then there is none; neither is held against anybody."""
    kept = progress.load().of(lab.name)
    running = [broker for broker in lab.cluster.brokers if broker.state == "running"]
    for broker in running:
        broker.pause()
    assert lab.check().outcome is Outcome.COULD_NOT_CHECK
    for broker in running:
        broker.resume()
    wait_until(lambda: lab.check().outcome is Outcome.NOT_YET, LIMIT_S, because="the brokers to answer again")
    tries = len(progress.load().of(lab.name).tries)
    assert tries == len(kept.tries) + 1
    ended_in_a_terminal(lab)
    report = lab.check()
    assert report.outcome is Outcome.COULD_NOT_CHECK
    assert {finding.saw for finding in report.findings} == {f"The cluster {lab.cluster.name} is not running any more."}
    assert len(progress.load().of(lab.name).tries) == tries


def ended_in_a_terminal(lab: Lab) -> None:
    """`kafka-lab down` without the notebook. Where a lab leads beyond its cluster, to a node, that is taken back."""
    down = [sys.executable, "-m", "labsupport.cli", "down", lab.cluster.name]
    with a_drained_node(lab) if hasattr(lab.scenario.script, "tidy_up") else nullcontext():
        subprocess.run(down, env=os.environ, check=True, timeout=LIMIT_S)


@contextmanager
def a_drained_node(lab: Lab) -> Iterator[None]:
    """A node of its brokers takes no pods, and takes them again at the end of the block."""
    broker = as_pod(lab.cluster.brokers[0])
    machine = actions.machine_of(broker)
    actions.cordon(broker, machine, cordoned=True)
    assert actions.is_cordoned(broker, machine)
    yield
    assert not actions.is_cordoned(broker, machine)


def has_taken_effect(attempt: Attempt, lab: Lab) -> bool:
    """A port-forward to a pod that has just come may need a moment: then nothing is seen yet."""
    try:
        return bool(EFFECTS[lab.name][attempt.name](lab.cluster))
    except (LabError, KafkaError):
        return False


def refused(lab: Lab) -> Report:
    """What the checks say, and that they do not say "solved". Where they could not look they are asked again."""
    report: Report = wait_until(
        lambda: (seen := lab.check()).outcome is not Outcome.COULD_NOT_CHECK and seen,
        LIMIT_S,
        because="the checks to see something",
    )
    assert report.outcome is Outcome.NOT_YET, report
    return report


def as_wrong_as_before(lab: Lab, unsolved: str) -> None:
    """On a busy machine a probe may be late, and take a broker for not ready that is; it is asked again soon."""
    reports: list[str] = []

    def agrees() -> bool:
        reports.append(str(refused(lab)))
        return reports[-1] == unsolved

    wait_until(agrees, LIMIT_S, because="the lab to be as wrong as before", evidence=lambda: reports[-1], poll_s=1)


def succeed(attempt: Attempt, lab: Lab) -> None:
    ended = attempt.run(lab)
    assert ended.returncode == 0, f"{attempt.name}\n{ended.stdout}{ended.stderr}"


def begin_anew(lab: Lab) -> None:
    """Reset brings the same cluster back: its digest agrees with that of the first time, and no new one was needed."""
    before = progress.load().of(lab.name).cluster
    lab.reset()
    assert progress.load().of(lab.name).cluster == before
