"""A running Kafka cluster, the same on every backend. Leaving its block leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

from labsupport.clients.connection import Connection
from labsupport.clients.metadata import ClusterMetadata, NoAnswer, active_controller
from labsupport.cluster import registry
from labsupport.cluster.backend import Backend, backend_class
from labsupport.cluster.broker import Broker
from labsupport.cluster.links import Links
from labsupport.cluster.node import Node
from labsupport.cluster.ready import round_trip
from labsupport.cluster.spec import ClusterSpec, build_spec
from labsupport.cluster.supervised import ProcessEvent
from labsupport.cluster.topic import Topic
from labsupport.cluster.topics import create_topic
from labsupport.core.errors import BadInput, NotRunning
from labsupport.core.journal import Journal, NullJournal
from labsupport.provision import cluster_is_starting, train_in_background

if TYPE_CHECKING:
    from kafka import KafkaConsumer, KafkaProducer
    from kafka.admin import KafkaAdminClient

    from labsupport.clients.load import Load
    from labsupport.cluster.kubernetes.space import Space

MOST_TIMEOUT_S = 3600

Observer = Callable[["Cluster"], tuple[Journal, Callable[[], None]]]
before_start: list[Callable[[], None]] = []  # called before anything of a new cluster is started
observers: list[Observer] = []  # each new cluster is shown to them: they give it a journal, and say how they are undone


class Cluster(AbstractContextManager["Cluster"]):
    """A running Kafka cluster. `Cluster.start(...)` makes one, `Cluster.attach(name)` finds one."""

    def __init__(
        self, spec: ClusterSpec, backend: Backend, *, cluster_id: str, on_close: Callable[[], None] | None
    ) -> None:
        self.spec, self.cluster_id = spec, cluster_id
        self._backend, self._undo = backend, ExitStack()
        self._asked_last = 1
        self._space: Space | None = None
        if on_close is not None:
            self._undo.callback(on_close)
        self.recording: Journal = NullJournal()
        for observer in observers:
            self.recording, stop = observer(self)
            self._undo.callback(stop)
        for node in backend.nodes:
            node.journal = self.recording

    # -- beginning and end

    @classmethod
    def start(
        cls,
        brokers: int = 3,
        coordination: str = "kraft",
        *,
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
        name: str | None = None,
        keep: bool = False,
        timeout_s: float = 120,
    ) -> Cluster:
        """Start a cluster and return once it is ready; `spec.build_spec` says what the arguments mean.

        `backend`: "local", "docker" or "kubernetes"; by default what $KAFKA_LAB_BACKEND says, else "local".
        With `keep` it outlives this process, until `kafka-lab down`. Raises `BadInput` for a wrong argument,
        `ProvisionError` when something cannot be fetched, `StartError` with the end of a log when a process dies.
        """
        if not isinstance(timeout_s, int | float) or isinstance(timeout_s, bool) or not 0 < timeout_s <= MOST_TIMEOUT_S:
            raise BadInput(
                f"timeout_s is {timeout_s!r}.", fix=f"Use seconds, more than 0 and at most {MOST_TIMEOUT_S}."
            )
        spec = build_spec(
            name=name,
            brokers=brokers,
            coordination=coordination,
            version=version,
            controllers=controllers,
            racks=racks,
            config=config,
            profile=profile,
            log_dirs=log_dirs,
            jmx=jmx,
            links=links,
            log_dir_mb=log_dir_mb,
            backend=backend,
        )
        return cls.launch(spec, keep=keep, timeout_s=timeout_s)

    @classmethod
    def launch(cls, spec: ClusterSpec, *, keep: bool = False, timeout_s: float = 120) -> Cluster:
        """Ready means: every broker lists all of them, and one `acks=all` record made the round trip."""
        registry.sweep()
        for prepare in before_start:
            prepare()
        with ExitStack() as undo, cluster_is_starting():
            backend = backend_class(spec.backend).prepare(spec)
            undo.callback(backend.shutdown)  # done here if the start fails or is interrupted, by the cluster afterwards
            backend.start(timeout_s=timeout_s)
            connection = _connection(backend)
            cluster_id = round_trip(connection, replicas=min(3, spec.brokers), timeout_s=timeout_s)
            backend.describe(
                bootstrap_servers=connection.bootstrap_servers,
                cluster_id=cluster_id,
                coordination=spec.coordination,
                version=spec.version,
            )
            cluster = cls(spec, backend, cluster_id=cluster_id, on_close=None if keep else backend.shutdown)
            if keep:
                backend.disown()
            undo.pop_all()
        train_in_background(spec.version)
        return cluster

    @classmethod
    def attach(cls, name: str | None = None) -> Cluster:
        """A cluster that another process started; the name may be left out when exactly one runs.

        Closing it only lets go of it; `shutdown` ends it. Raises `NotRunning`.
        """
        record = registry.find(name)
        backend = backend_class(record["spec"]["backend"]).attach(record)
        return cls(backend.spec, backend, cluster_id=record["cluster_id"], on_close=None)

    def close(self) -> None:
        """End the cluster if this process started it, else let go of it. Doing it twice does no harm."""
        self._undo.close()

    def shutdown(self) -> None:
        """End the cluster, whoever started it."""
        self.close()
        self._backend.shutdown()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<Cluster {self.name}: {self.spec.brokers} brokers, {self.spec.coordination}, Kafka {self.spec.version}>"
        )

    # -- who is who

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def brokers(self) -> tuple[Node, ...]:
        return self._backend.brokers

    @property
    def coordinators(self) -> tuple[Node, ...]:
        """ZooKeeper servers or separate KRaft controllers; none when the brokers are the controllers."""
        return self._backend.coordinators

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every broker, in the form of the client setting `bootstrap.servers`."""
        return self.connection.bootstrap_servers

    @property
    def exports(self) -> dict[str, str]:
        """The variables by which a shell's tools find it: $BOOTSTRAP, and $KUBECONFIG for kubectl if it has pods."""
        return {"BOOTSTRAP": self.bootstrap_servers, "KAFKA_LAB_CLUSTER": self.name, **self._backend.exports}

    @property
    def connection(self) -> Connection:
        """From which every client is made."""
        return _connection(self._backend)

    @property
    def links(self) -> Links:
        """The links between clients and nodes, and their traffic. Raises `BadInput` without `links=True`."""
        return self.brokers[0].links

    @property
    def kubernetes(self) -> Space:
        """What Kubernetes has of this cluster: pods, services, claims. Raises `BadInput` where it runs elsewhere."""
        if self.spec.backend != "kubernetes":
            raise BadInput(
                f"The cluster {self.name} does not run on Kubernetes.",
                fix="Use Cluster.start(backend='kubernetes'), or KAFKA_LAB_BACKEND=kubernetes.",
            )
        if self._space is None:
            from labsupport.cluster.kubernetes.space import space_of

            self._space = space_of(self)
            self._undo.callback(self._space.close)
        return self._space

    def broker(self, node_id: int) -> Node:
        """A broker by its id. Raises `BadInput` when there is none."""
        return self._node(self.brokers, node_id, "broker")

    def node(self, node_id: int) -> Node:
        """A broker or separate KRaft controller by its id, or ZooKeeper server by its `myid` if no broker has it."""
        return self._node((*self.brokers, *self.coordinators), node_id, "node")

    def _node(self, nodes: Sequence[Node], node_id: int, word: str) -> Node:
        for node in nodes:
            if node.node_id == node_id:
                return node
        known = ", ".join(str(node.node_id) for node in nodes)
        raise BadInput(f"There is no {word} {node_id!r}.", fix=f"There are: {known}.")

    def controller(self) -> Broker:
        """The active controller. Raises `NotRunning` when there is none at the moment."""
        node_id = active_controller(self.connection, coordination=self.spec.coordination, timeout_s=10)
        if node_id is None:
            raise NotRunning("No controller is active at the moment.", fix="Wait for the election to end.")
        return self.node(node_id)

    def leader(self, topic: Topic | str, partition: int = 0) -> Broker:
        """The broker that leads a partition. Raises `NotRunning` while there is no leader."""
        node_id = self.topic(str(topic)).leader(partition)
        if node_id is None:
            raise NotRunning(f"{topic}-{partition} has no leader at the moment.", fix="Wait for the election to end.")
        return self.broker(node_id)

    def followers(self, topic: Topic | str, partition: int = 0) -> list[Broker]:
        """The brokers that hold the other replicas of a partition, in the order of assignment."""
        topic = self.topic(str(topic))
        leader = topic.leader(partition)
        return [self.broker(replica) for replica in topic.replicas(partition) if replica != leader]

    # -- topics

    def create_topic(
        self,
        name: str,
        *,
        partitions: int = 1,
        replication_factor: int | None = None,
        replica_assignment: Mapping[int, Sequence[int]] | None = None,
        config: Mapping[str, object] | None = None,
        timeout_s: float = 30,
    ) -> Topic:
        """Create a topic, and return when every living broker knows it with a leader and all replicas in sync.

        `replica_assignment`: broker ids by partition, the preferred leader first; it takes the place of `partitions`
        and `replication_factor` (by default 3, or as many as there are brokers). A topic that is there already in this
        very shape is returned as it is, so that a cell can be run twice. Raises `BadInput`.
        """
        create_topic(
            self.connection,
            name,
            partitions=partitions,
            replication_factor=min(3, self.spec.brokers) if replication_factor is None else replication_factor,
            replica_assignment=replica_assignment,
            config=config,
            broker_ids=list(self.spec.broker_ids),
            views=self._views,
            timeout_s=timeout_s,
        )
        shape = {number: list(info.replicas) for number, info in self.topic(name).partitions().items()}
        self.recording.event("topic", topic=name, partitions=len(shape), replicas={str(k): v for k, v in shape.items()})
        self.recording.catch_up()  # a leader that is killed in the next moment is then known as one
        return self.topic(name)

    def topic(self, name: str) -> Topic:
        """A handle to a topic; whether it exists is seen when it is used."""
        return Topic(str(name), self.metadata)

    def topics(self) -> list[str]:
        """The names of all topics but Kafka's internal ones."""
        return [name for name in self.metadata().topics if not name.startswith("__")]

    def metadata(self) -> ClusterMetadata:
        """What a living broker says of the cluster: always the same one, as long as it answers. Raises `NoAnswer`."""
        for broker in sorted(self.brokers, key=lambda broker: broker.node_id != self._asked_last):
            if broker.state == "running":
                try:
                    answer = broker.metadata()
                except NoAnswer:
                    continue
                self._asked_last = broker.node_id
                return answer
        raise NoAnswer(f"No broker of {self.name} answers.", fix="`kafka-lab status` shows which of them run.")

    def _views(self) -> list[ClusterMetadata]:
        """What each running broker says. Raises `NoAnswer`."""
        return [broker.metadata() for broker in self.brokers if broker.state == "running"]

    def watch_log(self, topic: Topic | str, partition: int = 0) -> None:
        """Have a partition's log recorded from now on: its leader's segments, its start and its end, as they change.

        Raises `BadInput` when there is no such partition.
        """
        self.topic(str(topic)).leader(partition)
        self.recording.watch_log(str(topic), partition)

    # -- clients

    def producer(self, **arguments: Any) -> KafkaProducer:
        """A producer of kafka-python."""
        return self.connection.producer(**arguments)

    def consumer(self, *topics: Topic | str, **arguments: Any) -> KafkaConsumer:
        """A consumer of kafka-python, from the beginning unless told otherwise."""
        return self.connection.consumer(*(str(topic) for topic in topics), **arguments)

    def admin(self) -> KafkaAdminClient:
        """An admin client of kafka-python."""
        return self.connection.admin()

    def load(self, topic: Topic | str, **arguments: Any) -> Load:
        """An open-loop load on a topic (see `clients.load.Load`), written to this cluster's Recording."""
        from labsupport.clients.load import Load

        return Load(self.connection, str(topic), journal=self.recording, **arguments)

    def read_back(self, topic: Topic | str, *, timeout_s: float = 60, reader: str = "") -> int:
        """Read a topic from start to end into the Recording; returns the number of records.

        With a name as `reader`, as one witness more, who may have seen what a later read does not find.
        """
        from labsupport.clients.read_back import read_all

        return read_all(self.connection, str(topic), journal=self.recording, timeout_s=timeout_s, reader=reader)

    # -- for `observe`

    def process_events(self, after: int, timeout_s: float) -> list[ProcessEvent]:
        """What happened to the processes after event number `after`; waits up to `timeout_s` for news."""
        return self._backend.process_events(after, timeout_s)


def _connection(backend: Backend) -> Connection:
    return Connection(bootstrap_servers=",".join(broker.address for broker in backend.brokers))
