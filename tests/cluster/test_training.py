"""Training with the real programs: its caches are accepted, wrong ones refused, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from labsupport.core.folders import cache_folder
from labsupport.core.wait import wait_until
from labsupport.provision import aot, kafka_home, kraft_bootstrap
from labsupport.provision.gate import cluster_is_starting
from labsupport.provision.java import MODULES, QUICK

TIMEOUT_S = 900
pytestmark = pytest.mark.timeout(2 * TIMEOUT_S)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache in a path with spaces, with the jars of the user's own and without start-up caches of 4.3.1.

    Those of 3.9.2 are the user's, too, if there are any: to see two versions being trained would take a minute more.
    """
    for version in ("3.9.2", "4.3.1"):
        kafka_home(version)
        kraft_bootstrap(version)
    folder = tmp_path_factory.mktemp("a cache with spaces")
    for name in ("jars", "kraft"):
        shutil.copytree(cache_folder() / name, folder / name, copy_function=os.link)
    (folder / "aot").mkdir()
    for path in aot.folder().glob("3.9.2-*"):
        os.link(path, folder / "aot" / path.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAFKA_LAB_CACHE", str(folder))
        yield folder


Trainer = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def trainer(cache: Path) -> Iterator[Trainer]:
    """Starts the trainer as a maintainer does; whatever becomes of the test, no trainer outlives it."""
    with ExitStack() as undo:

        def start(version: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "labsupport.provision.train", version]
            started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            undo.callback(started.communicate)
            undo.callback(started.terminate)
            return started

        yield start


def family_of(folder: Path) -> list[psutil.Process]:
    """All processes that name the folder in their arguments: the worker and its JVMs."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if any(str(folder) in word for word in process.info["cmdline"] or ())
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def jvms_of(folder: Path) -> list[psutil.Process]:
    """Those of the family that are a JVM with a broker."""
    return [process for process in family_of(folder) if "kafka.Kafka" in process.cmdline()]


def states(folder: Path) -> set[str]:
    """The states of the brokers in training."""
    return {process.status() for process in jvms_of(folder)}


def training_folders(cache: Path) -> list[Path]:
    """What a trainer works in."""
    return [path for path in (cache / "aot").glob("training-*") if path.is_dir()]


def test_another_trainer_does_nothing_and_a_killed_one_leaves_nothing(cache: Path, trainer: Trainer) -> None:
    """A second trainer goes at once; kill -9 of guard or worker ends all processes, and no half cache is left."""
    for victim in ("guard", "worker"):
        first = trainer("4.3.1")
        wait_until(lambda: jvms_of(cache), TIMEOUT_S, because="a broker in training")
        second = trainer("4.3.1")
        assert "already at work" in second.communicate(timeout=TIMEOUT_S)[0]
        assert second.returncode == 0
        (worker,) = psutil.Process(first.pid).children()
        os.kill(first.pid if victim == "guard" else worker.pid, signal.SIGKILL)
        wait_until(lambda: not family_of(cache), TIMEOUT_S, because=f"nothing to be left after kill -9 of the {victim}")
        first.wait(TIMEOUT_S)
        wait_until(lambda: not training_folders(cache), TIMEOUT_S, because="the folder to be gone")
        assert list((cache / "aot").glob("4.3.1-*.aot")) == []


def test_training_steps_aside_while_a_cluster_starts(cache: Path, trainer: Trainer) -> None:
    """Its JVMs are frozen for as long as the gate is held, and go on afterwards."""
    training = trainer("4.3.1")
    wait_until(lambda: jvms_of(cache), TIMEOUT_S, because="a broker in training")
    with cluster_is_starting():
        wait_until(lambda: states(cache) == {psutil.STATUS_STOPPED}, TIMEOUT_S, because="the brokers to be frozen")
    wait_until(lambda: psutil.STATUS_STOPPED not in states(cache), TIMEOUT_S, because="the brokers to go on")
    training.terminate()
    training.communicate(timeout=TIMEOUT_S)
    assert family_of(cache) == []
    assert training_folders(cache) == []


@pytest.mark.parametrize("version", ["3.9.2", "4.3.1"])
def test_a_trained_cache_is_accepted(cache: Path, trainer: Trainer, version: str) -> None:
    """Each program's cache is accepted by the JVM, also with JMX; without the modules of the training it is refused."""
    said = trainer(version).communicate(timeout=TIMEOUT_S)[0]
    assert set(aot.aot_status(version).values()) == {"accepted"}, said
    assert aot.untrained(version) == []
    assert family_of(cache) == []
    assert training_folders(cache) == []
    home = kafka_home(version)
    path = aot.cache_file(version, "broker-kraft")
    assert home.flags("broker-kraft")[-3] == f"-XX:AOTCache={path}"
    jmx = tuple(
        f"-Dcom.sun.management.jmxremote{rest}" for rest in ("", ".port=0", ".authenticate=false", ".ssl=false")
    )
    assert aot.is_accepted(path, home.classpath, (*QUICK, *jmx, "-Dcom.sun.management.jmxremote.host=127.0.0.1"))
    assert not aot.is_accepted(path, home.classpath, tuple(flag for flag in QUICK if flag != MODULES))


def test_classes_come_from_the_cache(cache: Path) -> None:
    """With the cache nearly all classes of a tool are ready-made; without it none is."""
    home = kafka_home("4.3.1")
    trained = aot.flags("4.3.1", "tool")
    shares = []
    for flags in (trained, []):
        command = [str(home.java), *QUICK, *flags, "-Xlog:class+load", "-cp", home.classpath]
        done = subprocess.run(
            [*command, "org.apache.kafka.tools.TopicCommand", "--version"], capture_output=True, text=True, check=True
        )
        kafka = [line for line in done.stdout.splitlines() if " org.apache.kafka." in line]
        assert kafka
        shares.append(sum("shared objects file" in line for line in kafka) / len(kafka))
    assert shares[0] > 0.9
    assert shares[1] == 0
