"""From a spec to the text of `server.properties` and `zoo.cfg`: pure functions, held by golden files."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labsupport.cluster.spec import ClusterSpec, Listener

# What the quick profile changes, and why: one machine stands for three, and a lesson starts a dozen clusters an hour.
SMALL = {
    "offsets.topic.num.partitions": "3",  # 50 by default: each is a folder, a log and an election
    "transaction.state.log.num.partitions": "3",
    "share.coordinator.state.topic.num.partitions": "3",
    "group.initial.rebalance.delay.ms": "0",  # 3,000 by default
    "log.cleaner.dedupe.buffer.size": "4194304",  # 128 MB by default, allocated at start: half of our heap
    # 1,000 by default: a follower that hears of a new partition before its leader does waits so long, and with it the
    # first record that all replicas must have.
    "replica.fetch.backoff.ms": "50",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "4",
}


@dataclass(frozen=True, kw_only=True)
class ZooKeeperPorts:
    """`client` serves brokers; `quorum` and `election` are used between the servers of an ensemble, under `host`."""

    client: int
    quorum: int
    election: int
    host: str = "127.0.0.1"


def broker_properties(
    spec: ClusterSpec,
    node_id: int,
    *,
    listeners: Sequence[Listener],
    voters: Mapping[int, str],
    zookeeper_connect: str,
    log_dirs: Sequence[Path],
) -> dict[str, str]:
    """The settings of one Kafka process. `voters`: `host:port` by id of the KRaft quorum; empty with ZooKeeper."""
    settings = dict(SMALL) if spec.profile == "quick" else {}
    settings |= _replication(spec.brokers)
    settings |= dict(spec.config)
    settings |= _roles(spec, node_id, voters, zookeeper_connect)
    settings["listeners"] = ",".join(listener.bound for listener in listeners)
    # A KRaft controller advertises the address to which it is bound, unless told otherwise, whatever the voters are
    # told: who has once met it as the leader of the quorum dials that one (KIP-853).
    advertised = [
        listener for listener in listeners if listener.name != "CONTROLLER" or listener.advertised != listener.bound
    ]
    if advertised:
        settings["advertised.listeners"] = ",".join(listener.advertised for listener in advertised)
    if any(listener.name == "INTERNAL" for listener in listeners):
        settings["inter.broker.listener.name"] = "INTERNAL"
    names = {listener.name: listener.protocol for listener in listeners}
    if spec.coordination == "kraft":
        names.setdefault("CONTROLLER", "PLAINTEXT")
    settings["listener.security.protocol.map"] = ",".join(f"{name}:{protocol}" for name, protocol in names.items())
    settings["log.dirs"] = ",".join(str(folder) for folder in log_dirs)
    if spec.racks and node_id in spec.broker_ids:
        settings["broker.rack"] = spec.racks[node_id - 1]
    return settings


def _replication(brokers: int) -> dict[str, str]:
    """Kafka's own defaults ask for three replicas of its internal topics; with fewer brokers they cannot be made."""
    factor, minimum = str(min(3, brokers)), str(min(2, brokers))
    return {
        "default.replication.factor": factor,
        "offsets.topic.replication.factor": factor,
        "transaction.state.log.replication.factor": factor,
        "transaction.state.log.min.isr": minimum,
        "share.coordinator.state.topic.replication.factor": factor,
        "share.coordinator.state.topic.min.isr": minimum,
    }


def _roles(spec: ClusterSpec, node_id: int, voters: Mapping[int, str], zookeeper_connect: str) -> dict[str, str]:
    if spec.coordination == "zookeeper":
        return {"broker.id": str(node_id), "zookeeper.connect": zookeeper_connect}
    role = "broker" if node_id in spec.broker_ids else "controller"
    return {
        "node.id": str(node_id),
        "process.roles": "broker,controller" if spec.combined else role,
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": ",".join(f"{voter}@{address}" for voter, address in voters.items()),
    }


def zookeeper_properties(
    ports: Mapping[int, ZooKeeperPorts], myid: int, data: Path, *, bind_host: str = "127.0.0.1"
) -> dict[str, str]:
    """`zoo.cfg` of one server. `dump` names the living sessions: a killed broker waits for the end of its old one."""
    settings = {
        "dataDir": str(data),
        "clientPort": str(ports[myid].client),
        "clientPortAddress": bind_host,
        "tickTime": "2000",
        "maxClientCnxns": "0",
        "admin.enableServer": "false",
        "4lw.commands.whitelist": "ruok,srvr,dump,mntr",
    }
    if len(ports) > 1:
        settings |= {"initLimit": "10", "syncLimit": "5"}
        settings |= {f"server.{i}": f"{p.host}:{p.quorum}:{p.election}" for i, p in ports.items()}
    return settings


def meta_properties(*, cluster_id: str, node_id: int, directory_id: str) -> dict[str, str]:
    """What `kafka-storage.sh format` writes into each log folder, besides its bootstrap checkpoint (KIP-858)."""
    return {"version": "1", "cluster.id": cluster_id, "node.id": str(node_id), "directory.id": directory_id}


def kafka_uuid() -> str:
    """A random id in Kafka's own form: 22 characters of URL-safe base64, not beginning with a hyphen."""
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    return text if not text.startswith("-") else kafka_uuid()


def as_properties(settings: Mapping[str, str]) -> str:
    """Java's properties format: backslashes are doubled, and a leading blank is kept by a backslash before it."""
    return "".join(f"{name}={_property_value(value)}\n" for name, value in settings.items())


def _property_value(value: str) -> str:
    escaped = value.replace("\\", "\\\\")
    return f"\\{escaped}" if escaped[:1] in (" ", "\t") else escaped
