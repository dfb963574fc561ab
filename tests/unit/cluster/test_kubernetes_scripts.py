"""The shell in the manifests, run as it lies: probes against servers that answer, are silent or lie."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labsupport.cluster.kubernetes.manifests import load
from labsupport.core.wait import wait_until

SCRIPTS = next(i for i in load("kraft") if i["metadata"]["name"] == "scripts")["data"]
BUSYBOX = shutil.which("busybox", path="/bin:/usr/bin:/usr/sbin")
API_VERSIONS = bytes.fromhex("0000000a 0012 0000 6b6c6162 ffff")

needs_busybox = pytest.mark.skipif(BUSYBOX is None, reason="the images' shell, busybox, is not on this machine")


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run one of the scripts with busybox alone, its folders moved into a temporary one."""
    programs = tmp_path / "bin"
    programs.mkdir()
    subprocess.run([str(BUSYBOX), "--install", "-s", str(programs)], check=True)

    def run(name: str, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        script = (
            (text or SCRIPTS[name]).replace("/var/lib/kafka/data", str(tmp_path)).replace("/tmp/pid", f"{tmp_path}/pid")
        )
        argv = [str(BUSYBOX), "sh", "-c", script, name, *arguments]
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=20, check=False, env={"PATH": str(programs)}
        )

    return run


@contextmanager
def server(answer: Callable[[bytes], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads once, answers, and holds the line as a broker does; its port and what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(1024))
                connection.sendall(answer(asked[0]))
                connection.recv(1024)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], asked
        thread.join(10)


@needs_busybox
def test_readiness_asks_for_api_versions_and_wants_an_answer_to_this_very_request(shell: Callable[..., object]) -> None:
    with server(lambda _: bytes.fromhex("00000010 6b6c6162 0000 00000001")) as (port, asked):
        assert shell("answers.sh", str(port)).returncode == 0  # type: ignore[attr-defined]
    assert asked == [API_VERSIONS]


@needs_busybox
@pytest.mark.parametrize("answer", [b"", b"\0\0\0\x10\0\0\0\1\0\0klab", b"HTTP/1.0 400 Bad Request\r\n\r\n"])
def test_another_answer_is_not_readiness(shell: Callable[..., object], answer: bytes) -> None:
    with server(lambda _: answer) as (port, _):
        assert shell("answers.sh", str(port)).returncode != 0  # type: ignore[attr-defined]


@needs_busybox
def test_a_port_that_takes_connections_and_is_silent_is_not_ready(shell: Callable[..., object]) -> None:
    """So is a frozen process: the kernel takes connections for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert shell("answers.sh", str(listener.getsockname()[1])).returncode != 0  # type: ignore[attr-defined]


@needs_busybox
def test_zookeeper_is_ready_when_it_says_its_mode(shell: Callable[..., object]) -> None:
    for words, code in ((b"Zookeeper version: 3\nMode: leader\n", 0), (b"not currently serving requests\n", 1)):
        with server(lambda _, words=words: words) as (port, asked):  # type: ignore[misc]
            text = SCRIPTS["mode.sh"].replace("2181", str(port))
            assert shell("mode.sh", text=text).returncode == code  # type: ignore[attr-defined]
        assert asked[0].startswith(b"srvr")


@needs_busybox
def test_a_node_that_is_held_back_has_no_process(shell: Callable[..., object], tmp_path: Path) -> None:
    """To busybox, `kill -0 ""` is a success."""
    assert shell("runs.sh").returncode != 0  # type: ignore[attr-defined]
    (tmp_path / "pid").touch()
    assert shell("runs.sh").returncode != 0  # type: ignore[attr-defined]


@needs_busybox
def test_a_dead_process_that_nobody_has_buried_yet_does_not_run(shell: Callable[..., object], tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"])
    (tmp_path / "pid").write_text(f"{process.pid}\n")
    assert shell("runs.sh").returncode == 0  # type: ignore[attr-defined]
    process.kill()
    wait_until(lambda: shell("runs.sh").returncode != 0, 10, because="it to be dead")  # type: ignore[attr-defined]
    assert process.wait(10) == -9


@needs_busybox
def test_a_signal_reaches_the_process_and_holds_the_next_one_back(shell: Callable[..., object], tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"])
    (tmp_path / "pid").write_text(f"{process.pid}\n")
    assert shell("runs.sh").returncode == 0  # type: ignore[attr-defined]
    assert shell("signal.sh", "STOP").returncode == 0  # type: ignore[attr-defined]
    assert not (tmp_path / "held").exists()
    assert shell("signal.sh", "KILL", "hold").returncode == 0  # type: ignore[attr-defined]
    assert process.wait(10) == -9
    assert (tmp_path / "held").exists()
    assert shell("runs.sh").returncode != 0  # type: ignore[attr-defined]


@needs_busybox
def test_a_node_that_is_held_back_starts_once_the_file_is_gone(tmp_path: Path) -> None:
    programs, bin_folder = tmp_path / "bin", tmp_path / "kafka" / "bin"
    for folder in (programs, bin_folder):
        folder.mkdir(parents=True)
    subprocess.run([str(BUSYBOX), "--install", "-s", str(programs)], check=True)
    (bin_folder / "kafka-server-start.sh").write_text(
        f'#!{programs}/sh\necho "$$ $1 $KAFKA_LOG4J_OPTS" > {tmp_path}/started\n'
    )
    (bin_folder / "kafka-server-start.sh").chmod(0o755)
    (tmp_path / "broker-1.properties").write_text("broker.id=1\n")
    (tmp_path / "held").touch()
    script = SCRIPTS["start.sh"]
    for inside, here in (
        ("/var/lib/kafka/data", tmp_path),
        ("/etc/kafka-lab", tmp_path),
        ("/opt/kafka", tmp_path / "kafka"),
        ("/tmp/pid", tmp_path / "pid"),
    ):
        script = script.replace(inside, str(here))
    process = subprocess.Popen(
        [str(BUSYBOX), "sh", "-c", script, "start.sh", "kafka"],
        env={"PATH": str(programs), "HOSTNAME": "broker-1", "SERVER_LOG4J_OPTS": "-Dlogging"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("held back")
    assert not (tmp_path / "started").exists()
    (tmp_path / "held").unlink()
    wait_until((tmp_path / "started").exists, 10, because="Kafka to be started")
    assert process.wait(10) == 0
    assert (tmp_path / "started").read_text() == f"{process.pid} {tmp_path}/broker-1.properties -Dlogging\n"
    assert (tmp_path / "pid").read_text() == f"{process.pid}\n"
