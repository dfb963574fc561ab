"""What tests must see of a cluster past our own code: what it has left, and a client within its network. By backend."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from labsupport.cluster.cluster import Cluster
from labsupport.provision.tool_jvm import output_of
from tests.marked import folders_of, processes_of

INTERNAL_PORT = 9094


def things_of(name: str, backend: str) -> list[str]:
    """Everything that a cluster has on this machine and where it runs, each as a word."""
    here = [f"process {pid}" for pid in processes_of(name)] + [f"file {path}" for path in folders_of(name)]
    there = {"docker": docker_things, "kubernetes": kubernetes_things}
    return here + (there[backend](name) if backend in there else [])


def docker_things(name: str) -> list[str]:
    """Containers, networks and volumes of a cluster, as Docker's own program lists them."""
    found = []
    for kind, arguments in (("container", ["-a"]), ("network", [])):
        told = _docker(kind, "ls", *arguments, "--format", "{{json .}}").splitlines()
        names = [str(thing.get("Names") or thing.get("Name")) for thing in map(json.loads, told)]
        found += [f"{kind} {word}" for word in names if word.startswith(f"kafka-lab-{name}-")]
    return found


def kubernetes_things(name: str) -> list[str]:
    """The namespace of a cluster, and the volumes of its claims, as kubectl lists them."""
    namespace = f"kafka-lab-{name}"
    found = _kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "name").split()
    volumes = json.loads(_kubectl("get", "persistentvolumes", "-o", "json"))["items"]
    claimed = [v["metadata"]["name"] for v in volumes if v["spec"].get("claimRef", {}).get("namespace") == namespace]
    return found + [f"volume {volume}" for volume in claimed]


def volumes() -> set[str]:
    """The names of all volumes that Docker's engine has."""
    return set(_docker("volume", "ls", "-q").split())


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def _kubectl(*arguments: str) -> str:
    from labsupport.cluster.kubernetes.access import kubectl

    return subprocess.run([kubectl(), *arguments], capture_output=True, text=True, check=True, timeout=90).stdout


def console_consumer(cluster: Cluster, topic: str, *, backend: str, records: int) -> list[str]:
    """Values of partition 0 that Kafka's own consumer reads from within the cluster's network.

    Brokers go by other addresses there. It joins no group, so that none is left for others to look at.
    """
    arguments = ["--topic", topic, "--partition", "0", "--offset", "earliest"]
    arguments += ["--max-messages", str(records), "--timeout-ms", "60000"]
    if backend == "docker":
        facts: Any = cluster.broker(1).facts
        inspected = json.loads(_docker("inspect", facts.container))[0]
        inside = ["run", "--rm", "--network", facts.network, inspected["Config"]["Image"]]
        program = ["/opt/kafka/bin/kafka-console-consumer.sh", "--bootstrap-server", f"broker-2:{INTERNAL_PORT}"]
        return _docker(*inside, *program, *arguments).splitlines()
    if backend == "kubernetes":
        inside = ["-n", f"kafka-lab-{cluster.name}", "exec", "broker-1", "--"]
        program = ["/opt/kafka/bin/kafka-console-consumer.sh", "--bootstrap-server", f"brokers:{INTERNAL_PORT}"]
        return _kubectl(*inside, *program, *arguments).splitlines()
    servers = ["--bootstrap-server", cluster.bootstrap_servers]
    return output_of("console-consumer", [*servers, *arguments], version=cluster.spec.version).splitlines()
