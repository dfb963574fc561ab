"""A node that is a pod: how it is held back and let go, killed, frozen, and read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from labsupport.cluster.broker import Capability
from labsupport.cluster.kubernetes.access import Access
from labsupport.cluster.kubernetes.api import Api, ApiError, ExecError, Object
from labsupport.cluster.kubernetes.names import (
    CLIENT_PORT,
    CONTAINER,
    CONTROLLER_PORT,
    DATA,
    HELD,
    MOUNT,
    PAUSED,
)
from labsupport.cluster.kubernetes.pods import (
    backs_off,
    container_runs,
    is_hopeless,
    is_over,
    restarts,
    status_of,
    trouble,
)
from labsupport.cluster.node import Node, NodeFacts, checked_topic, last_words_of
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError, StartError
from labsupport.core.wait import wait_until

TOLD_WITHIN_S = 15  # a kubelet looks at its containers every second, and a busy one is late
CONTAINER_WITHIN_S = 90
COMES_BACK_WITHIN_S = 4  # the first time; later Kubernetes waits, and does not always say that it does
TRIES = 3
LINES_KEPT = 2_000
LAST_LINES = 200
ENDS_TOO_OFTEN = 2  # once may be bad luck, such as a session that is not over yet


@dataclass(frozen=True, kw_only=True)
class KubernetesFacts(NodeFacts):
    """The pod bears the node's name. `kubeconfig` and `context`: how its cluster is reached."""

    namespace: str
    kubeconfig: str
    context: str


@dataclass(repr=False)
class KubernetesNode(Node):
    """See `broker.Broker` for what each method promises."""

    facts: KubernetesFacts
    can: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.PAUSE,
            Capability.FILES,
            Capability.ZOOKEEPER,
            Capability.SEVERAL_LOG_DIRS,
            Capability.RACKS,
            Capability.PODS,
        }
    )

    @cached_property
    def api(self) -> Api:
        """The cluster of Kubernetes in which it runs."""
        return _api(Access(self.facts.kubeconfig, self.facts.context))

    def pod(self) -> Object | None:
        """Its pod as it is now, or None."""
        return self.api.find("Pod", self.name, self.facts.namespace)

    # -- its life

    def begin(self) -> None:
        if self._run("rm", "-f", HELD)[0] != 0:
            raise LabError(f"{self.name} is held back, and the file that does so cannot be removed.")
        self.wait_until_it_runs(timeout_s=CONTAINER_WITHIN_S)

    def wait_until_it_runs(self, *, timeout_s: float) -> None:
        """Return once there is a process of Kafka. Raises `StartError` with what Kubernetes, or Kafka, says of it."""
        before = restarts(self.pod())

        def hopeless() -> None:
            pod = self.pod()
            if is_hopeless(pod):
                raise StartError(f"The pod of {self.name} cannot run: {trouble(pod)}.", fix=_hint(trouble(pod)))
            for container, times in restarts(pod).items():
                if times - before.get(container, 0) >= ENDS_TOO_OFTEN:
                    words = last_words_of(self._log_of(container, tail=LAST_LINES))
                    raise StartError(f"{self.name} ended while it was starting.", fix=f"Its log says why:\n{words}")

        wait_until(
            lambda: self.wait_for_state("starting", "running", timeout_s=1) in ("starting", "running"),
            timeout_s,
            because=f"the pod of {self.name} to run",
            alive=hopeless,
            evidence=lambda: trouble(self.pod()) or self.last_words(),
        )

    def end(self, *, gently: bool, timeout_s: float) -> None:
        self._signal("TERM" if gently else "KILL", "hold")
        if self.wait_for_state("stopped", timeout_s=timeout_s + TOLD_WITHIN_S) != "stopped":
            self._signal("KILL", "hold")  # a combined KRaft node can hang in its own shutdown
            if self.wait_for_state("stopped", timeout_s=timeout_s + TOLD_WITHIN_S) != "stopped":
                raise LabError(
                    f"{self.name} was killed, and Kubernetes does not say that it ended.",
                    fix=f"`kubectl -n {self.facts.namespace} describe pod {self.name}` shows what it knows.",
                )

    def freeze(self) -> None:
        if self.state != "paused":
            life = status_of(self.pod() or {}).get("containerID", "")
            self._signal("STOP")
            self._annotate(life)
            self.wait_for_state("paused", "stopped", timeout_s=TOLD_WITHIN_S)

    def thaw(self) -> None:
        if self.state == "paused":
            self._signal("CONT")
            self._annotate(None)
            self.wait_for_state("starting", "running", "stopped", timeout_s=TOLD_WITHIN_S)

    def _signal(self, name: str, *more: str) -> None:
        """The container may be gone before the answer; what became of it is the watcher's to say."""
        with suppress(ExecError):
            self._run("sh", f"{MOUNT}/signal.sh", name, *more)

    def _annotate(self, container: str | None) -> None:
        body = {"metadata": {"annotations": {PAUSED: container}}}
        self.api.patch("Pod", self.name, self.facts.namespace, body)

    # -- how it is

    def _probe(self, known: int) -> Callable[[], bool]:
        """First from within: a port-forward ends when nobody listens behind it, and a separate controller has none."""
        reached = super()._probe(known) if self.roles != {"controller"} else self.is_listening
        listens: list[bool] = []

        def ready() -> bool:
            if not listens and self.is_listening():
                listens.append(True)
            return bool(listens) and reached()

        return ready

    def is_listening(self) -> bool:
        if "zookeeper" in self.roles:
            argv = ["sh", f"{MOUNT}/mode.sh"]
        else:
            argv = ["sh", f"{MOUNT}/answers.sh", str(CLIENT_PORT if "broker" in self.roles else CONTROLLER_PORT)]
        with suppress(ExecError):
            return self.api.run(self.name, self.facts.namespace, CONTAINER, argv)[0] == 0
        return False

    def log(self, tail: int = 20) -> str:
        found = self._kept_log.read_text() if self._kept_log.exists() else ""
        return "\n".join((found + self._log_of(CONTAINER, tail=tail)).splitlines()[-tail:])

    def _log_of(self, container: str, *, tail: int) -> str:
        """Of a container's life before, and of this one; "" when there is no pod yet, or no longer."""
        found = ""
        with suppress(ApiError):
            for previous in (True, False):
                found += self.api.log(self.name, self.facts.namespace, container, tail=tail, previous=previous)
        return found

    @property
    def _kept_log(self) -> Path:
        """Of its last pod, which took its log with it."""
        return self.supervised.folder / f"{self.name}.last-pod.log"

    def _keep_log(self) -> None:
        with suppress(ApiError, OSError):
            self._kept_log.write_text(self.api.log(self.name, self.facts.namespace, CONTAINER, tail=LINES_KEPT))

    # -- its files

    def sizes(self, topic: str, partition: int) -> dict[str, int]:
        folder = f"{checked_topic(topic)}-{int(partition)}"
        script = f"cd {DATA} && stat -c '%s %n' data-*/{folder}/* 2>/dev/null"
        lines = self._run("sh", "-c", script)[1].decode(errors="replace").splitlines()
        return {name: int(size) for size, _, name in (line.partition(" ") for line in lines)}

    def read_file(self, path: str) -> bytes:
        code, content = self._run("cat", f"{DATA}/{path}")
        if code != 0:
            raise FileNotFoundError(path)
        return content

    def _run(self, *argv: str) -> tuple[int, bytes]:
        """Run a program in the container, which may be held back. Raises `LabError` when there is none in time."""
        for tries_left in reversed(range(TRIES)):
            self._wait_for_container()
            try:
                return self.api.run(self.name, self.facts.namespace, CONTAINER, argv)
            except ExecError:  # it ended this moment
                if not tries_left or argv[:2] == ("sh", f"{MOUNT}/signal.sh"):
                    raise
        raise AssertionError

    def _wait_for_container(self) -> None:
        """A container that was killed twice comes back ever later; that of a new pod comes at once."""
        replaced: list[str] = []
        began_s = now_s()

        def runs() -> bool:
            pod = self.pod()
            late = backs_off(pod) or (is_over(pod) and now_s() - began_s > COMES_BACK_WITHIN_S)
            if pod is not None and late and pod["metadata"]["uid"] not in replaced:
                replaced.append(pod["metadata"]["uid"])
                self._keep_log()
                self.api.delete("Pod", self.name, self.facts.namespace)
            return container_runs(pod)

        wait_until(
            runs,
            CONTAINER_WITHIN_S,
            because=f"the container of {self.name} to be there",
            poll_s=0.2,
            evidence=lambda: trouble(self.pod()),
        )


_apis: dict[Access, Api] = {}


def _api(access: Access) -> Api:
    """One connection pool for all nodes of a process."""
    if access not in _apis:
        _apis[access] = Api(access)
    return _apis[access]


def _hint(words: str) -> str:
    if "mage" in words.partition(":")[0]:
        return "Set KAFKA_LAB_IMAGE to an image that the nodes can pull; for kind, `kafka-lab image build` makes one."
    return "`kubectl describe pod` says more."
