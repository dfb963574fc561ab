"""Views of real clusters: what a failover looks like afterwards, and hostile records that a broker really holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata
from playwright.sync_api import Page

from labsupport import faults
from labsupport._wiring import _record
from labsupport.clients.groups import GROUPS_LIMIT
from labsupport.cluster import cluster as room
from labsupport.cluster.cluster import Cluster
from labsupport.core.wait import wait_until
from labsupport.observe import Recording
from labsupport.storage import anatomy, read_log
from labsupport.views import page as pages
from labsupport.views import show, whole
from labsupport.views.markup import Markup
from labsupport.views.segments import anatomy_display, log_display, seek_display, segment_display
from tests.browser.views_lab import CHROMIUM, chromium
from tests.cluster.conftest import SESSION
from tests.hostile import END, MEGABYTE, PAYLOADS, WATCH, troubles

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")


@pytest.fixture(autouse=True, scope="module")
def _recorded() -> Iterator[None]:
    """Every cluster of this file is recorded, as in a notebook."""
    before, room.observers[:] = list(room.observers), [_record]
    yield
    room.observers[:] = before


@pytest.fixture
def window() -> Iterator[Page]:
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 700, "height": 900})
        context.add_init_script(WATCH)
        yield context.new_page()


@pytest.mark.parametrize("coordination", ["kraft", "zookeeper"])
def test_a_failover_is_told_by_every_view(coordination: str, window: Page, tmp_path: Path) -> None:
    """The leader is killed under a load that a group reads: map, failover, ISR, chart, log and their page agree."""
    with Cluster.start(brokers=3, coordination=coordination, config=SESSION[coordination]) as cluster:
        topic = cluster.create_topic("flights", replica_assignment={0: [1, 2, 3]})
        cluster.watch_log(topic, 0)
        board = cluster.consumer(group_id="board", enable_auto_commit=False)
        board.assign([TopicPartition("flights", 0)])
        with cluster.load(topic, records_per_s=200) as load:
            load.wait_for_acked(100)
            wait_until(lambda: board.poll(timeout_ms=500), 30, because="records to be read")
            board.commit()
            with faults.killed(cluster.broker(1)):
                topic.wait_for_leader(other_than=1)
                load.wait_for_acked(load.acked + 200)
        topic.wait_for_isr(size=3)
        board.close()
        recording = cluster.recording
        assert isinstance(recording, Recording)
        recording.catch_up()
        told = [e for e in recording.entries(kinds={"event"}) if e["what"] == "positions" and e["group"] == "board"]
        assert told, "a watcher sees what the group has committed"
    seen = show.failover(recording, "flights")
    assert (seen.old, seen.first_acked_s is not None) == (1, True)
    isr = repr(show.isr_timeline(recording, "flights"))
    assert isr.startswith("flights-0: led by broker 1, then ")
    assert isr.endswith("at least 2 in sync, 3 at the end")
    assert {"flights", "flights p50", "flights p99"} <= {line.label for line in show.chart(recording).value.series}
    assert "  read by board" in repr(show.partition_log(recording, "flights"))
    path = whole.save(recording, tmp_path / "page.html")
    window.goto(path.as_uri())
    window.get_by_test_id("replay").first.wait_for()
    kinds = {one.get_attribute("data-kind") for one in window.get_by_test_id("replay").all()}
    assert kinds == {"map", "timeline", "chart", "log"}
    assert troubles(window) == []


def test_records_that_want_to_break_out_are_shown_as_they_read(window: Page, tmp_path: Path) -> None:
    """In keys, values, headers, record ids, client and group ids of a real cluster; ten megabytes too."""
    most = 11 * MEGABYTE
    config = {"max.message.bytes": most}
    with Cluster.start(brokers=1) as cluster:
        topic = cluster.create_topic("hostile", partitions=1, config=config)
        place = TopicPartition("hostile", 0)
        cluster.watch_log(topic, 0)
        with cluster.producer(client_id=PAYLOADS[0].id, max_request_size=most) as producer:
            for payload in PAYLOADS:
                headers = [(payload.id[:100], payload.content[:100_000]), ("lab-id", payload.content[:1000])]
                producer.send("hostile", key=payload.content[:100_000], value=payload.content, headers=headers).get(60)
        for payload in PAYLOADS:
            with cluster.consumer(group_id=payload.id, client_id=payload.id[:200], enable_auto_commit=False) as reader:
                reader.assign([place])
                reader.commit({place: OffsetAndMetadata(1, payload.id[:100], -1)})
        cluster.read_back(topic)
        recording = cluster.recording
        assert isinstance(recording, Recording)

        def groups() -> set[str]:
            events = recording.entries(kinds={"event"})
            return {str(e["group"]) for e in events if e["what"] == "positions"}

        wait_until(lambda: len(groups()) >= GROUPS_LIMIT // 2, 60, because="the watcher to see groups")
        log = read_log(cluster.broker(1), "hostile")
        shown = [log_display(log), show.verdict(cluster, topic), *map(segment_display, log.segments)]
        shown += [
            anatomy_display(anatomy(log.segments[0], number)) for number in range(len(log.segments[0].log.batches))
        ]
        shown += [seek_display(log.seek(offset)) for offset in range(len(PAYLOADS))]
        sections = [*whole.sections(recording), *(("", one.html) for one in shown), ("", Markup(END))]
    path = pages.write(tmp_path / "page.html", pages.page("hostile records", sections))
    window.goto(path.as_uri())
    window.get_by_test_id("replay").first.wait_for()
    assert troubles(window, most=2_000_000, ends=1) == []
