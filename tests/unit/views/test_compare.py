"""Two runs side by side: one axis, which begins at each run's own signal."""

from __future__ import annotations

from pathlib import Path

import pytest

from labsupport.core.errors import BadInput
from labsupport.observe import Recording
from labsupport.views import show

from .conftest import HOSTILE, parse, with_data, words
from .recordings import Made, failover


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Recording, Recording]:
    """The second takes over three times as fast as the first."""
    slow = failover(tmp_path, name="slow", coordination="zookeeper", moved_s=14.0)
    fast = failover(tmp_path, name="fast", moved_s=8.0)
    return slow, fast


def test_both_begin_at_their_own_signal(runs: tuple[Recording, Recording]) -> None:
    """The same place on the axis is the same time after the kill, and the same height the same rate."""
    shown = show.compare(*runs)
    left, right = (run.lanes for run in shown.runs)
    assert (left.begin, left.end) == (right.begin, right.end)
    assert (left.failover.new_leader_s, right.failover.new_leader_s) == (pytest.approx(9.0), pytest.approx(3.0))
    drawn = parse(show.compare(*runs)._repr_mimebundle_()["text/html"])
    assert sorted(float(at) for at in with_data(drawn, "stamp")) == pytest.approx([0, 3.0, 3.15, 3.25, 9, 9.15, 9.25])


def test_the_figures_stand_in_a_table_with_their_ratio(runs: tuple[Recording, Recording]) -> None:
    shown = show.compare(*runs)
    assert shown.story is not None
    head, leader, *_ = shown.story.table
    assert head == ["", "slow · Kafka 4.3.1 with ZooKeeper", "fast · Kafka 4.3.1 with KRaft", "second / first"]
    assert [word.replace("\N{NO-BREAK SPACE}", " ") for word in leader] == [
        "new leader after", "9,000 ms", "3,000 ms", "0.33",
    ]  # fmt: skip
    assert "0.33" in words(parse(str(shown.html)))


def test_the_text_holds_facts_alone(runs: tuple[Recording, Recording]) -> None:
    assert repr(show.compare(*runs)).splitlines()[::2] == [
        "first: broker 1 → broker 2 (leader of flights-0)",
        "second: broker 1 → broker 2 (leader of flights-0)",
    ]


def test_a_run_without_a_hit_is_refused(runs: tuple[Recording, Recording], tmp_path: Path) -> None:
    quiet = Made(tmp_path, name="quiet")
    quiet.recording.flush()
    with pytest.raises(BadInput, match="of quiet shows nothing that hit a leader"):
        show.compare(runs[0], quiet.recording)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    hostile = [failover(tmp_path, name=HOSTILE, topic=HOSTILE) for _ in range(2)]
    html = show.compare(*hostile)._repr_mimebundle_()["text/html"]
    assert not list(parse(html).iter("img"))
    assert "\x1b" not in html
