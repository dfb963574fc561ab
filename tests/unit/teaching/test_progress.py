"""Progress is kept, survives, can be carried elsewhere, and is never anybody's loss."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsupport.cli import main
from labsupport.core.errors import BadInput, LabError
from labsupport.core.finding import Outcome
from labsupport.teaching import kept, predict, progress, summary
from labsupport.teaching.kept import Answers
from labsupport.teaching.progress import LabProgress

AS_IT_WAS = {"new_leader": 2, "pause_s": 8.1, "lost": 0, "duplicated": 0}
LAB = "stuck-consumer"


def learn() -> None:
    """A surprise, a try, two hints and a solution found."""
    predict("leader-dies", answer="b")
    predict.outcome("leader-dies", AS_IT_WAS)
    progress.checked(LAB, Outcome.NOT_YET)
    progress.hint_taken(LAB, 1)
    progress.hint_taken(LAB, 2)
    progress.checked(LAB, Outcome.SOLVED)


def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Another computer."""
    monkeypatch.setenv("KAFKA_LAB_STATE", str(folder))


def test_the_outcomes_of_a_lab_are_kept() -> None:
    """Tries are counted; solved stays solved, whatever is tried later."""
    assert progress.load().of(LAB).standing == "not tried"
    progress.checked(LAB, Outcome.NOT_YET)
    assert progress.load().of(LAB).standing == "not yet"
    solved = progress.checked(LAB, Outcome.SOLVED).of(LAB)
    assert progress.checked(LAB, Outcome.NOT_YET).of(LAB).solved_at == solved.solved_at


def test_what_could_not_be_checked_leaves_no_trace(state: Path) -> None:
    """Not even a file."""
    progress.checked(LAB, Outcome.COULD_NOT_CHECK)
    assert progress.load().of(LAB) == LabProgress() and not (state / "progress.json").exists()


def test_a_hint_counts_once_however_often_it_is_read() -> None:
    progress.hint_taken(LAB, 1)
    progress.hint_taken(LAB, 1)
    assert len(progress.hint_taken(LAB, 2).of(LAB).hints) == 2


def test_the_file_is_private_and_versioned(state: Path) -> None:
    learn()
    file = state / "progress.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["version"] == 1


def test_a_damaged_file_is_kept_aside_and_said(state: Path) -> None:
    """It costs what it held, and not the page."""
    (state / "progress.json").write_text('{"format": "kafka-lab-progress", "version"')
    assert "could not be read" in progress.load().note
    assert len(list(state.glob("progress.unreadable-*.json"))) == 1


def test_surprises_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """A prediction that the cluster did not bear out; one that it bore out, and one without an outcome, are none."""
    predict("leader-dies", answer="b")
    assert summary.summary().surprises == 0
    predict.outcome("leader-dies", AS_IT_WAS)
    assert summary.summary().surprises == 1
    predict("leader-dies", answer="d")  # too late: the prediction counts
    assert summary.summary().surprises == 1


def test_a_right_prediction_is_no_surprise() -> None:
    predict("leader-dies", answer="d")
    predict.outcome("leader-dies", AS_IT_WAS)
    assert summary.summary().surprises == 0


def test_the_command_line_tells_it_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    learn()
    assert main(["progress"]) == 0
    text = capsys.readouterr().out
    said = {line.split()[0]: line.split(maxsplit=1)[-1] for line in text.splitlines()}
    assert said["00-start-here"] == "1 of 1 predicted, 1 answered by the cluster, 1 surprise"
    assert said["stuck-consumer"] == "solved, 1 try, 2 hints" and said["under-replicated"] == "not tried"
    assert main(["progress", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["surprises"] == 1
    assert {lab["lab"]: lab["standing"] for lab in facts["labs"]}[LAB] == "solved"


def test_progress_is_carried_to_another_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exported here and imported there, twice: there is what was here, and what was there is still there."""
    learn()
    here, file = progress.load().of(LAB), tmp_path / "mine.json"
    assert main(["progress", "export", str(file)]) == 0
    elsewhere(monkeypatch, tmp_path / "there")
    progress.hint_taken("under-replicated", 1)
    for _ in range(2):
        assert main(["progress", "import", str(file)]) == 0
        assert progress.load().of(LAB) == here
        assert len(progress.load().of("under-replicated").hints) == 1
        assert kept.load().of("leader-dies").prediction == "b"
        assert summary.summary().surprises == 1


def test_the_cluster_of_one_computer_is_not_carried_to_another(tmp_path: Path) -> None:
    progress.ready(LAB, {"id": "x"})
    progress.export(tmp_path / "mine.json")
    assert '"id"' not in (tmp_path / "mine.json").read_text()


BAD = {
    "nothing": b"",
    "no JSON": b"\x00\xff\xfe",
    "half of it": b'{"format": "kafka-lab-export", "version": 1, "predictions"',
    "another file of ours": b'{"format": "kafka-lab-progress", "version": 1, "labs": {}}',
    "a list": b"[]",
    "a later version": b'{"format": "kafka-lab-export", "version": 2}',
    "times that are none": json.dumps(
        {
            "format": "kafka-lab-export",
            "version": 1,
            "predictions": {"format": "kafka-lab-predictions", "version": 1, "answers": {}},
            "progress": {
                "format": "kafka-lab-progress",
                "version": 1,
                "labs": {"x": {"tries": ["now"], "solved_at": 3, "hints": [], "solution_at": None, "cluster": {}}},
            },
        }
    ).encode(),
    "nested without end": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_in_one_message_and_nothing_is_lost(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn()
    before = kept.load(), progress.load()
    file = tmp_path / "bad.json"
    file.write_bytes(BAD[what])
    assert main(["progress", "import", str(file)]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said and len(said.strip().splitlines()) == 1
    assert (kept.load(), progress.load()) == before


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        progress.import_from(tmp_path / name)


def test_an_export_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot be written"):
        progress.export(tmp_path / "no" / "such" / "folder.json")


TIMES = st.sampled_from([f"2026-01-0{day}T00:00:00.000000+00:00" for day in range(1, 8)])
SOMETIMES = st.none() | TIMES
HINTS = st.lists(TIMES, max_size=3).map(lambda times: tuple(sorted(times)))
LABS = st.dictionaries(
    st.sampled_from("ab"),
    st.builds(
        LabProgress, tries=st.frozensets(TIMES).map(lambda times: tuple(sorted(times))), solved_at=SOMETIMES,
        hints=HINTS, solution_at=SOMETIMES, cluster=st.just({}),
    ),
)  # fmt: skip
ROWS = st.builds(
    Answers,
    given=st.frozensets(st.tuples(st.sampled_from("abc"), TIMES)).map(
        lambda rows: tuple(sorted(rows, key=lambda r: r[::-1]))
    ),
    settled_at=SOMETIMES,
)
ANSWERS = st.dictionaries(st.sampled_from("pq"), ROWS)


@given(LABS, LABS, LABS)
def test_labs_merge_in_any_order_and_twice(one: progress.Labs, two: progress.Labs, three: progress.Labs) -> None:
    """Commutative, associative, idempotent: it does not matter who imports whose file first, or again."""
    assert progress.merged(one, two) == progress.merged(two, one)
    assert progress.merged(one, progress.merged(two, three)) == progress.merged(progress.merged(one, two), three)
    assert progress.merged(progress.merged(one, two), two) == progress.merged(one, two)


@given(ANSWERS, ANSWERS, ANSWERS)
def test_answers_merge_in_any_order_and_twice(
    one: dict[str, Answers], two: dict[str, Answers], three: dict[str, Answers]
) -> None:
    assert kept.merged(one, two) == kept.merged(two, one)
    assert kept.merged(one, kept.merged(two, three)) == kept.merged(kept.merged(one, two), three)
    assert kept.merged(kept.merged(one, two), two) == kept.merged(one, two)


@given(LABS, LABS)
def test_a_merge_loses_nothing(one: progress.Labs, two: progress.Labs) -> None:
    """Solved on either side is solved; every try and every hint of both is there."""
    for name, both in progress.merged(one, two).items():
        sides = [labs[name] for labs in (one, two) if name in labs]
        assert (both.solved_at is not None) == any(side.solved_at for side in sides)
        assert set(both.tries) == {at for side in sides for at in side.tries}
        assert len(both.hints) == max(len(side.hints) for side in sides)
