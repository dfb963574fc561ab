"""What is wanted, in Kafka's own words. Where it runs is the backend's affair."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from labsupport.core.errors import BadInput
from labsupport.provision import KAFKA_VERSIONS

Coordination = Literal["kraft", "zookeeper"]
Profile = Literal["quick", "throughput"]
BackendName = Literal["local", "docker", "kubernetes"]
ListenerName = Literal["CLIENT", "INTERNAL", "CONTROLLER"]

BACKEND_VARIABLE = "KAFKA_LAB_BACKEND"
DEFAULT_VERSION: Mapping[Coordination, str] = {"kraft": "4.3.1", "zookeeper": "3.9.2"}
LAST_WITH_ZOOKEEPER = 3
FIRST_CONTROLLER_ID = 101
MOST_BROKERS = 9
LOG_DIR_MB = (16, 4096)
NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")

# Settings that the lab must choose itself: with another value the cluster could not be reached, found or removed.
RESERVED = frozenset(
    {
        "node.id",
        "broker.id",
        "process.roles",
        "listeners",
        "advertised.listeners",
        "inter.broker.listener.name",
        "controller.listener.names",
        "listener.security.protocol.map",
        "controller.quorum.voters",
        "controller.quorum.bootstrap.servers",
        "zookeeper.connect",
        "log.dir",
        "log.dirs",
        "metadata.log.dir",
        "broker.rack",
    }
)


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One listener of one node. The advertised address may differ from the bound one (a link proxy between)."""

    name: ListenerName
    bind_port: int
    protocol: str = "PLAINTEXT"
    bind_host: str = "127.0.0.1"
    advertised_host: str = "127.0.0.1"
    advertised_port: int

    @property
    def bound(self) -> str:
        return f"{self.name}://{self.bind_host}:{self.bind_port}"

    @property
    def advertised(self) -> str:
        return f"{self.name}://{self.advertised_host}:{self.advertised_port}"


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """A cluster as it is wanted. Broker ids are 1, 2, …; separate KRaft controllers are 101, 102, …

    `controllers`: in KRaft, how many *separate* controllers there are (0: every broker is a controller too); with
    ZooKeeper, how many ZooKeeper servers (1 or 3). `profile`: "quick" starts fast in little memory (the client
    compiler only, 256 MB heaps); "throughput" gives 1 GB heaps and the full compiler, as tuning lessons need.
    `log_dirs`: log folders a broker. `jmx`: remote JMX on loopback, with a random password. `links`: a proxy of ours in
    front of every listener, so that links can be cut, slowed and silenced. `log_dir_mb`: a file system of that size for
    each log folder of a broker (0: folders on the machine's disk), so that it can be full. `backend`: where it runs.
    """

    name: str = field(default_factory=lambda: f"lab-{secrets.token_hex(3)}")
    brokers: int = 3
    coordination: Coordination = "kraft"
    version: str = ""
    controllers: int = -1
    racks: tuple[str, ...] = ()
    config: Mapping[str, str] = field(default_factory=dict)
    profile: Profile = "quick"
    log_dirs: int = 1
    jmx: bool = False
    links: bool = False
    log_dir_mb: int = 0
    backend: BackendName = "local"

    @property
    def combined(self) -> bool:
        """Whether the brokers are KRaft controllers as well."""
        return self.coordination == "kraft" and self.controllers == 0

    @property
    def broker_ids(self) -> range:
        return range(1, self.brokers + 1)

    @property
    def coordinator_ids(self) -> range:
        """Ids of the separate coordination nodes: KRaft controllers from 101, ZooKeeper servers (`myid`) from 1."""
        first = FIRST_CONTROLLER_ID if self.coordination == "kraft" else 1
        return range(first, first + self.controllers)

    def facts(self) -> dict[str, Any]:
        """As plain data, for the file from which `Cluster.attach` builds it again."""
        return {
            "name": self.name,
            "brokers": self.brokers,
            "coordination": self.coordination,
            "version": self.version,
            "controllers": self.controllers,
            "racks": list(self.racks) or None,
            "config": dict(self.config),
            "profile": self.profile,
            "log_dirs": self.log_dirs,
            "jmx": self.jmx,
            "links": self.links,
            "log_dir_mb": self.log_dir_mb,
            "backend": self.backend,
        }


def build_spec(
    *,
    name: str | None = None,
    brokers: int = 3,
    coordination: str = "kraft",
    version: str | None = None,
    controllers: int | None = None,
    racks: Sequence[str] | None = None,
    config: Mapping[str, object] | None = None,
    profile: str = "quick",
    log_dirs: int = 1,
    jmx: bool = False,
    links: bool = False,
    log_dir_mb: int = 0,
    backend: str | None = None,
) -> ClusterSpec:
    """Check a user's wishes and complete them. Raises `BadInput`, one sentence and a remedy, at the first wrong one."""
    kind = _one_of("coordination", coordination, get_args(Coordination))
    chosen_profile = _one_of("profile", profile, get_args(Profile))
    if name is not None and (not isinstance(name, str) or not NAME.fullmatch(name)):
        raise BadInput(
            f"{name!r} is no name for a cluster.",
            fix="Use up to 30 small letters, digits and hyphens, beginning with a letter.",
        )
    _whole_number("brokers", brokers, 1, MOST_BROKERS)
    _whole_number("log_dirs", log_dirs, 1, 8)
    if log_dir_mb != 0:
        _whole_number("log_dir_mb", log_dir_mb, *LOG_DIR_MB)
    for what, wish in (("jmx", jmx), ("links", links)):
        if not isinstance(wish, bool):
            raise BadInput(f"{what} is {wish!r}.", fix="Use True or False.")
    return ClusterSpec(
        **({"name": name} if name is not None else {}),
        brokers=brokers,
        coordination=kind,  # type: ignore[arg-type]
        version=_version(kind, version),
        controllers=_controllers(kind, controllers),
        racks=_racks(brokers, racks),
        config=_without_reserved(checked_config(config)),
        profile=chosen_profile,  # type: ignore[arg-type]
        log_dirs=log_dirs,
        jmx=jmx,
        links=links,
        log_dir_mb=log_dir_mb,
        backend=_backend(backend),
    )


def _backend(backend: object) -> BackendName:
    """The one that is named, or that of the environment, or the local one."""
    name = os.environ.get(BACKEND_VARIABLE) or "local" if backend is None else backend
    if backend is None and name not in get_args(BackendName):
        raise BadInput(f"{BACKEND_VARIABLE} is {name!r}.", fix="Set it to local, docker or kubernetes, or unset it.")
    return _one_of("backend", name, get_args(BackendName))  # type: ignore[return-value]


def _one_of(what: str, value: object, allowed: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise BadInput(f"{what} is {value!r}.", fix=f"Use {' or '.join(repr(a) for a in allowed)}.")
    return value


def _whole_number(what: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadInput(f"{what} is {value!r}.", fix=f"Use a whole number from {least} to {most}.")


def _version(coordination: str, version: object) -> str:
    if version is None:
        return DEFAULT_VERSION[coordination]  # type: ignore[index]
    known = _one_of("version", version, KAFKA_VERSIONS)
    if coordination == "zookeeper" and int(known.split(".")[0]) > LAST_WITH_ZOOKEEPER:
        raise BadInput(
            f"Kafka {known} has no ZooKeeper mode: it was removed in 4.0 (KIP-500).",
            fix="Use version='3.9.2', or coordination='kraft'.",
        )
    return known


def _controllers(coordination: str, controllers: int | None) -> int:
    if coordination == "zookeeper":
        if controllers not in (None, 1, 3) or isinstance(controllers, bool):
            raise BadInput(
                f"controllers is {controllers!r}; with ZooKeeper it is the number of ZooKeeper servers.",
                fix="Use 1 or 3.",
            )
        return controllers or 1
    if controllers is None:
        return 0
    if controllers not in (0, 1, 3, 5) or isinstance(controllers, bool):
        raise BadInput(
            f"controllers is {controllers!r}; a KRaft quorum needs an odd number of voters.",
            fix="Use 1, 3 or 5 separate controllers, or 0 to make every broker a controller too.",
        )
    return controllers


def _racks(brokers: int, racks: Sequence[str] | None) -> tuple[str, ...]:
    if racks is None:
        return ()
    if isinstance(racks, str) or not all(isinstance(rack, str) and NAME.fullmatch(rack) for rack in racks):
        raise BadInput(f"racks is {racks!r}.", fix="Give a list of short names, one a broker, such as ['a', 'b', 'c'].")
    if len(racks) != brokers:
        raise BadInput(f"There are {len(racks)} racks for {brokers} brokers.", fix="Name one rack for each broker.")
    return tuple(racks)


def checked_config(config: Mapping[str, object] | None) -> dict[str, str]:
    """Settings by their dotted names, as Kafka writes them. Raises `BadInput` for what cannot be one."""
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        raise BadInput(f"config is {config!r}.", fix="Use a mapping such as {'log.retention.ms': 60000}.")
    return {_setting_name(name): _setting_value(str(name), value) for name, value in config.items()}


def _setting_name(name: object) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z0-9]+([._-][a-zA-Z0-9]+)*", name):
        raise BadInput(f"{name!r} is no setting of Kafka.", fix="Use Kafka's dotted names, such as 'log.retention.ms'.")
    return name


def _without_reserved(config: dict[str, str]) -> dict[str, str]:
    for name in config:
        if name in RESERVED:
            raise BadInput(f"The setting {name} is chosen by the lab.", fix="Leave it out of config.")
    return config


def _setting_value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float) or "\n" in str(value) or "\r" in str(value):
        raise BadInput(f"The setting {name} is {value!r}.", fix="Use one line of text, a number, True or False.")
    return str(value)
