"""Writing: never in the caller's way, on disk within 100 ms, private, and quiet when the disk is full."""

from __future__ import annotations

import os
import resource
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
from labsupport.observe.shelf import KEPT, is_being_written
from tests.unit.observe.made_by_hand import new_recording


def test_what_was_recorded_is_read_back(recording: Recording) -> None:
    """Each of the four kinds, with times in seconds since the beginning."""
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
    assert stat.S_IMODE(recording.path.stat().st_mode) == 0o600


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
    """And one that is being written stays, however old."""
    oldest = record_in("oldest")
    for n in range(KEPT + 5):
        with new_recording(tmp_path, f"n{n:02}") as recording:
            os.utime(recording.path, (n, n))
        os.utime(recording.path, (1000 + n, 1000 + n))
    os.utime(oldest.path, (1, 1))
    with new_recording(tmp_path, "newest") as newest:
        left = sorted(path.name.split("-")[0] for path in tmp_path.iterdir())
        assert left == [*(f"n{n:02}" for n in range(6, KEPT + 5)), "newest", "oldest"]
        assert is_being_written(oldest.path) and is_being_written(newest.path)
    assert not is_being_written(newest.path)


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
    (path,) = tmp_path.glob("*.jsonl")
    wait_until(lambda: path.read_bytes().count(b"\n") == 1001, 5, because="what was sent")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed = Recording.load(path)
    assert len(list(killed.entries())) == 1000
    assert killed.closed


def test_a_program_that_just_ends_loses_nothing(tmp_path: Path) -> None:
    """What is still queued when the interpreter ends, or when nobody holds the recording any more, is written."""
    process = run(tmp_path, 'recording.event("last words")')
    assert process.communicate() == ("", "")
    (path,) = tmp_path.glob("*.jsonl")
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
    (path,) = tmp_path.glob("*.jsonl")
    assert [entry["what"] for entry in Recording.load(path).entries()] == ["before", "parent"]


def test_a_full_disk_stops_recording_and_nothing_else(tmp_path: Path) -> None:
    """A real error of the kernel in the middle of a line: no exception, no output, a sentence, and a readable file."""
    process = run(
        tmp_path,
        """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        for n in range(1000):
            recording.send("t", f"a-{n}", "acked", partition=0, offset=n)
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
    (path,) = tmp_path.glob("*.jsonl")
    assert path.stat().st_size == 20_000
    ids = [entry["id"] for entry in Recording.load(path).entries()]
    assert ids == [f"a-{n}" for n in range(len(ids))] and len(ids) > 50


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
