"""`kafka-lab replay` writes a recording as one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labsupport.cli import edge
from labsupport.observe import recordings_folder
from tests.unit.views import recordings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A state folder of this test's own, and a working folder to write into."""
    monkeypatch.setenv("KAFKA_LAB_STATE", str(tmp_path / "state"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield


def test_a_clusters_newest_recording_becomes_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    """By its name; the page has the map and the failover, and says where it is."""
    recordings.failover(recordings_folder(), name="flights-lab").close()
    recordings.failover(recordings_folder(), name="flights-lab-2").close()
    assert edge.run(["replay", "flights-lab", "-o", "page.html"]) == 0
    html = Path("page.html").read_text(encoding="utf-8")
    assert "<title>Replay of flights-lab</title>" in html
    assert html.count('data-kafka-lab-replay="map"') == 1
    assert "Failover of flights-0" in html and "What became of" not in html
    assert "page.html" in capsys.readouterr().out


def test_a_verdict_that_was_given_is_on_the_page_with_its_counter_example() -> None:
    """Of each topic the last one; where nothing was judged, the page says nothing of it."""
    written = recordings.failover(recordings_folder())
    lost = [{"t": 4.0, "k": "send", "topic": "flights", "partition": 0, "offset": 7}]
    counts = {"acked": 10, "duplicated": 0, "unknown": 0, "unknown_found": 0, "unknown_missing": 0, "failed": 0}
    counts |= {"phantom": 0, "unexpected": 0, "read": 9, "sent": 10}
    written.verdict({"topic": "flights", "lost": 0, **counts})
    written.verdict({"topic": "flights", "lost": 1, **counts, "counter_examples": {"lost": lost}})
    written.close()
    assert edge.run(["replay", "flights-lab", "-o", "page.html"]) == 0
    html = Path("page.html").read_text(encoding="utf-8")
    assert html.count('data-testid="verdict-card"') == 1
    assert "What became of flights" in html and "✗ 1 lost." in html
    assert "offset 7" in html[html.index('data-testid="example-lost"') :]


def test_a_file_will_do(tmp_path: Path) -> None:
    """Any recording, of whatever version; the page is named after its cluster."""
    written = recordings.failover(tmp_path)
    written.close()
    assert edge.run(["replay", str(written.path)]) == 0
    assert Path("flights-lab-replay.html").is_file()


def test_a_view_without_its_history_will_do(tmp_path: Path) -> None:
    """That is what a site ships: it says nothing of sends, so the failover is left out and the rest is there."""
    written = recordings.failover(tmp_path)
    written.close()
    written.history_path.unlink()
    assert edge.run(["replay", str(written.path), "-o", "page.html"]) == 0
    html = Path("page.html").read_text(encoding="utf-8")
    assert 'data-kafka-lab-replay="map"' in html and 'data-kafka-lab-replay="chart"' in html
    assert "Failover of" not in html


def test_no_name_takes_the_newest() -> None:
    """What was recorded last is most often meant."""
    for name in ("first", "second"):
        recordings.failover(recordings_folder(), name=name).close()
    assert edge.run(["replay"]) == 0
    assert Path("second-replay.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "There is no recording yet."),
        (["nothing"], "There is no recording of nothing, and no such file."),
        (["<b>\x1b[31m"], "There is no recording of <b>\\x1b[31m, and no such file."),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One message on stderr, exit code 1."""
    assert edge.run(["replay", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing half written stays."""
    written = recordings.failover(tmp_path)
    written.close()
    assert edge.run(["replay", str(written.path), "-o", "no/such/folder.html"]) == 1
    assert "The page cannot be written to no/such/folder.html" in capsys.readouterr().err
