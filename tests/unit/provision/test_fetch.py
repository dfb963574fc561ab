"""A file is in the cache and right, or it is not there; and what went wrong is said in two sentences."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from labsupport.core.errors import ProvisionError
from labsupport.provision import fetch as fetching
from labsupport.provision import store
from labsupport.provision.fetch import fetch
from tests.unit.provision.conftest import Repository, files_in

PLACE = "jars/org.example/brick-1.0.jar"


def test_a_good_file_is_kept_under_its_name(cache: Path, repository: Repository) -> None:
    """The file arrives whole, in a folder with spaces, and nothing else is left beside it."""
    fetch([repository.artifact()], remote_repos=repository.remote)
    assert (cache / PLACE).read_bytes() == repository.content
    assert files_in(cache) == {PLACE}


def test_a_second_start_asks_nobody(cache: Path, repository: Repository) -> None:
    """Once filled, the cache works with the network off."""
    fetch([repository.artifact()], remote_repos=repository.remote)
    asked = len(repository.asked)
    fetch([repository.artifact()], remote_repos={"test": "http://127.0.0.1:1"})
    assert len(repository.asked) == asked == 1


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("cut", "was cut short"),
        ("tampered", "is not the file that the lock names"),
        ("page", "sent a web page"),
        ("404", "HTTP status 404"),
        ("503", "HTTP status 503"),
    ],
)
def test_a_bad_file_is_named_and_not_kept(cache: Path, repository: Repository, behaviour: str, words: str) -> None:
    """The cause is in the first sentence, the remedy in the second, and no byte of the bad file stays."""
    repository.behaviour = behaviour
    with pytest.raises(ProvisionError, match=words) as caught:
        fetch([repository.artifact()], remote_repos=repository.remote)
    assert "brick-1.0.jar" in caught.value.what
    assert caught.value.fix.endswith(".")
    assert files_in(cache) == set()


@pytest.mark.parametrize(("behaviour", "attempts"), [("404", 1), ("403", 1), ("503", 3), ("cut", 3), ("tampered", 1)])
def test_only_what_may_pass_is_tried_again(
    cache: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch, behaviour: str, attempts: int
) -> None:
    """A busy server or a cut line may be well in a second; a missing or changed file will not."""
    monkeypatch.setattr(fetching, "_pause_s", lambda *_: 0.0)
    repository.behaviour = behaviour
    with pytest.raises(ProvisionError):
        fetch([repository.artifact()], remote_repos=repository.remote)
    assert len(repository.asked) == attempts


def test_a_bad_file_does_not_stand_in_the_way_of_a_good_one(cache: Path, repository: Repository) -> None:
    """After a download that was cut short, the same command goes through."""
    repository.behaviour = "cut"
    with pytest.raises(ProvisionError):
        fetch([repository.artifact()], remote_repos=repository.remote)
    repository.behaviour = "good"
    fetch([repository.artifact()], remote_repos=repository.remote)
    assert files_in(cache) == {PLACE}


def test_a_file_that_is_short_in_whole_is_cut_too(cache: Path, repository: Repository) -> None:
    """A server that announces fewer bytes than the lock knows of has cut the file as well."""
    whole = repository.artifact()
    repository.content = repository.content[:1000]
    with pytest.raises(ProvisionError, match="cut short: 1,000 of"):
        fetch([whole], remote_repos=repository.remote)
    assert files_in(cache) == set()


def test_no_network_is_named(cache: Path) -> None:
    """Where nobody listens, the sentence says network, not the name of an exception."""
    artifact = Repository().artifact()
    with pytest.raises(ProvisionError, match="There is no network") as caught:
        fetch([artifact], remote_repos={"test": "http://127.0.0.1:1"})
    assert "Connect to the network" in caught.value.fix
    assert files_in(cache) == set()


def test_what_arrived_before_the_failure_is_kept(cache: Path, repository: Repository) -> None:
    """One bad file of two does not cost the good one."""
    fetch([repository.artifact("good")], remote_repos=repository.remote)
    bad = replace(repository.artifact("bad"), sha256="0" * 64)
    with pytest.raises(ProvisionError):
        fetch([repository.artifact("good"), bad], remote_repos=repository.remote)
    assert files_in(cache) == {"jars/org.example/good-1.0.jar"}


def test_a_file_that_was_touched_is_hashed_again(cache: Path, repository: Repository) -> None:
    """Same size, other content: the next start notices and fetches it anew."""
    artifact = repository.artifact()
    fetch([artifact], remote_repos=repository.remote)
    (cache / PLACE).write_bytes(b"x" * artifact.size)
    fetch([artifact], remote_repos=repository.remote)
    assert (cache / PLACE).read_bytes() == repository.content


def test_a_copied_cache_is_accepted(cache: Path, repository: Repository) -> None:
    """Another modification time alone costs one look at the content, no download."""
    fetch([repository.artifact()], remote_repos=repository.remote)
    os.utime(cache / PLACE)
    fetch([repository.artifact()], remote_repos=repository.remote)
    assert len(repository.asked) == 1
    assert (cache / PLACE).stat().st_mtime_ns == store.CHECKED_NS


def test_what_a_killed_start_left_is_swept(cache: Path, repository: Repository) -> None:
    """A half file of an earlier start goes when the next one fetches."""
    left = cache / "jars/org.example/other-1.0.jar.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    fetch([repository.artifact()], remote_repos=repository.remote)
    assert files_in(cache) == {PLACE}


ONE_START = """
import sys
from labsupport.provision.fetch import fetch
from tests.unit.provision.conftest import Repository
fetch([Repository().artifact()], remote_repos={"test": sys.argv[1]})
"""


def test_two_starts_at_once_fetch_once(cache: Path, repository: Repository) -> None:
    """Two processes want the same file at the same time: one fetches it, both are content."""
    repository.go_on.clear()
    starts = [
        subprocess.Popen([sys.executable, "-c", ONE_START, repository.address], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    repository.go_on.set()
    said = [start.communicate(timeout=60)[1] for start in starts]
    assert [start.returncode for start in starts] == [0, 0], said
    assert len(repository.asked) == 1
    assert files_in(cache) == {PLACE}


def test_a_full_disk_is_named(cache: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC while writing becomes a sentence about the disk."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetching.store, "put", full)
    with pytest.raises(ProvisionError, match="The disk is full"):
        fetch([repository.artifact()], remote_repos=repository.remote)
    assert files_in(cache) == set()


def test_a_read_only_cache_that_is_filled_works(
    cache: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written, not even a lock, when everything is there."""
    fetch([repository.artifact()], remote_repos=repository.remote)

    def refuse(folder: Path) -> None:
        raise AssertionError(f"{folder} was to be written")

    monkeypatch.setattr(fetching.store, "fetching", refuse)
    fetch([repository.artifact()], remote_repos=repository.remote)


def test_a_read_only_cache_that_lacks_files_is_named(
    cache: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EROFS, which also stops root, becomes a sentence about the folder and how to choose another."""
    real = Path.open

    def refuse(path: Path, mode: str = "r", *rest: object, **more: object) -> object:
        if path.name == "fetching.lock":
            raise OSError(30, "Read-only file system")
        return real(path, mode, *rest, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ProvisionError, match="is read-only") as caught:
        fetch([repository.artifact()], remote_repos=repository.remote)
    assert "KAFKA_LAB_CACHE" in caught.value.fix


def test_one_failure_stops_the_rest() -> None:
    """The first failure is what is raised, and jobs that still run are asked to stop."""
    asked_to_stop = threading.Event()

    def fails(_: threading.Event) -> None:
        raise ProvisionError("first", fix="")

    def waits(stop: threading.Event) -> None:
        assert stop.wait(30)
        asked_to_stop.set()

    with pytest.raises(ProvisionError, match="first"):
        fetching.run_jobs([waits, fails])
    assert asked_to_stop.is_set()


def test_progress_adds_up(cache: Path, repository: Repository) -> None:
    """Every expected byte is reported once, also when the first attempt was cut and begun again."""

    class Count:
        expected = arrived = 0

        def expect(self, size: int) -> None:
            self.expected += size

        def advance(self, count: int) -> None:
            self.arrived += count
            repository.behaviour = "good"

    repository.behaviour = "cut"
    count = Count()
    fetch([repository.artifact()], progress=count, remote_repos=repository.remote)
    assert len(repository.asked) == 2
    assert count.expected == count.arrived == len(repository.content)
