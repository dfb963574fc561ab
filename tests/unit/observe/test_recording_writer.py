"""Writing: never in the caller's way, on disk within 100 ms, private, and quiet when the disk is full."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.core.wait import wait_until
from labsupport.observe import Recording, recordings_folder
from labsupport.observe.operations import Mark, Read
from labsupport.observe.shelf import KEPT, is_being_written, prune
from tests.unit.observe.made_by_hand import VERSION_1, new_recording


def test_what_was_recorded_is_read_back(recording: Recording) -> None:
    """Each of the five kinds, with times in seconds since the beginning; sends and reads to 100 microseconds."""
    t_s = recording.began_s + 1.5
    recording.event("leader", t_s=t_s, topic="flights", partition=0, node=1, was=None)
    recording.sample("records_per_s", 20.0, t_s=t_s, topic="flights")
    recording.send("flights", "a-1", "acked", partition=0, offset=7, intended_s=t_s - 1, t_s=t_s)
    recording.send("flights", "a-2", "unknown", t_s=t_s, error="timed out")
    recording.read("flights", 0, 7, "a-1", t_s=t_s)
    assert list(recording.entries()) == [
        {"t": 1.5, "k": "event", "what": "leader", "topic": "flights", "partition": 0, "node": 1, "was": None},
        {"t": 1.5, "k": "sample", "name": "records_per_s", "value": 20.0, "topic": "flights"},
        {
            "t": 1.5,
            "k": "send",
            "topic": "flights",
            "id": "a-1",
            "outcome": "acked",
            "partition": 0,
            "offset": 7,
            "intended": 0.5,
            "error": "",
        },
        {
            "t": 1.5,
            "k": "send",
            "topic": "flights",
            "id": "a-2",
            "outcome": "unknown",
            "partition": None,
            "offset": None,
            "intended": None,
            "error": "timed out",
        },
        {"t": 1.5, "k": "read", "topic": "flights", "partition": 0, "offset": 7, "id": "a-1"},
    ]
    assert recording.acked_by_topic() == {"flights": 1}


def test_a_time_left_out_is_now(recording: Recording) -> None:
    """On the one clock; a time that is none counts as left out, or the line could not be read."""
    before = now_s() - recording.began_s
    recording.event("a")
    recording.event("b", t_s=float("nan"))
    after = now_s() - recording.began_s
    assert all(round(before, 6) <= entry["t"] <= round(after, 6) for entry in recording.entries())


def test_our_own_fields_cannot_be_overwritten(recording: Recording) -> None:
    """Fields named like ours are left out, so that any entry can be read."""
    recording.event("x", t="late", k="sample", more=1)
    recording.sample("n", 1, k="event")
    assert [(e["k"], type(e["t"])) for e in recording.entries()] == [("event", float), ("sample", float)]


def test_nothing_is_promised_to_be_text_for_ever(recording: Recording) -> None:
    """A list that the caller changes afterwards is recorded as it was."""
    isr = [1, 2, 3]
    recording.event("isr", isr=isr)
    isr.clear()
    assert next(recording.entries())["isr"] == [1, 2, 3]


def test_it_reaches_the_disk_without_being_asked(recording: Recording) -> None:
    """Another reader of the file sees it soon, with no flush and no close."""
    follower = Recording.load(recording.path).follow()
    assert follower.poll() == []
    recording.event("hello")
    seen = wait_until(follower.poll, 5, because="the entry")
    assert [entry["what"] for entry in seen] == ["hello"]
    assert follower.poll() == []


def test_many_threads_write_whole_lines(recording: Recording) -> None:
    """None lost, none mixed, and each thread's in its order."""

    def write(number: int) -> None:
        for n in range(500):
            recording.send("t", f"{number}-{n}", "acked", partition=number, offset=n)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = list(recording.entries())
    assert len(found) == 4000
    assert recording.acked_by_topic() == {"t": 4000}
    for number in range(8):
        assert [e["offset"] for e in found if e["partition"] == number] == list(range(500))


def test_closing_writes_what_is_queued_and_ends_it(tmp_path: Path) -> None:
    """Twice does no harm; what comes later is ignored; the thread is gone."""
    with new_recording(tmp_path) as recording:
        for n in range(1000):
            recording.read("t", 0, n, "")
    recording.close()
    recording.event("too late")
    recording.send("t", "late", "acked")
    recording.flush()
    assert recording.closed and not recording.trouble
    assert [entry["k"] for entry in recording.entries()] == ["read"] * 1000
    assert recording.acked_by_topic() == {}
    assert not [thread for thread in threading.enumerate() if thread.name == "kafka-lab recording demo"]


def test_a_loaded_recording_cannot_be_written(recording: Recording) -> None:
    """Writing to what was loaded is ignored, and it knows that somebody else still writes."""
    loaded = Recording.load(str(recording.path))
    loaded.event("no")
    assert not loaded.closed
    recording.close()
    assert loaded.closed and list(loaded.entries()) == []


def test_only_its_owner_can_read_it(recording: Recording) -> None:
    """0600, whatever the umask."""
    assert {stat.S_IMODE(path.stat().st_mode) for path in (recording.path, recording.history_path)} == {0o600}


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    """The file's name holds nothing but letters, digits and `._-`."""
    with new_recording(tmp_path, "../../é vil\n") as recording:
        assert recording.path.parent == tmp_path
        assert recording.header.cluster.name == "../../é vil\n"
        assert "\n" not in repr(recording)


def test_recordings_go_to_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a folder is named."""
    monkeypatch.setenv("KAFKA_LAB_STATE", str(tmp_path / "state"))
    with Recording.create(name="demo", coordination="kraft", version="4.3.1", brokers=[1]) as recording:
        assert recording.path.parent == tmp_path / "state" / "recordings" == recordings_folder()


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    """As a sentence with the remedy, not an OSError."""
    with pytest.raises(LabError, match="KAFKA_LAB_STATE"):
        new_recording(tmp_path / "missing")


def test_the_newest_twenty_are_kept(tmp_path: Path, record_in: Callable[[str], Recording]) -> None:
    """Each with its history; and one that is being written stays, however old. Files of version 1 count, too."""
    oldest = record_in("oldest")
    first = tmp_path / "first-version.jsonl"
    shutil.copy(VERSION_1, first)
    for path in (first, oldest.path, oldest.history_path):
        os.utime(path, (1, 1))
    for n in range(KEPT + 5):
        with new_recording(tmp_path, f"n{n:02}") as recording:
            pass
        for path in (recording.path, recording.history_path):
            os.utime(path, (1000 + n, 1000 + n))
    with new_recording(tmp_path, "newest") as newest:
        left = sorted(path.name.split("-")[0] for path in tmp_path.glob("*.view.jsonl"))
        assert left == [*(f"n{n:02}" for n in range(6, KEPT + 5)), "newest", "oldest"]
        assert left == sorted(path.name.split("-")[0] for path in tmp_path.glob("*.history"))
        assert not first.exists()
        for one in (oldest, newest):
            assert is_being_written(one.path) and is_being_written(one.history_path)
    assert not is_being_written(newest.path) and not is_being_written(newest.history_path)


def test_a_history_without_its_view_is_kept_no_longer_than_others(tmp_path: Path) -> None:
    """Half of a recording counts as one."""
    with new_recording(tmp_path, "half") as recording:
        recording.path.unlink()
    os.utime(recording.history_path, (1, 1))
    with new_recording(tmp_path, "other"):
        prune(tmp_path, keep=1)
        assert not recording.history_path.exists()


def test_a_view_without_its_history_shows_what_it_has(recording: Recording) -> None:
    """A site ships the view alone: events and samples are there, and asking for the rest says what is missing."""
    recording.event("leader", topic="t", partition=0, node=1)
    recording.close()
    recording.history_path.unlink()
    alone = Recording.load(recording.path)
    assert len(list(alone.entries(kinds={"event", "sample", "verdict"}))) == 1
    missing = rf"{recording.path.name} has no history beside it: {recording.history_path.name} is missing"
    for ask in (alone.operations, alone.entries, lambda: alone.entries(kinds={"send"})):
        with pytest.raises(LabError, match=missing):
            list(ask())


def test_a_history_without_its_view_is_refused(recording: Recording) -> None:
    """What happened to the cluster is in the view."""
    recording.path.unlink()
    with pytest.raises(LabError, match=f"{recording.history_path.name} has no view beside it"):
        Recording.load(recording.history_path)


def test_the_history_of_another_recording_is_refused(record_in: Callable[[str], Recording]) -> None:
    """By the id that both files bear."""
    one, other = record_in("one"), record_in("other")
    shutil.copy(other.history_path, one.history_path)
    with pytest.raises(LabError, match="is the history of another recording than one-"):
        list(Recording.load(one.path).operations())
    with pytest.raises(LabError, match="is the history of another recording than one-"):
        Recording.load(one.history_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not the history of a recording of kafka-lab"),
        (
            b'{"format":"kafka-lab-history","version":3}\n',
            "has format version 3 and this kafka-lab reads up to version 2",
        ),
    ],
)
def test_a_history_that_is_none_or_newer_is_refused_in_a_sentence(
    recording: Recording, content: bytes, says: str
) -> None:
    """As a view is."""
    recording.close()
    recording.history_path.write_bytes(content)
    with pytest.raises(LabError, match=says) as refused:
        list(Recording.load(recording.path).operations())
    assert len(re.findall(r"\.( |$)", str(refused.value))) == 1


def test_a_damaged_history_is_named(recording: Recording) -> None:
    """Not what it seems to say is handed out as if it were true."""
    for n in range(3000):
        recording.read("t", 0, n, f"a-{n * n}")
    recording.close()
    whole = bytearray(recording.history_path.read_bytes())
    whole[len(whole) // 2] ^= 0x20
    recording.history_path.write_bytes(whole)
    with pytest.raises(LabError, match=f"{recording.history_path.name} is a damaged history"):
        list(Recording.load(recording.path).operations())


def test_both_files_are_loaded_by_either(recording: Recording) -> None:
    """The view's path and the history's name the same recording."""
    recording.event("x")
    recording.send("t", "a-1", "acked", partition=0, offset=0)
    recording.close()
    by_view, by_history = Recording.load(recording.path), Recording.load(recording.history_path)
    assert (by_view.path, by_view.history_path) == (by_history.path, by_history.history_path)
    assert list(by_view.entries()) == list(by_history.entries()) and len(list(by_view.entries())) == 2


def test_operations_stand_on_their_side_of_each_mark(recording: Recording) -> None:
    """A mark is in both files: whatever the times say, nothing crosses it, in `entries` and in `operations`."""
    began_s = recording.began_s
    recording.read("t", 0, 0, "early", t_s=began_s + 9)
    recording.event("read back began", t_s=began_s + 1, topic="t")
    recording.read("t", 0, 0, "a-1", t_s=began_s + 2)
    recording.sample("lag_records", 3, t_s=began_s + 3, topic="t")
    recording.event("read back", t_s=began_s + 4, topic="t", complete=True, high_watermarks={0: 1})
    recording.send("t", "late", "acked", t_s=began_s + 1)
    assert [e.get("id") or e.get("what") or e["name"] for e in recording.entries()] == [
        "early",
        "read back began",
        "a-1",
        "lag_records",
        "read back",
        "late",
    ]
    assert [type(operation).__name__ for operation in recording.operations()] == [
        "Read",
        "Mark",
        "Read",
        "Mark",
        "Send",
    ]
    marks = [operation for operation in recording.operations() if isinstance(operation, Mark)]
    assert marks[1] == Mark(4.0, "read back", {"topic": "t", "complete": True, "high_watermarks": {"0": 1}})


def test_what_follows_a_mark_waits_for_it(recording: Recording) -> None:
    """While it is written, a follower may find a mark in the history that the view does not have yet."""
    recording.event("before")
    recording.flush()
    torn = recording.path.stat().st_size
    recording.event("read back began", topic="t")
    recording.read("t", 0, 0, "a-1")
    recording.close()
    whole = recording.path.read_bytes()
    recording.path.write_bytes(whole[: torn + 10])
    follower = Recording.load(recording.path).follow()
    assert [e.get("what") for e in follower.poll()] == ["before"]
    recording.path.write_bytes(whole)
    assert [e.get("what", e.get("id")) for e in follower.poll()] == ["read back began", "a-1"]


def test_a_verdict_is_kept_in_the_view(recording: Recording) -> None:
    """Whatever its fields; ours stay ours."""
    recording.verdict({"topic": "t", "lost": 1, "k": "event", "counter_example": [{"k": "send"}]})
    (entry,) = recording.entries(kinds={"verdict"})
    assert (entry["k"], entry["lost"], entry["counter_example"]) == ("verdict", 1, [{"k": "send"}])


def test_a_reader_is_recorded_with_what_it_read(recording: Recording) -> None:
    """The read of a whole topic has no name."""
    recording.read("t", 0, 5, "a-1", reader="billing")
    recording.read("t", 0, 5, "a-1")
    assert [read.reader for read in recording.operations() if isinstance(read, Read)] == ["billing", ""]
    assert [entry.get("reader") for entry in recording.entries()] == ["billing", None]


def run(folder: Path, body: str) -> subprocess.Popen[str]:
    """A process that records into `folder`."""
    begin = f"""
        import os, resource, signal, sys, threading, time
        from pathlib import Path
        from labsupport.observe import Recording
        facts = dict(name="demo", coordination="kraft", version="4.3.1", brokers=[1])
        recording = Recording.create(**facts, folder=Path({str(folder)!r}))
    """
    program = textwrap.dedent(begin) + textwrap.dedent(body)
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_can_be_read_after_kill_9(tmp_path: Path) -> None:
    """All but the last 100 ms; and the dead process holds no lock."""
    process = run(
        tmp_path,
        """
        for n in range(1000):
            recording.send("t", f"a-{n}", "acked", partition=0, offset=n)
        print("sent", flush=True)
        time.sleep(60)
        """,
    )
    assert process.stdout is not None
    process.stdout.readline()
    (path,) = tmp_path.glob("*.history")
    wait_until(lambda: len(list(Recording.load(path).operations())) == 1000, 5, because="what was sent")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed = Recording.load(path)
    assert len(list(killed.entries())) == 1000
    assert killed.closed


def test_a_program_that_just_ends_loses_nothing(tmp_path: Path) -> None:
    """What is still queued when the interpreter ends, or when nobody holds the recording any more, is written."""
    process = run(tmp_path, 'recording.event("last words")')
    assert process.communicate() == ("", "")
    (path,) = tmp_path.glob("*.view.jsonl")
    assert [entry["what"] for entry in Recording.load(path).entries()] == ["last words"]


def test_a_forked_child_writes_nothing(tmp_path: Path) -> None:
    """Its copy of the queue is not the file's: no line twice, and its end does not wait for a thread it has not."""
    process = run(
        tmp_path,
        """
        recording.event("before")
        child = os.fork()
        recording.event("child" if not child else "parent")
        recording.flush()
        if not child:
            recording.close()
            sys.exit(0)
        os.waitpid(child, 0)
        """,
    )
    assert process.communicate(timeout=60)[1] == ""
    (path,) = tmp_path.glob("*.view.jsonl")
    assert [entry["what"] for entry in Recording.load(path).entries()] == ["before", "parent"]


@pytest.mark.parametrize("what", ['send("t", f"a-{n}", "acked", partition=0, offset=n)', 'event("e", number=n)'])
def test_a_full_disk_stops_recording_and_nothing_else(tmp_path: Path, what: str) -> None:
    """A real error of the kernel in the middle of a row or a line: no exception, no output, a sentence, and files that
    can be read."""
    process = run(
        tmp_path,
        f"""
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
        for n in range(5000):
            recording.{what}
        recording.flush()
        recording.event("ignored")
        recording.flush()
        recording.close()
        print(recording.closed, recording.trouble)
        """,
    )
    assert process.communicate() == (
        "True The recording stopped early: File too large. What was recorded until then can be read.\n",
        "",
    )
    (path,) = tmp_path.glob("*.view.jsonl")
    recording = Recording.load(path)
    assert 2_000 in {path.stat().st_size, recording.history_path.stat().st_size}
    written = list(recording.entries())
    numbers = [entry["offset"] if entry["k"] == "send" else entry["number"] for entry in written]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) < 5000


def test_a_disk_that_cannot_keep_up_stops_recording(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is bounded: rather than fill the memory, recording ends and says so."""
    monkeypatch.setattr("labsupport.observe.writer.QUEUE_LIMIT", 0)
    recording.event("one too many")
    assert recording.closed and "cannot keep up" in recording.trouble
    assert list(recording.entries()) == []


def test_a_follower_survives_the_end(recording: Recording) -> None:
    """It hands out the rest, then nothing; also when the file has been pruned, and after its own close."""
    follower = recording.follow()
    recording.event("last")
    recording.close()
    recording.path.unlink()
    assert [entry["what"] for entry in follower.poll()] == ["last"]
    assert follower.poll() == []
    follower.close()
    assert follower.poll() == []


def test_the_limit_of_the_test_is_real() -> None:
    """The full disk above is made with a limit on the file size, which must exist here."""
    assert hasattr(resource, "RLIMIT_FSIZE")
