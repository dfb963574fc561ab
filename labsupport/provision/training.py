"""The trainer's worker: started by `train`, never by hand. It runs real programs in a folder that the guard removes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from labsupport.core.clock import now_s
from labsupport.core.errors import LabError
from labsupport.core.processes import dies_with_parent
from labsupport.core.wait import wait_until
from labsupport.provision import aot, gate
from labsupport.provision.aot import Program
from labsupport.provision.ending import ended
from labsupport.provision.java import QUICK
from labsupport.provision.kafka import KafkaHome, kafka_home
from labsupport.provision.kraft import CHECKPOINT, SOME_CLUSTER_ID, kraft_bootstrap
from labsupport.provision.logs import logging_flags

PORTS = range(29_999, 28_999, -1)  # the end of our range where clusters look last
START_TIMEOUT_S = 900
STOP_TIMEOUT_S = 600
CREATE_TIMEOUT_S = 900
LOOK_S = 0.1
FROZEN_AT_MOST_S = 30.0
AT_LEAST_S = 10.0

BROKER = "kafka.Kafka"
ZOOKEEPER = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
# Like those of the clusters that we start: what they load is what is kept ready.
SMALL = """offsets.topic.num.partitions=3
offsets.topic.replication.factor=2
transaction.state.log.replication.factor=2
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
listener.security.protocol.map=CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INTERNAL
"""


class Stage:
    """Where programs run: they are started from here, step aside while a cluster starts, and end when it is left."""

    def __init__(self, home: KafkaHome, folder: Path, *, guard: int) -> None:
        self.home, self.folder, self._guard = home, folder, guard
        self._running: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._watch = threading.Thread(target=self._step_aside, name="gate", daemon=True)
        self._ports = iter(PORTS)

    def __enter__(self) -> Stage:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._watch.join()
        for process in self._running:
            process.kill()
            process.wait()

    def _step_aside(self) -> None:
        """Freeze our JVMs while a cluster is starting; not for ever, since on a busy machine there is always one."""
        while not self._left.wait(LOOK_S):
            self._look_at_the_guard()
            if gate.some_cluster_is_starting():
                self._signal(signal.SIGSTOP)
                until_s = now_s() + FROZEN_AT_MOST_S
                while now_s() < until_s and gate.some_cluster_is_starting() and not self._left.wait(LOOK_S):
                    self._look_at_the_guard()
                self._signal(signal.SIGCONT)
                if now_s() >= until_s:
                    self._left.wait(AT_LEAST_S)

    def _look_at_the_guard(self) -> None:
        """If the guard was killed, its duty is ours; from this thread, since the main one may be deep in a client."""
        if os.getppid() != self._guard:
            with self._lock:
                for process in self._running:
                    process.kill()
                    process.wait()
                shutil.rmtree(self.folder, ignore_errors=True)
                os._exit(1)

    def _signal(self, signal_number: signal.Signals) -> None:
        with self._lock:
            for process in self._running:
                process.send_signal(signal_number)  # does nothing to one that has ended

    def write(self, name: str, text: str) -> str:
        """Write a file into the folder; returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def port(self) -> int:
        """A free port of our range."""
        for number in self._ports:
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", number))
                except OSError:
                    continue
                return number
        raise LabError("No port from 29000 to 29999 is free.")

    def java(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a JVM with the quick profile; its output goes to NAME.log."""
        command = [str(self.home.java), *QUICK, *arguments]
        with (self.folder / f"{name}.log").open("wb") as out, self._lock:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                preexec_fn=dies_with_parent(os.getpid()),  # noqa: PLW1509 - one thread forks here
            )
            self._running.append(process)
        return process

    def program(self, name: str, main: str, *arguments: str, record: bool) -> subprocess.Popen[bytes]:
        """Start a Kafka program, and have it write down which classes it loads if `record`."""
        recording = ["-XX:AOTMode=record", f"-XX:AOTConfiguration={self.folder / name}.conf"] if record else []
        flags = [*recording, aot.QUIET, *logging_flags(self.home.version), "-cp", self.home.classpath]
        return self.java(name, *flags, main, *arguments)

    def log(self, name: str) -> str:
        """What a program has said so far."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def wait_for(self, name: str, process: subprocess.Popen[bytes], condition: Callable[[], object], what: str) -> None:
        """Wait until `condition`; raises `LabError` when the program ends before."""

        def alive() -> None:
            if process.poll() is not None:
                raise LabError(f"{name} ended with {process.returncode}.", fix=self.log(name)[-2000:])

        wait_until(condition, START_TIMEOUT_S, because=what, alive=alive, evidence=lambda: self.log(name)[-2000:])

    def started(self, name: str, process: subprocess.Popen[bytes], words: str) -> None:
        """Wait until a program says that it has started."""
        self.wait_for(name, process, lambda: words in self.log(name), f"{name} to say {words!r}")

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """SIGTERM, and wait: a JVM that records writes its file at the very end."""
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def keep(self, name: str, program: Program) -> None:
        """Make the cache from what was recorded, ask the JVM whether it accepts it, and only then give it its name."""
        new = self.folder / f"{name}.aot"
        step = f"{name}-create"
        arguments = ["-XX:AOTMode=create", f"-XX:AOTConfiguration={self.folder / name}.conf", f"-XX:AOTCache={new}"]
        process = self.java(step, *arguments, "-cp", self.home.classpath)
        process.wait(CREATE_TIMEOUT_S)
        if process.returncode or not new.is_file():
            raise LabError(f"The JVM made no cache of {program}.", fix=self.log(step)[-2000:])
        final = aot.cache_file(self.home.version, program)
        if not aot.is_accepted(new, self.home.classpath):
            aot.rejected_mark(final).touch()
            print(f"Kafka {self.home.version}: the JVM refuses its own fresh cache of {program}", flush=True)
            return
        new.replace(final)
        _forget_older(final, program, self.home.version)
        print(f"Kafka {self.home.version}: trained {program}, {final.stat().st_size / 1e6:.0f} MB", flush=True)


def _forget_older(final: Path, program: Program, version: str) -> None:
    """Keep the newest two of a program: another environment may use the other."""
    all_of_it = sorted(final.parent.glob(f"{version}-{program}-*.aot"), key=lambda path: path.stat().st_mtime)
    for old in all_of_it[:-2]:
        old.unlink(missing_ok=True)


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _listeners(stage: Stage, controller: int | None = None) -> tuple[str, int]:
    """The settings of two listeners (and a controller's), and the port for clients."""
    client, internal = stage.port(), stage.port()
    both = f"CLIENT://127.0.0.1:{client},INTERNAL://127.0.0.1:{internal}"
    controllers = f",CONTROLLER://127.0.0.1:{controller}" if controller else ""
    return f"listeners={both}{controllers}\nadvertised.listeners={both}\n", client


@contextmanager
def _zookeeper_cluster(stage: Stage) -> Iterator[tuple[int, ...]]:
    """ZooKeeper and two brokers; ZooKeeper and broker 1 are recorded. Yields the ports for clients."""
    port = stage.port()
    config = stage.write(
        "zoo.cfg",
        f"dataDir={stage.folder / 'zookeeper-data'}\nclientPort={port}\nclientPortAddress=127.0.0.1\n"
        "admin.enableServer=false\n4lw.commands.whitelist=ruok,srvr,dump,mntr\n",
    )
    zookeeper = stage.program("zookeeper", ZOOKEEPER, config, record=True)
    stage.wait_for("zookeeper", zookeeper, lambda: _listening(port), "ZooKeeper to listen")
    brokers, ports = [], []
    for number in (1, 2):
        listeners, client = _listeners(stage)
        config = stage.write(
            f"broker-{number}.properties",
            f"{SMALL}{listeners}broker.id={number}\nzookeeper.connect=127.0.0.1:{port}\n"
            f"log.dirs={stage.folder / f'zk-data-{number}'}\n",
        )
        brokers.append(stage.program(f"broker-zookeeper-{number}", BROKER, config, record=number == 1))
        ports.append(client)
    for number, broker in enumerate(brokers, 1):
        stage.started(f"broker-zookeeper-{number}", broker, f"[KafkaServer id={number}] started")
    _ask_zookeeper(port)
    yield tuple(ports)
    for process in (*reversed(brokers), zookeeper):
        stage.stop(process)


def _ask_zookeeper(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"dump")
        while connection.recv(4096):
            pass


@contextmanager
def _kraft_cluster(stage: Stage) -> Iterator[tuple[int, ...]]:
    """A combined node, which is recorded, and a broker. Yields the ports for clients."""
    controller = stage.port()
    checkpoint = kraft_bootstrap(stage.home.version)
    nodes, ports = [], []
    for number, roles in ((1, "broker,controller"), (2, "broker")):
        listeners, client = _listeners(stage, controller if number == 1 else None)
        data = stage.folder / f"kraft-data-{number}"
        data.mkdir()
        (data / CHECKPOINT).write_bytes(checkpoint)
        (data / "meta.properties").write_text(f"version=1\ncluster.id={SOME_CLUSTER_ID}\nnode.id={number}\n")
        config = stage.write(
            f"kraft-{number}.properties",
            f"{SMALL}{listeners}node.id={number}\nprocess.roles={roles}\ncontroller.listener.names=CONTROLLER\n"
            f"controller.quorum.voters=1@127.0.0.1:{controller}\nlog.dirs={data}\n",
        )
        nodes.append(stage.program(f"broker-kraft-{number}", BROKER, config, record=number == 1))
        ports.append(client)
    for number, node in enumerate(nodes, 1):
        stage.started(f"broker-kraft-{number}", node, "Kafka Server started")
    yield tuple(ports)
    for node in reversed(nodes):
        stage.stop(node)


def _exercise(ports: tuple[int, ...]) -> None:
    """What every page does: make a topic, write with acks=all, read with a group."""
    from confluent_kafka import Consumer, Producer
    from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic  # type: ignore[attr-defined]

    servers: dict[str, str | int | float | bool] = {
        "bootstrap.servers": ",".join(f"127.0.0.1:{port}" for port in ports),
        "log_level": 0,
    }
    admin = AdminClient(servers)
    wait_until(
        lambda: len(admin.list_topics(timeout=30).brokers) == len(ports), START_TIMEOUT_S, because="both brokers"
    )
    topic = NewTopic(
        "training", num_partitions=2, replica_assignment=[[1, 2], [2, 1]], config={"min.insync.replicas": "1"}
    )
    for future in admin.create_topics([topic], operation_timeout=60).values():
        future.result(120)
    producer = Producer({**servers, "acks": "all", "enable.idempotence": True, "delivery.timeout.ms": 120_000})
    for number in range(200):
        producer.produce("training", key=str(number), value="x" * 100, headers=[("lab-id", b"1")])
    producer.flush(120)
    for future in admin.describe_configs([ConfigResource(ConfigResource.Type.BROKER, "1")]).values():
        future.result(120)
    group = {"group.id": "training", "auto.offset.reset": "earliest"}
    consumer = Consumer({**servers, **group, "session.timeout.ms": 45_000})
    try:
        consumer.subscribe(["training"])
        consumer.consume(100, timeout=60)
        consumer.commit(asynchronous=False)
    finally:
        consumer.close()


def _tool(stage: Stage, ports: tuple[int, ...]) -> None:
    """The tool that is used most, while there is a cluster that answers it."""
    arguments = ["--bootstrap-server", f"127.0.0.1:{ports[0]}", "--describe"]
    tool = stage.program("tool", "org.apache.kafka.tools.TopicCommand", *arguments, record=True)
    tool.wait(START_TIMEOUT_S)


def train(version: str, folder: Path, *, guard: int) -> None:
    """Train what is missing. Raises `LabError` when a program does not start."""
    missing = aot.untrained(version)
    with ExitStack() as undo:
        stage = undo.enter_context(Stage(kafka_home(version), folder, guard=guard))
        if {"zookeeper", "broker-zookeeper"} & set(missing):
            with _zookeeper_cluster(stage) as ports:
                _exercise(ports)
            stage.keep("broker-zookeeper-1", "broker-zookeeper")
            stage.keep("zookeeper", "zookeeper")
        if {"broker-kraft", "tool"} & set(missing):
            with _kraft_cluster(stage) as ports:
                _exercise(ports)
                _tool(stage, ports)
            stage.keep("broker-kraft-1", "broker-kraft")
            stage.keep("tool", "tool")


def main(arguments: list[str]) -> int:
    """VERSION FOLDER PID-OF-THE-GUARD."""
    version, folder, guard = arguments
    signal.signal(signal.SIGTERM, ended)
    try:
        train(version, Path(folder), guard=int(guard))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
