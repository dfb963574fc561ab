"""The local backend: JVM processes on loopback, data in a private temporary folder, no root and no Docker."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from labsupport.clients.connection import Connection
from labsupport.clients.metadata import ClusterMetadata, MetadataReader, NoAnswer
from labsupport.cluster.broker import Capability, State
from labsupport.cluster.links import CLIENTS, PROXY, Door, Links, proxy_settings
from labsupport.cluster.local_disk import LocalDisk
from labsupport.cluster.render import (
    ZooKeeperPorts,
    as_properties,
    broker_properties,
    meta_properties,
    zookeeper_properties,
)
from labsupport.cluster.spec import ClusterSpec, Listener, ListenerName, build_spec
from labsupport.cluster.supervised import MARKER, ProcessEvent, Supervised
from labsupport.core.errors import BadInput, LabError, StartError
from labsupport.core.escape import printable
from labsupport.core.journal import Journal, NullJournal
from labsupport.core.machine import disk_free_mb, memory_available_mb
from labsupport.core.private import write_private
from labsupport.core.wait import wait_until
from labsupport.provision import KafkaHome, kafka_home, kraft_bootstrap
from labsupport.provision.logs import logging_flags

SUPPORTS = frozenset(Capability) - {Capability.LINKS}
MEMORY_MB = {"quick": {"broker": 300, "coordinator": 150}, "throughput": {"broker": 1300, "coordinator": 600}}
DISK_MB = 300
OLD_SESSION_TIMEOUT_S = 60  # the longest session time-out that ZooKeeper grants at tickTime 2000 is 40 s
ROLES = {"zookeeper": frozenset({"zookeeper"}), "controller": frozenset({"controller"})}


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """What must be remembered of a node to handle it from another process.

    `address` is where clients reach it, `direct` where it listens itself: with a link proxy between, that differs.
    `seen_under`: where the file systems of the cluster are seen, if they have small ones of their own (`mounts.py`).
    """

    name: str
    node_id: int
    roles: frozenset[str]
    address: str
    direct: str
    home: str
    log_dirs: tuple[str, ...]
    jmx_port: int = 0
    seen_under: str = ""

    def outside(self, path: str) -> Path:
        """A path of the node's, as a process outside of the cluster's mount namespace sees it."""
        return Path(f"{self.seen_under}{path}")

    def as_data(self) -> dict[str, Any]:
        return {**vars(self), "roles": sorted(self.roles), "log_dirs": list(self.log_dirs)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> NodeFacts:
        return cls(**{**data, "roles": frozenset(data["roles"]), "log_dirs": tuple(data["log_dirs"])})


@dataclass
class LocalNode:
    """One JVM, held by the supervisor. See `broker.Broker` for what each method promises."""

    facts: NodeFacts
    supervised: Supervised
    zookeeper: Sequence[str] = ()
    linked: Links | None = None
    journal: Journal = field(default_factory=NullJournal)

    @cached_property
    def _reader(self) -> MetadataReader:
        return MetadataReader(Connection(bootstrap_servers=self.facts.direct), timeout_s=1)

    def metadata(self) -> ClusterMetadata:
        """What this very broker says of the cluster; another may know more or less for a moment. Raises `NoAnswer`.

        The lab's own look goes around the link proxy: a link that is cut for clients does not blind it.
        """
        return self._reader.read()

    def __repr__(self) -> str:
        return f"<{self.name} ({', '.join(sorted(self.roles))})>"

    @property
    def node_id(self) -> int:
        return self.facts.node_id

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def roles(self) -> frozenset[str]:
        return self.facts.roles

    @property
    def address(self) -> str:
        return self.facts.address

    @property
    def supports(self) -> frozenset[Capability]:
        return SUPPORTS if self.linked is None else SUPPORTS | {Capability.LINKS}

    @property
    def links(self) -> Links:
        if self.linked is None:
            raise BadInput(
                f"The cluster of {self.name} was started without links.", fix="Use Cluster.start(links=True)."
            )
        return self.linked

    @property
    def state(self) -> State:
        return self.supervised.states()[self.name]  # type: ignore[return-value]

    @property
    def _home(self) -> Path:
        return self.facts.outside(self.facts.home)

    @property
    def log_file(self) -> Path:
        """Where its standard output goes. The local backend's own; not part of `Broker`."""
        return Path(self.facts.home) / "log"

    @property
    def disk(self) -> LocalDisk:
        """What can happen to its log folders."""
        if "broker" not in self.roles:
            raise BadInput(f"{self.name} is no broker.", fix="Name a broker: cluster.broker(1).")
        folders = tuple(self.facts.outside(folder) for folder in self.facts.log_dirs)
        return LocalDisk(self.name, folders, small=bool(self.facts.seen_under))

    def start(self, *, timeout_s: float = 60) -> None:
        if self.state == "paused":
            self.resume()
        if self.state == "stopped":
            self.launch()
        if self.state != "running":
            self.wait_until_ready(timeout_s=timeout_s)

    def launch(self) -> None:
        """Start the process without waiting for it; under ZooKeeper, once its dead session is gone."""
        if "broker" in self.roles and self.zookeeper:
            self._wait_for_the_old_session()
        self.supervised.ask("start", name=self.name)

    def _wait_for_the_old_session(self) -> None:
        """A broker is refused while the ephemeral node of its dead session lives (18 s by default)."""
        if not self._registered():
            return
        self.supervised.ask("note", name=self.name, what="waiting", detail="its old ZooKeeper session has to expire")
        wait_until(
            lambda: not self._registered(), OLD_SESSION_TIMEOUT_S, because=f"the old session of {self.name} to expire"
        )

    def _registered(self) -> bool:
        node = f"/brokers/ids/{self.node_id}\n"
        return any(node in four_letter_word(address, "dump") for address in self.zookeeper)

    def wait_until_ready(self, *, timeout_s: float = 60, known: int = 1) -> None:
        """Wait until it serves requests, and a broker lists itself and at least `known` brokers."""
        wait_until(
            self._probe(known),
            timeout_s,
            because=f"{self.name} to be ready",
            alive=self.raise_if_dead,
            evidence=self.last_words,
            poll_s=0.02,
        )
        self.supervised.ask("note", name=self.name, what="ready")

    def _probe(self, known: int) -> Callable[[], bool]:
        if "zookeeper" in self.roles:
            return lambda: "Mode:" in four_letter_word(self.facts.direct, "srvr")
        if "broker" not in self.roles:
            return lambda: _answers(self.facts.direct)
        return lambda: self._listed(known)

    def _listed(self, known: int) -> bool:
        try:
            brokers = self.metadata().brokers
        except NoAnswer:
            return False
        return self.node_id in brokers and len(brokers) >= known

    def raise_if_dead(self) -> None:
        """Raise `StartError` with the end of the log when the process is not running."""
        if self.state == "stopped":
            raise StartError(f"{self.name} ended while it was starting.", fix=f"Its log says why:\n{self.last_words()}")

    def last_words(self) -> str:
        """The last lines of the log that are no stack trace."""
        lines = [line for line in self.log(200).splitlines() if not line.startswith(("\tat ", "\t..."))]
        return "\n".join(printable(line, limit=400) for line in lines[-5:])

    def stop(self) -> None:
        if self.state == "paused":
            self.resume()
        self._end("TERM", timeout_s=30)

    def kill(self) -> None:
        self._end("KILL", timeout_s=10)

    def _end(self, signal_name: str, *, timeout_s: float) -> None:
        if self.state == "stopped":
            return
        self.supervised.ask("signal", name=self.name, signal_name=signal_name)
        if self._wait_for_exit(timeout_s) != "stopped":  # a combined KRaft node can hang in its own shutdown
            self.supervised.ask("signal", name=self.name, signal_name="KILL")
            self._wait_for_exit(timeout_s)

    def _wait_for_exit(self, timeout_s: float) -> str:
        answer = self.supervised.ask("wait_exit", reply_within_s=timeout_s + 5, name=self.name, timeout_s=timeout_s)
        return str(answer["state"])

    def pause(self) -> None:
        self._refuse_when_stopped("paused")
        self.supervised.ask("signal", name=self.name, signal_name="STOP")

    def resume(self) -> None:
        self._refuse_when_stopped("resumed")
        self.supervised.ask("signal", name=self.name, signal_name="CONT")

    def _refuse_when_stopped(self, wish: str) -> None:
        if self.state == "stopped":
            raise BadInput(f"{self.name} is not running, so it cannot be {wish}.", fix="Start it first.")

    def restart(self) -> None:
        self.stop()
        self.start()

    def log(self, tail: int = 20) -> str:
        try:
            text = self.log_file.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-tail:])

    def files(self, topic: str, partition: int) -> list[str]:
        folders = [self.facts.outside(folder) for folder in self.facts.log_dirs]
        found = [f for folder in folders for f in folder.glob(f"{_glob_safe(topic)}-{int(partition)}/*")]
        return sorted(str(file.relative_to(self._home)) for file in found if file.is_file())

    def sizes(self, topic: str, partition: int) -> dict[str, int]:
        found: dict[str, int] = {}
        for file in self.files(topic, partition):
            with suppress(FileNotFoundError):  # deleted meanwhile
                found[file] = (self._home / file).stat().st_size
        return found

    def read(self, file: str) -> bytes:
        path = Path(os.path.normpath(self._home / file))
        if not any(path.is_relative_to(self.facts.outside(folder)) for folder in self.facts.log_dirs):
            raise BadInput(f"{file!r} is no log file of {self.name}.", fix="Use a name that files() gave.")
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise BadInput(f"{self.name} has no file {file!r} (any more).", fix="Ask files() again.") from None


class LocalBackend:
    """Starts and holds the JVMs of one cluster."""

    def __init__(self, spec: ClusterSpec, supervised: Supervised, nodes: Sequence[LocalNode]) -> None:
        self.spec, self.supervised, self.nodes = spec, supervised, tuple(nodes)

    @classmethod
    def prepare(cls, spec: ClusterSpec) -> LocalBackend:
        """Start the supervisor, reserve ports, write every file; no JVM runs yet. Raises `LabError` for any lack."""
        home = kafka_home(spec.version)
        _refuse_when_too_small(spec)
        folder = Path(tempfile.gettempdir()).resolve() / f"kafka-lab-{spec.name}-{secrets.token_hex(4)}"
        supervised = Supervised.launch(spec.name, folder)
        try:
            return cls(spec, supervised, Builder(spec, home, supervised, folder).build())
        except OSError as error:
            supervised.shutdown()
            raise StartError(
                f"The files of the cluster could not be written to {folder.parent} ({error.strerror}).",
                fix="Free some space there, or point TMPDIR to a folder that can be written.",
            ) from error
        except BaseException:
            supervised.shutdown()
            raise

    @classmethod
    def attach(cls, record: dict[str, Any]) -> LocalBackend:
        """Take hold of a cluster that another process started."""
        wishes = record["spec"]
        controllers = wishes.pop("controllers")
        spec = build_spec(**wishes, controllers=controllers)
        supervised = Supervised(record["name"], Path(record["folder"]))
        facts = [NodeFacts.from_data(node) for node in record["nodes"]]
        zookeeper = [f.direct for f in facts if "zookeeper" in f.roles]
        links = Links(spec.name) if spec.links else None
        return cls(spec, supervised, [LocalNode(f, supervised, zookeeper, links) for f in facts])

    @property
    def brokers(self) -> tuple[LocalNode, ...]:
        return tuple(node for node in self.nodes if "broker" in node.roles)

    @property
    def coordinators(self) -> tuple[LocalNode, ...]:
        """ZooKeeper servers or separate KRaft controllers."""
        return tuple(node for node in self.nodes if "broker" not in node.roles)

    def start(self, *, timeout_s: float) -> None:
        """Start all processes; return when every broker lists all the others."""
        if self.spec.links:
            start_proxy(self.supervised, Links(self.spec.name), timeout_s=timeout_s)
        zookeepers = [node for node in self.nodes if "zookeeper" in node.roles]
        for node in zookeepers:
            node.supervised.ask("start", name=node.name)
        for node in zookeepers:  # a broker that comes before ZooKeeper sleeps a second before it tries again
            node.wait_until_ready(timeout_s=timeout_s)
        rest = [node for node in self.nodes if node not in zookeepers]
        for node in rest:
            node.supervised.ask("start", name=node.name)
        for node in rest:
            node.wait_until_ready(timeout_s=timeout_s, known=self.spec.brokers)

    def describe(self, **facts: object) -> None:
        """Complete the cluster's record, by which other processes find it."""
        nodes = [node.facts.as_data() for node in self.nodes]
        self.supervised.ask("describe", facts={"spec": self.spec.facts(), "nodes": nodes, **facts})

    def process_events(self, after: int, timeout_s: float) -> list[ProcessEvent]:
        return self.supervised.events(after, timeout_s)

    def disown(self) -> None:
        """Let the cluster outlive this process."""
        self.supervised.disown()

    def shutdown(self) -> None:
        self.supervised.shutdown()


class Builder:
    """Lays out folders and files of a new cluster and tells the supervisor what to run."""

    def __init__(self, spec: ClusterSpec, home: KafkaHome, supervised: Supervised, folder: Path) -> None:
        self.spec, self.home, self.supervised, self.folder = spec, home, supervised, folder
        self.links = Links(spec.name) if spec.links else None
        self.doors: list[Door] = []

    def build(self) -> list[LocalNode]:
        spec = self.spec
        zookeepers: list[LocalNode] = []
        if spec.coordination == "zookeeper":
            zookeepers = self._zookeepers()
        kafka_ids = list(spec.broker_ids)
        if spec.coordination == "kraft":
            kafka_ids += spec.coordinator_ids
        listeners = {node_id: self._listeners(node_id) for node_id in kafka_ids}
        voters = {
            node_id: f"{listener.advertised_host}:{listener.advertised_port}"
            for node_id, group in listeners.items()
            for listener in group
            if listener.name == "CONTROLLER"
        }
        cluster_id = kafka_uuid()
        rest = [self._kafka(i, listeners[i], voters, zookeepers, cluster_id) for i in kafka_ids]
        if self.links is not None:
            define_proxy(self.supervised, self.links, self.folder, self.doors, {n.node_id: n.name for n in rest})
        return zookeepers + rest

    def _listeners(self, node_id: int) -> list[Listener]:
        names: list[Any] = ["CLIENT", "INTERNAL"] if node_id in self.spec.broker_ids else []
        if self.spec.combined or not names:
            names.append("CONTROLLER")
        ports = self.supervised.reserve_ports(len(names))
        return [
            Listener(name=name, bind_port=port, advertised_port=self._before(port, node_id, name))
            for name, port in zip(names, ports, strict=True)
        ]

    def _before(self, port: int, node_id: int, listener: ListenerName) -> int:
        """The port to advertise for a bound one: that of the link proxy, if there is one."""
        return self._door(port, self._name(node_id), CLIENTS if listener == "CLIENT" else "")

    def _door(self, target_port: int, node: str, source: str) -> int:
        if self.links is None:
            return target_port
        (port,) = self.supervised.reserve_ports(1)
        self.doors.append(Door(port=port, target_port=target_port, node=node, source=source))
        return port

    def _name(self, node_id: int) -> str:
        return f"{'broker' if node_id in self.spec.broker_ids else 'controller'}-{node_id}"

    def _zookeepers(self) -> list[LocalNode]:
        ids = self.spec.coordinator_ids
        free = iter(self.supervised.reserve_ports(3 * len(ids)))
        ports = {i: ZooKeeperPorts(client=next(free), quorum=next(free), election=next(free)) for i in ids}
        return [self._zookeeper(myid, ports) for myid in ids]

    def _zookeeper(self, myid: int, ports: dict[int, ZooKeeperPorts]) -> LocalNode:
        home = self._node_folder(f"zookeeper-{myid}")
        data = home / "data"
        data.mkdir()
        (data / "myid").write_text(f"{myid}\n")
        config = home / "zoo.cfg"
        config.write_text(as_properties(zookeeper_properties(ports, myid, data)))
        mine = ports[myid]
        facts = NodeFacts(
            name=home.name,
            node_id=myid,
            roles=ROLES["zookeeper"],
            address=f"127.0.0.1:{mine.client}",
            direct=f"127.0.0.1:{mine.client}",
            home=str(home),
            log_dirs=(str(data),),
        )
        program = ["org.apache.zookeeper.server.quorum.QuorumPeerMain", str(config)]
        flags = self._flags("zookeeper", home, facts)
        self._define(facts, flags + program, [mine.client, mine.quorum, mine.election])
        return LocalNode(facts, self.supervised, linked=self.links)

    def _kafka(
        self,
        node_id: int,
        listeners: list[Listener],
        voters: dict[int, str],
        zookeepers: list[LocalNode],
        cluster_id: str,
    ) -> LocalNode:
        is_broker = node_id in self.spec.broker_ids
        home = self._node_folder(self._name(node_id))
        log_dirs = [home / f"data-{i}" for i in range(self.spec.log_dirs if is_broker else 1)]
        for folder in log_dirs:
            folder.mkdir()
        seen_under = self._mount_small(log_dirs) if is_broker and self.spec.log_dir_mb else ""
        if self.spec.coordination == "kraft":
            self.format(node_id, [Path(f"{seen_under}{folder}") for folder in log_dirs], cluster_id)
        config = home / "server.properties"
        settings = broker_properties(
            self.spec,
            node_id,
            listeners=listeners,
            voters=voters,
            zookeeper_connect=",".join(self._way_to(zookeeper, home.name) for zookeeper in zookeepers),
            log_dirs=log_dirs,
        )
        config.write_text(as_properties(settings))
        roles = {"broker"} if is_broker else {"controller"}
        jmx_port = self.supervised.reserve_ports(1)[0] if self.spec.jmx else 0
        facts = NodeFacts(
            name=home.name,
            node_id=node_id,
            roles=frozenset(roles | ({"controller"} if self.spec.combined else set())),
            address=f"{listeners[0].advertised_host}:{listeners[0].advertised_port}",
            direct=f"{listeners[0].bind_host}:{listeners[0].bind_port}",
            home=str(home),
            log_dirs=tuple(str(folder) for folder in log_dirs),
            jmx_port=jmx_port,
            seen_under=seen_under,
        )
        flags = self._flags(f"broker-{self.spec.coordination}", home, facts)
        ports = [listener.bind_port for listener in listeners] + ([jmx_port] if jmx_port else [])
        self._define(facts, [*flags, "kafka.Kafka", str(config)], ports)
        return LocalNode(facts, self.supervised, [node.facts.direct for node in zookeepers], self.links)

    def _mount_small(self, log_dirs: Sequence[Path]) -> str:
        """Give each folder a file system of its own; returns where they are seen. Raises `StartError`."""
        try:
            for folder in log_dirs:
                self.supervised.ask("mount", folder=str(folder), size_mb=self.spec.log_dir_mb)
        except LabError as error:
            raise StartError(
                f"Small file systems cannot be had here ({error.what.rstrip('.')}).",
                fix="They need Linux, and root or user namespaces. Start without log_dir_mb.",
            ) from error
        return f"/proc/{self.supervised.ask('status')['pid']}/root"

    def _way_to(self, zookeeper: LocalNode, broker: str) -> str:
        """Where a broker finds ZooKeeper. Each has a door of its own, as ZooKeeper's protocol tells no names."""
        host, _, port = zookeeper.facts.direct.rpartition(":")
        return f"{host}:{self._door(int(port), zookeeper.name, broker)}"

    def format(self, node_id: int, log_dirs: Sequence[Path], cluster_id: str) -> None:
        """What `kafka-storage.sh format` leaves behind, without a JVM: its checkpoint was made once and kept."""
        (log_dirs[0] / "bootstrap.checkpoint").write_bytes(kraft_bootstrap(self.spec.version))
        for folder in log_dirs:
            meta = meta_properties(cluster_id=cluster_id, node_id=node_id, directory_id=kafka_uuid())
            (folder / "meta.properties").write_text(as_properties(meta))

    def _node_folder(self, name: str) -> Path:
        home = self.folder / name
        home.mkdir(mode=0o700)
        return home

    def _flags(self, program: Any, home: Path, facts: NodeFacts) -> list[str]:
        flags = self.home.flags(program, jmx=self.spec.jmx)
        if self.spec.profile == "throughput":
            flags = ["-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true"]
        if facts.jmx_port:
            flags += self._jmx_flags(home, facts.jmx_port)
        return [*flags, f"-Dkafka.logs.dir={home}", *logging_flags(self.spec.version), "-cp", self.home.classpath]

    def _jmx_flags(self, home: Path, port: int) -> list[str]:
        """Remote JMX for this machine only, behind a random password that only the user can read."""
        password, access = home / "jmxremote.password", home / "jmxremote.access"
        write_private(password, f"monitor {secrets.token_urlsafe(24)}\n")
        write_private(access, "monitor readonly\n")
        prefix = "-Dcom.sun.management.jmxremote"
        return [
            f"{prefix}.port={port}",
            f"{prefix}.rmi.port={port}",
            f"{prefix}.host=127.0.0.1",
            "-Djava.rmi.server.hostname=127.0.0.1",
            f"{prefix}.ssl=false",
            f"{prefix}.authenticate=true",
            f"{prefix}.password.file={password}",
            f"{prefix}.access.file={access}",
        ]

    def _define(self, facts: NodeFacts, arguments: list[str], ports: list[int]) -> None:
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
        env = {name: os.environ[name] for name in kept if name in os.environ}
        self.supervised.ask(
            "define",
            name=facts.name,
            node_id=facts.node_id,
            argv=[str(self.home.java), *arguments],
            env={**env, MARKER: self.spec.name},
            cwd=facts.home,
            log=str(Path(facts.home) / "log"),
            ports=ports,
        )


def define_proxy(
    supervised: Supervised, links: Links, folder: Path, doors: Sequence[Door], names: Mapping[int, str]
) -> None:
    """Tell the supervisor of the link proxy. It runs as the supervisor does: isolated, with our package alone."""
    home = folder / PROXY
    home.mkdir(mode=0o700)
    settings = home / "settings.json"
    settings.write_text(proxy_settings(links, doors, names))
    supervised.ask(
        "define",
        name=PROXY,
        node_id=0,
        argv=[sys.executable, "-S", "-P", "-m", "labsupport.cluster.proxy", str(settings)],
        env={MARKER: links.cluster, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd="/",
        log=str(home / "log"),
        ports=[door.port for door in doors],
        told=False,
    )


def start_proxy(supervised: Supervised, links: Links, *, timeout_s: float) -> None:
    """Start the link proxy; return when it listens at every door."""
    supervised.ask("start", name=PROXY)
    wait_until(links.is_up, timeout_s, because="the link proxy to listen", poll_s=0.02)
    supervised.ask("note", name=PROXY, what="ready")


def kafka_uuid() -> str:
    """A random id in Kafka's own form: 22 characters of URL-safe base64, not beginning with a hyphen."""
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    return text if not text.startswith("-") else kafka_uuid()


def four_letter_word(address: str, word: str) -> str:
    """ZooKeeper's answer to a command such as `srvr` (Administrator's Guide, "The Four Letter Words"); "" if silent."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(word.encode())
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                return answer.read().decode(errors="replace")
    except OSError:
        return ""


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def _glob_safe(topic: str) -> str:
    if not all(c.isalnum() or c in "._-" for c in topic):
        raise BadInput(f"{topic!r} is no topic name.", fix="Topic names hold letters, digits, '.', '_' and '-'.")
    return topic


def _refuse_when_too_small(spec: ClusterSpec) -> None:
    """Refuse with need against have, before anything is started."""
    need = MEMORY_MB[spec.profile]
    coordinators = 0 if spec.combined else spec.controllers
    need_mb = spec.brokers * need["broker"] + coordinators * need["coordinator"]
    have_mb = memory_available_mb()
    if have_mb < need_mb:
        raise LabError(
            f"This cluster needs about {need_mb} MB of memory, and {have_mb} MB are available.",
            fix="Close other programs or clusters (`kafka-lab status`), or start fewer brokers.",
        )
    free_mb = disk_free_mb(Path(tempfile.gettempdir()))
    if free_mb < DISK_MB:
        raise LabError(
            f"{tempfile.gettempdir()} has {free_mb} MB free, and a cluster needs {DISK_MB} MB.",
            fix="Free some space there, or point TMPDIR to another folder.",
        )
