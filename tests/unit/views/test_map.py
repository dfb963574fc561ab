"""The live map: small messages, buttons that answer at once, and an end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from labsupport.core import notebook
from labsupport.core.errors import StartError
from labsupport.core.wait import wait_until
from labsupport.views import kernel
from labsupport.views.map import CLOSED, REPLACED, ClusterMap

from .conftest import HOSTILE, FakeCluster, FakeComm

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeCluster], tuple[ClusterMap, FakeComm]]:
    """Display a map as a kernel would, with a comm that keeps what is sent."""
    monkeypatch.setattr(notebook, "in_kernel", lambda: True)

    def display(cluster: FakeCluster) -> tuple[ClusterMap, FakeComm]:
        shown = ClusterMap(cluster)
        shown._repr_mimebundle_()
        comm = FakeComm()
        shown._widget.comm = comm
        return shown, comm

    return display


Live = Callable[[FakeCluster], tuple[ClusterMap, FakeComm]]


def page_says(shown: ClusterMap, what: str) -> None:
    """A view of the map has begun or ended."""
    assert shown._ticker is not None
    for hear in (shown._ticker._hear, shown._on_message):
        hear(None, {"do": what}, [])


def thread_of(shown: ClusterMap) -> threading.Thread:
    assert shown._ticker is not None
    return shown._ticker.thread


def click(shown: ClusterMap, what: str, node: object) -> None:
    shown._on_message(None, {"do": what, "node": node, "click": 7}, [])


def test_a_notebook_gets_three_forms_at_once(cluster: FakeCluster, live: Live) -> None:
    """Live view, still HTML and text: always the same set, so that a comparison of outputs can rely on it."""
    shown, _ = live(cluster)
    assert set(shown._repr_mimebundle_()) == {"text/plain", "text/html", VIEW}


def test_a_terminal_gets_text(cluster: FakeCluster) -> None:
    """Without a kernel nothing is started; the text tells the state."""
    shown = ClusterMap(cluster)
    assert set(shown._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert repr(shown).startswith("cluster of 3 brokers (kraft): 3 running\n  flights-0: led by broker-1")
    assert shown._ticker is None


def test_the_text_waits_until_the_recording_has_caught_up(cluster: FakeCluster) -> None:
    """The picture comes from the Recording, and not before that knows what the cluster's processes are."""
    shown = ClusterMap(cluster)
    cluster.broker(2).kill()
    assert "2 running, 1 stopped" in repr(shown)


def test_the_picture_waits_for_the_controller_which_the_recording_learns_last(cluster: FakeCluster) -> None:
    """Its legend explains a star: without one the reader would look for it in vain."""
    cluster.recording.event("controller", node=None)
    cluster.recording.flush()
    shown = ClusterMap(cluster)
    late = threading.Timer(0.3, lambda: (cluster.recording.event("controller", node=2), cluster.recording.flush()))
    late.start()
    html = shown._repr_mimebundle_()["text/html"]
    late.join()
    assert "★ controller" in html[: html.index("</svg>")]


def test_a_broker_that_waits_is_drawn_as_waiting(cluster: FakeCluster) -> None:
    """A broker itself says that it is starting; the Recording knows for what it waits, until it runs."""
    cluster.broker(2)._to("waiting")
    cluster.broker(2).state = "starting"
    assert "2 running, 1 waiting" in repr(ClusterMap(cluster))
    cluster.broker(2).start()
    assert "3 running" in repr(ClusterMap(cluster))


def test_a_tick_is_small(make_cluster: Callable[..., FakeCluster], live: Live) -> None:
    """With five brokers and the most partitions that are drawn, a tick stays below 500 bytes."""
    cluster = make_cluster(brokers=5, partitions=40, name="n" * 30, topic="t" * 249)
    shown, comm = live(cluster)
    shown._state = shown._source.poll()
    cluster.recording.sample("records_per_s", 123456.7, topic="t" * 249)
    cluster.recording.event("process", node="broker-1", node_id=1, state="stopped")
    cluster.recording.flush()
    wait_until(comm.updates, 10, because="a tick")
    ticks = [{key: value for key, value in update.items() if key != "note"} for update in comm.updates()]
    assert max(len(json.dumps(tick, separators=(",", ":"))) for tick in ticks) < 500
    assert all(set(tick) <= {"now"} for tick in ticks), "names are sent once, not with each tick"
    assert shown._state.hidden == 28


def test_nothing_is_sent_when_nothing_changed(cluster: FakeCluster, live: Live) -> None:
    """A still cluster costs no message."""
    shown, comm = live(cluster)
    shown.tick()
    comm.sent.clear()
    for _ in range(5):
        shown.tick()
    assert comm.sent == []


def test_a_click_is_answered_before_its_work_is_done(cluster: FakeCluster, live: Live) -> None:
    """The handler runs on the kernel's subshell: it must not wait for a broker."""
    shown, comm = live(cluster)
    cluster.broker(2).hold.clear()
    click(shown, "kill", 2)
    assert comm.customs() == [{"what": "got", "click": 7, "node": 2, "error": ""}]
    assert cluster.broker(2).state == "running"
    cluster.broker(2).hold.set()
    assert comm.wait_for("done") == {"what": "done", "node": 2, "error": ""}
    assert cluster.broker(2).state == "stopped"


def test_what_a_click_could_not_do_is_said_after_its_answer(
    cluster: FakeCluster, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page clears its error line when the click is answered: said before that, it would be lost."""
    shown, comm = live(cluster)
    cluster.broker(2).trouble = StartError("no")
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.run)  # as quick as a thread can be
    click(shown, "kill", 2)
    assert [message["what"] for message in comm.customs()] == ["got", "done"]


@pytest.mark.parametrize(
    ("before", "deed", "written"),
    [
        ("running", "kill", ("fault began", "killed")),
        ("stopped", "start", ("fault healed", "killed")),
        ("running", "pause", ("fault began", "paused")),
        ("paused", "resume", ("fault healed", "paused")),
    ],
)
def test_a_click_is_written_down(
    cluster: FakeCluster, live: Live, before: str, deed: str, written: tuple[str, str]
) -> None:
    """What the reader did is in the Recording, like a fault of the page."""
    shown, comm = live(cluster)
    cluster.broker(2).state = before
    click(shown, deed, 2)
    comm.wait_for("done")
    (told,) = cluster.told()
    assert (told["what"], told["fault"]) == written
    assert (told["nodes"], told["by"]) == (["broker-2"], "reader")


def test_a_fault_begins_before_the_broker_dies(cluster: FakeCluster, live: Live) -> None:
    """A timeline counts from the moment of the click, not from the death that followed."""
    shown, comm = live(cluster)
    click(shown, "kill", 1)
    comm.wait_for("done")
    (told,) = cluster.told()
    deaths = [e for e in cluster.recording.entries(kinds={"event"}) if e.get("state") == "stopped"]
    assert told["t"] <= deaths[0]["t"]


def test_what_cannot_be_done_is_one_sentence_in_the_map(cluster: FakeCluster, live: Live) -> None:
    """A refusal of the cluster reaches the reader, and is not written down as a fault."""
    shown, comm = live(cluster)
    cluster.broker(2).state = "stopped"
    click(shown, "kill", 2)
    assert comm.wait_for("done")["error"] == "broker-2 does not run. Start it first."
    assert cluster.told() == []


@pytest.mark.parametrize("trouble", [StartError(HOSTILE, fix="Wait."), RuntimeError(HOSTILE)])
def test_any_failure_ends_as_text(cluster: FakeCluster, live: Live, trouble: Exception) -> None:
    """Whatever goes wrong on the worker's thread is said, and cannot steer a terminal."""
    shown, comm = live(cluster)
    cluster.broker(2).trouble = trouble
    click(shown, "pause", 2)
    error = comm.wait_for("done")["error"]
    assert error.startswith("Broker 2 was not paused: <img")
    assert "\x1b" not in error


@pytest.mark.parametrize("node", [99, "2", None, {"a": 1}, HOSTILE])
def test_a_message_about_no_broker_is_refused(cluster: FakeCluster, live: Live, node: object) -> None:
    """The page is not trusted to name a broker that exists."""
    shown, comm = live(cluster)
    click(shown, "kill", node)
    assert comm.customs()[-1]["error"].startswith("There is no broker ")
    assert {broker.state for broker in cluster.brokers} == {"running"}


@pytest.mark.parametrize("content", [None, "kill", 3, {}, {"do": "shutdown", "node": 1}, {"do": ["kill"], "node": 1}])
def test_a_message_that_means_nothing_does_nothing(cluster: FakeCluster, live: Live, content: Any) -> None:
    """No message but the five that are known has an effect."""
    shown, comm = live(cluster)
    shown._on_message(None, content, [])
    assert comm.customs() == []


def test_a_second_click_waits_for_the_first(cluster: FakeCluster, live: Live) -> None:
    """Two deeds at one broker at a time would race."""
    shown, comm = live(cluster)
    cluster.broker(2).hold.clear()
    click(shown, "kill", 2)
    click(shown, "kill", 2)
    assert comm.customs()[-1]["error"] == "Broker 2 is still busy with the last click."
    cluster.broker(2).hold.set()
    comm.wait_for("done")
    assert len(cluster.told()) == 1


def test_the_map_ends_with_its_recording(cluster: FakeCluster, live: Live) -> None:
    """A closed cluster stays drawn as it was last; its buttons are off, and the map says so."""
    shown, comm = live(cluster)
    thread = thread_of(shown)
    cluster.broker(3).kill()
    cluster.close()
    thread.join(10)
    assert not thread.is_alive()
    assert shown._widget.ended == CLOSED
    assert shown._widget.now["s"] == "rrs"
    click(shown, "kill", 1)
    assert comm.customs()[-1]["error"] == "The cluster is closed, so broker 1 cannot be killed."


def test_drawing_a_cluster_again_stops_the_older_map(cluster: FakeCluster, live: Live) -> None:
    """A cell that runs twice leaves one map that moves."""
    older, _ = live(cluster)
    newer, _ = live(cluster)
    thread_of(older).join(10)
    assert not thread_of(older).is_alive()
    assert thread_of(newer).is_alive()
    assert (older._widget.ended, newer._widget.ended) == (REPLACED, "")


def test_one_map_shown_twice_has_one_thread(cluster: FakeCluster, live: Live) -> None:
    """Two views of one map share its model."""
    shown, _ = live(cluster)
    thread, model = thread_of(shown), shown._widget.model_id
    assert shown._repr_mimebundle_()[VIEW]["model_id"] == model
    assert thread_of(shown) is thread


def test_the_thread_stops_when_the_widget_is_closed(cluster: FakeCluster, live: Live) -> None:
    """A page that threw its model away gets nothing more."""
    shown, _ = live(cluster)
    shown._widget.comm = None
    thread_of(shown).join(10)
    assert not thread_of(shown).is_alive()


def test_a_map_that_nobody_looks_at_sends_nothing(cluster: FakeCluster, live: Live) -> None:
    """When the last view is gone the ticks stop; when one comes back it gets the present state."""
    shown, comm = live(cluster)
    page_says(shown, "hello")
    page_says(shown, "bye")
    assert shown._ticker is not None and shown._ticker.views == 0
    page_says(shown, "hello")
    cluster.broker(1).kill()
    wait_until(lambda: any(update.get("now", {}).get("s") == "srr" for update in comm.updates()), 10, because="a tick")


def test_it_is_written_down_when_the_picture_changed(cluster: FakeCluster, live: Live) -> None:
    """Once when a tick with the new leader was sent, and once when the page says that it has drawn it."""
    shown, comm = live(cluster)
    page_says(shown, "hello")
    cluster.lead("flights", 1, leader=3, isr=[2, 3])
    wait_until(lambda: any("d" in update.get("now", {}) for update in comm.updates()), 10, because="the tick")
    for _ in range(2):  # a second page draws it too: it is news once
        shown._on_message(None, {"do": "drawn", "number": shown._moves}, [])
    shown._on_message(None, {"do": "drawn", "number": "all"}, [])
    pictures = [e for e in cluster.recording.entries(kinds={"event"}) if e["what"] == "picture"]
    assert [(e["topic"], e["partition"], e["node"], e["seen"]) for e in pictures] == [
        ("flights", 1, 3, "sent"),
        ("flights", 1, 3, "drawn"),
    ]


def test_the_page_of_the_map_never_makes_markup_of_text() -> None:
    """In the browser, text from a cluster is set as text; nothing is fetched, nothing is evaluated."""
    source = str(kernel.map_widget()._esm)
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
        "import(",
        "import ",
    ):
        assert way not in source
