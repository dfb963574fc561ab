"""A node of the docker backend: one container, whose life the watcher tells the supervisor."""

from __future__ import annotations

import io
import socket
import tarfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from labsupport.cluster.broker import Capability
from labsupport.cluster.docker.engine import engine, said, told_plainly
from labsupport.cluster.docker.names import DATA
from labsupport.cluster.node import Node, NodeFacts, checked_topic
from labsupport.core.errors import LabError, StartError
from labsupport.core.wait import wait_until

if TYPE_CHECKING:
    from docker.models.containers import Container

PORT_TAKEN = ("port is already allocated", "address already in use")
REPORTED_WITHIN_S = 30  # the watcher tells in a fraction of a second; a busy engine may answer it late
PORT_FREE_WITHIN_S, FREEZE_WITHIN_S = 5, 20


@dataclass(frozen=True, kw_only=True)
class DockerFacts(NodeFacts):
    """`container`: its name in the engine. `network`: that of the cluster's network, on which the node is `name`."""

    container: str
    network: str


@dataclass(repr=False)
class DockerNode(Node):
    """See `broker.Broker` for what each method promises."""

    facts: DockerFacts
    can: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.PAUSE,
            Capability.FILES,
            Capability.ZOOKEEPER,
            Capability.SEVERAL_LOG_DIRS,
            Capability.RACKS,
            Capability.NETWORK,
        }
    )

    # -- its life

    def begin(self) -> None:
        container = self._container()
        wait_until(
            lambda: self._started(container), PORT_FREE_WITHIN_S, because=f"the port of {self.name} to be free again"
        )
        self.wait_until_seen()

    def wait_until_seen(self) -> None:
        """Wait until the watcher has told of the container's start. Raises `StartError` if it has ended already."""
        wait_until(
            lambda: self.wait_for_state("starting", "running", timeout_s=0.5) != "stopped",
            REPORTED_WITHIN_S,
            because=f"a word of the engine on {self.name}",
            alive=self._raise_if_ended,
        )

    def _raise_if_ended(self) -> None:
        container = self._container()
        if container.status in ("exited", "dead"):
            code = container.attrs["State"]["ExitCode"]
            raise StartError(
                f"{self.name} ended at once (exit code {code}).", fix=f"Its log says why:\n{self.last_words()}"
            )

    def _started(self, container: Container) -> bool:
        """Start it; False while its port, which was the supervisor's or its own a moment ago, is not yet free."""
        from docker.errors import APIError

        self.supervised.ask("let_go", name=self.name)
        try:
            container.start()
        except APIError as error:
            if not port_is_taken(error):
                raise StartError(f"The engine could not start {self.name}: {said(error)}.") from error
            return False
        return True

    def end(self, *, gently: bool, timeout_s: float) -> None:
        self._signal("SIGTERM" if gently else "SIGKILL")
        if self.wait_for_state("stopped", timeout_s=timeout_s) != "stopped":
            self._signal("SIGKILL")  # a combined KRaft node can hang in its own shutdown
            if self.wait_for_state("stopped", timeout_s=timeout_s) != "stopped":
                raise LabError(
                    f"{self.name} was killed, and the engine does not say that it ended.",
                    fix=f"`docker inspect {self.facts.container}` shows what it knows.",
                )

    def _signal(self, name: str) -> None:
        from docker.errors import APIError

        frozen = self.state == "paused"
        container = self._container()
        try:
            container.kill(name)
        except APIError as error:
            if error.status_code != 409:  # it has ended meanwhile
                raise LabError(f"The engine could not signal {self.name}: {said(error)}.") from error
        if frozen:
            with suppress(APIError):  # cgroup v1: what is frozen dies when it is thawed
                container.unpause()

    def freeze(self) -> None:
        if self.state != "paused":
            container = self._container()
            wait_until(lambda: self._frozen(container), FREEZE_WITHIN_S, because=f"the engine to freeze {self.name}")
            self.wait_for_state("paused", "stopped", timeout_s=REPORTED_WITHIN_S)

    def _frozen(self, container: Container) -> bool:
        """Pause it; False when the kernel did not get hold of all its threads at once (cgroup v1, a busy machine)."""
        from docker.errors import APIError

        try:
            container.pause()
        except APIError as error:
            if "unable to freeze" not in said(error):
                raise LabError(f"The engine could not pause {self.name}: {said(error)}.") from error
            return False
        return True

    def thaw(self) -> None:
        if self.state == "paused":
            with told_plainly(f"The engine could not resume {self.name}"):
                self._container().unpause()
            self.wait_for_state("starting", "running", "stopped", timeout_s=REPORTED_WITHIN_S)

    def is_listening(self) -> bool:
        """Docker's own proxy takes every connection for a published port, and closes it when nobody listens behind."""
        host, _, port = self.facts.direct.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=1) as connection:
                connection.settimeout(0.3)
                return bool(connection.recv(1))  # Kafka speaks only when it is asked
        except TimeoutError:
            return True
        except OSError:
            return False

    # -- its network

    @property
    def connected(self) -> bool:
        container = self._container()
        return self.facts.network in container.attrs["NetworkSettings"]["Networks"]

    def disconnect(self) -> None:
        if self.connected:
            with told_plainly(f"The engine could not take {self.name} off its network"):
                self._network().disconnect(self.facts.container)

    def reconnect(self) -> None:
        if not self.connected:
            with told_plainly(f"The engine could not put {self.name} back on its network"):
                self.supervised.ask("let_go", name=self.name)
                self._network().connect(self.facts.container, aliases=[self.name])

    def _network(self) -> Any:
        return engine().networks.get(self.facts.network)

    # -- its log and its files

    def log(self, tail: int = 20) -> str:
        from docker.errors import APIError

        try:
            text: bytes = self._container().logs(tail=tail)
        except (APIError, LabError):  # it was not created yet, or is removed
            return ""
        return "\n".join(text.decode(errors="replace").splitlines()[-tail:])

    def sizes(self, topic: str, partition: int) -> dict[str, int]:
        folder = f"{checked_topic(topic)}-{int(partition)}"
        if self.state in ("starting", "running"):
            script = f"cd {DATA} && stat -c '%s %n' data-*/{folder}/* 2>/dev/null"
            lines = self._run("sh", "-c", script).decode(errors="replace").splitlines()
            return {name: int(size) for size, _, name in (line.partition(" ") for line in lines)}
        found: dict[str, int] = {}
        for log_dir in self.facts.log_dirs:
            with suppress(FileNotFoundError), self._archive(f"{log_dir}/{folder}") as tar:
                inner = PurePosixPath(log_dir).name
                found |= {f"{inner}/{member.name}": member.size for member in tar if member.isfile()}
        return found

    def read_file(self, path: str) -> bytes:
        if self.state in ("starting", "running"):  # an archive of a file that grows meanwhile would break off
            return self._run("cat", f"{DATA}/{path}", missing=path)
        with self._archive(f"{DATA}/{path}") as tar:
            member = tar.next()
            file = tar.extractfile(member) if member is not None else None
            if file is None:
                raise FileNotFoundError(path)
            return file.read()

    def _run(self, *command: str, missing: str = "") -> bytes:
        """The standard output of a program in the container. With `missing`, its failure is that this is not there."""
        api: Any = engine().api
        with told_plainly(f"The engine could not look into {self.name}"):
            begun = api.exec_create(self.facts.container, list(command))
            output, _ = api.exec_start(begun["Id"], demux=True)
            if missing and api.exec_inspect(begun["Id"])["ExitCode"]:
                raise FileNotFoundError(missing)
        return output or b""

    def _archive(self, path: str) -> tarfile.TarFile:
        from docker.errors import NotFound

        with told_plainly(f"The engine could not read files of {self.name}"):
            try:
                chunks, _ = self._container().get_archive(path)
            except NotFound:
                raise FileNotFoundError(path) from None
            return tarfile.open(fileobj=io.BytesIO(b"".join(chunks)))

    def _container(self) -> Container:
        from docker.errors import NotFound

        with told_plainly(f"The engine does not tell of {self.name}"):
            try:
                return engine().containers.get(self.facts.container)
            except NotFound:
                raise LabError(
                    f"The container of {self.name} is gone: somebody removed it.",
                    fix="Close this cluster and start another.",
                ) from None


def port_is_taken(error: Exception) -> bool:
    """Whether the engine could not have a port."""
    return any(words in said(error) for words in PORT_TAKEN)
