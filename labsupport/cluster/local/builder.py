"""Folders, files and flags of a new local cluster."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labsupport.cluster.links import CLIENTS, PROXY, Door, Links, proxy_settings
from labsupport.cluster.local.node import LocalFacts, LocalNode
from labsupport.cluster.render import (
    ZooKeeperPorts,
    as_properties,
    broker_properties,
    kafka_uuid,
    meta_properties,
    zookeeper_properties,
)
from labsupport.cluster.spec import ClusterSpec, Listener, ListenerName
from labsupport.cluster.supervised import MARKER, Supervised
from labsupport.core.errors import LabError, StartError
from labsupport.core.private import write_private
from labsupport.core.wait import wait_until
from labsupport.provision import KafkaHome, kraft_bootstrap
from labsupport.provision.logs import logging_flags

TEMPORARY = "tmp"  # in a node's folder


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
        facts = LocalFacts(
            name=home.name,
            node_id=myid,
            roles=frozenset({"zookeeper"}),
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
        facts = LocalFacts(
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
        return LocalNode(facts, self.supervised, tuple(node.facts.direct for node in zookeepers), self.links)

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
        (home / TEMPORARY).mkdir(mode=0o700)
        return home

    def _flags(self, program: Any, home: Path, facts: LocalFacts) -> list[str]:
        flags = self.home.flags(program, jmx=self.spec.jmx)
        if self.spec.profile == "throughput":
            flags = ["-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true"]
        if facts.jmx_port:
            flags += self._jmx_flags(home, facts.jmx_port)
        # A JVM that is killed leaves the native libraries that it unpacked (lz4, zstd, snappy).
        folders = [f"-Dkafka.logs.dir={home}", f"-Djava.io.tmpdir={home / TEMPORARY}"]
        return [*flags, *folders, *logging_flags(self.spec.version), "-cp", self.home.classpath]

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

    def _define(self, facts: LocalFacts, arguments: list[str], ports: list[int]) -> None:
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
        env={MARKER: links.cluster, "PYTHONPATH": str(Path(__file__).parents[3])},
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
