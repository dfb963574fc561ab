"""An open lab without its cluster: hints, the solution, and what a reset does when a cluster cannot be brought back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from labsupport.cluster.cluster import Cluster
from labsupport.core.errors import BadInput, LabError
from labsupport.core.finding import Finding, Outcome
from labsupport.teaching import Lab, check, neutral, open_lab, progress
from labsupport.teaching import lab as room
from labsupport.teaching.scenarios import Scenario, names, scenario


class FakeCluster:
    """Knows its name, and whether it was ended."""

    exports: ClassVar[dict[str, str]] = {"BOOTSTRAP": "127.0.0.1:1", "KAFKA_LAB_CLUSTER": "lab-fake"}
    name = "lab-fake"

    def __init__(self, cluster_id: str) -> None:
        self.cluster_id, self.ended = cluster_id, False

    def shutdown(self) -> None:
        self.ended = True


class FakeScript:
    """Breaks nothing, and remembers in which order it was asked."""

    CLUSTER: ClassVar[dict[str, Any]] = {}
    ALERT = "Something is wrong."

    def __init__(self) -> None:
        self.done: list[str] = []

    def prepare(self, cluster: Any) -> None:
        self.done.append(f"prepare {cluster.cluster_id}")

    def break_cluster(self, cluster: Any, chance: Any) -> None:
        self.done.append(f"break {cluster.cluster_id} {chance.randrange(1000)}")

    def symptom(self, _: Any) -> str:
        return "lag <b>7</b>"


@check("all is well")
def well(_: Any) -> Finding:
    return Finding.of(True)


@pytest.fixture
def script() -> FakeScript:
    return FakeScript()


@pytest.fixture
def what(script: FakeScript, tmp_path: Path) -> Scenario:
    (tmp_path / "solution.sh").write_text("kafka-topics.sh --mend <all>")
    return Scenario(name="fake", folder=tmp_path, script=script, checks=[well], hints=("look", "it is", "type `this`"))


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakeCluster]]:
    """Clusters are made here, and all are in the same state; the shell's variables come back."""
    made: list[FakeCluster] = []

    def started(_: Scenario) -> FakeCluster:
        made.append(FakeCluster(f"new-{len(made) + 1}"))
        return made[-1]

    for variable in ("BOOTSTRAP", "KAFKA_LAB_CLUSTER"):
        monkeypatch.setenv(variable, "")
    monkeypatch.setattr(room, "_started", started)
    monkeypatch.setattr(neutral, "wipe", lambda _: None)
    monkeypatch.setattr(neutral, "state_of", lambda _: {"topics": {}})
    yield made
    room._open.clear()


def opened(what: Scenario, cluster: Any = None) -> Lab:
    return Lab(what, room._made_ready(what, 1, cluster), seed=1, resumed=False)


def html(shown: Any) -> str:
    return str(shown._repr_mimebundle_()["text/html"])


class TestReading:
    def test_hints_come_one_at_a_time_and_the_last_one_again(self, what: Scenario) -> None:
        lab = opened(what)
        assert [str(lab.hint()) for _ in range(4)] == [
            "Hint 1 of 3: where\nlook",
            "Hint 2 of 3: what\nit is",
            "Hint 3 of 3: how\ntype `this`",
            "Hint 3 of 3: how\ntype `this`",
        ]
        assert len(progress.load().of("fake").hints) == 3

    def test_hints_go_on_where_they_were_after_a_restart(self, what: Scenario) -> None:
        """Which were taken is kept on disk."""
        opened(what).hint()
        assert str(opened(what).hint()).startswith("Hint 2")

    def test_the_solution_is_behind_a_fold_and_not_in_the_text(self, what: Scenario) -> None:
        """The text is what nbval compares and a terminal shows; that it was shown is kept."""
        shown = opened(what).solution()
        assert "--mend" not in str(shown)
        assert "<details><summary" in html(shown) and "--mend &lt;all&gt;" in html(shown)
        assert "white-space:pre-wrap" in html(shown)  # what is long is broken, and not to be scrolled to
        assert progress.load().of("fake").solution_at is not None

    def test_nothing_else_shows_a_hint_or_the_solution(self, what: Scenario) -> None:
        lab = opened(what)
        seen = " ".join(html(shown) + str(shown) for shown in (lab, lab.symptom(), lab.check()))
        assert "--mend" not in seen and "it is" not in seen

    def test_what_a_cluster_says_is_escaped(self, what: Scenario) -> None:
        assert "<b>7" not in html(opened(what).symptom())

    def test_a_check_is_kept(self, what: Scenario) -> None:
        assert opened(what).check().outcome is Outcome.SOLVED
        assert progress.load().of("fake").standing == "solved"


class TestShells:
    @pytest.mark.parametrize("users", [None, "/home/me/config"])
    def test_kubectl_asks_a_lab_of_pods_until_it_is_closed(
        self, what: Scenario, monkeypatch: pytest.MonkeyPatch, users: str | None
    ) -> None:
        """And then whatever it asked before."""
        monkeypatch.setenv("KUBECONFIG", users) if users else monkeypatch.delenv("KUBECONFIG", raising=False)
        monkeypatch.setattr(FakeCluster, "exports", {**FakeCluster.exports, "KUBECONFIG": "/cluster/kubeconfig"})
        lab = opened(what)
        assert os.environ["KUBECONFIG"] == "/cluster/kubeconfig"
        lab.reset().close()
        assert os.environ.get("KUBECONFIG") == users and "BOOTSTRAP" not in os.environ


class TestPods:
    def test_what_was_done_beyond_the_cluster_is_taken_back_at_each_reset_and_at_the_end(
        self, what: Scenario, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A namespace is filled anew, whatever is in it; only a new cluster is emptied as any other."""
        done: list[str] = []
        monkeypatch.setattr(FakeScript, "CLUSTER", {"backend": "kubernetes"})
        monkeypatch.setattr(FakeScript, "tidy_up", lambda _, cluster: done.append("tidy up"), raising=False)
        monkeypatch.setattr(neutral, "wipe", lambda _: done.append("wipe"))
        monkeypatch.setattr(neutral, "wipe_pods", lambda _: done.append("fill anew"))
        opened(what).reset().close()
        assert done == ["tidy up", "wipe", "tidy up", "fill anew", "tidy up"]

    def test_it_is_taken_back_when_the_cluster_is_ended_from_elsewhere(
        self, what: Scenario, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the name of the cluster; one that is no lab's has nothing to take back, and is not even looked at."""
        done: list[tuple[str, str]] = []
        monkeypatch.setattr(FakeScript, "tidy_up", lambda _, cluster: done.append(("fake", cluster)), raising=False)
        monkeypatch.setattr(room, "names", lambda: ["other", "fake"])
        monkeypatch.setattr(room, "scenario", lambda name: {"fake": what}[name])
        monkeypatch.setattr(Cluster, "attach", lambda name: f"attached to {name}")
        for name in ("lab-3fa9c1", "fake", "lab-fake"):
            room.tidy_up_after(name)
        assert done == [("fake", "attached to lab-fake")]


class TestBringingBack:
    def test_a_new_lab_is_prepared_then_broken(self, what: Scenario, script: FakeScript) -> None:
        """With the seed: the same seed breaks the same way."""
        opened(what)
        first = list(script.done)
        opened(what)
        assert [step.split()[0] for step in first] == ["prepare", "break"]
        assert first[1].split()[2] == script.done[3].split()[2]

    def test_a_reset_keeps_a_cluster_whose_digest_agrees(self, what: Scenario, no_cluster: list[FakeCluster]) -> None:
        lab = opened(what)
        before = progress.load().of("fake").cluster
        lab.reset()
        assert len(no_cluster) == 1 and progress.load().of("fake").cluster == before

    def test_a_cluster_in_another_state_is_replaced(
        self, what: Scenario, no_cluster: list[FakeCluster], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The digest disagrees: somebody changed what a reset cannot undo."""
        lab = opened(what)
        states = iter([{"topics": {"strange": {}}}, {"topics": {}}])
        monkeypatch.setattr(neutral, "state_of", lambda _: next(states))
        lab.reset()
        assert no_cluster[0].ended and lab.cluster.cluster_id == "new-2"

    def test_a_cluster_that_cannot_be_emptied_is_replaced(
        self, what: Scenario, no_cluster: list[FakeCluster], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(cluster: FakeCluster) -> None:
            if cluster.cluster_id == "new-1":
                raise LabError("broker-2 is dead.")

        lab = opened(what)
        monkeypatch.setattr(neutral, "wipe", refuse)
        lab.reset()
        assert no_cluster[0].ended and lab.cluster.cluster_id == "new-2"

    def test_a_neutral_state_that_cannot_be_reached_is_said_and_nothing_is_left(
        self, what: Scenario, no_cluster: list[FakeCluster], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lab = opened(what)
        monkeypatch.setattr(neutral, "state_of", lambda _: {"topics": {"strange": {}}})
        with pytest.raises(LabError, match="cannot be brought into its neutral state"):
            lab.reset()
        assert all(cluster.ended for cluster in no_cluster)
        assert progress.load().of("fake").cluster == {}  # nothing is taken up that is not whole

    def test_an_interrupted_opening_is_not_taken_up(self, what: Scenario, script: FakeScript) -> None:
        def interrupted(*_: Any) -> None:
            raise KeyboardInterrupt

        script.break_cluster = interrupted  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            opened(what)
        assert progress.load().of("fake").cluster == {}


class TestTheLabsOnDisk:
    @pytest.mark.parametrize("name", names())
    def test_can_be_read(self, name: str) -> None:
        """Checks, three hints and a solution, and a name that a cluster can have."""
        from labsupport.cluster.spec import NAME

        found = scenario(name)
        assert len(found.checks) >= 2 and len({one.should for one in found.checks}) == len(found.checks)
        assert found.solution.startswith("#!/bin/sh\n") and NAME.fullmatch(room.cluster_name(name))

    def test_an_unknown_one_is_refused_with_its_neighbour(self) -> None:
        with pytest.raises(BadInput, match="Did you mean stuck-consumer"):
            open_lab("stuck-consumers")
