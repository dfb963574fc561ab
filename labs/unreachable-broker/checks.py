"""What "well" means: each broker is where it says, for clients on both sides; and nothing was given up for it."""

from __future__ import annotations

import re
import secrets
import socket

from labsupport import Cluster
from labsupport.clients.connection import Connection
from labsupport.clients.metadata import MetadataReader, NoAnswer
from labsupport.core.finding import Finding
from labsupport.teaching import check
from labsupport.teaching.pods import inside

from .both_sides import HEARTBEAT, bootstrap, read_inside, read_outside, write_inside, write_outside
from .scenario import PAYMENTS, TOPIC, dns_name

BROKERS = (1, 2, 3)
DEADLINE_S = 150.0  # Kafka's tools, each a JVM beside a broker, one after the other
EACH = 12  # records from each side
_ANSWERED = re.compile(r"^(\S+):(\d+) \(id: (\d+) .*\) -> \(", re.MULTILINE)


@check("every broker is reached from outside, at the address that it tells its clients")
def reached_from_outside(cluster: Cluster) -> Finding:
    saw = _outside(cluster)
    return Finding.of(not saw, saw=saw, look="kubectl get configmap config -o yaml")


@check("pods reach every broker by its name in DNS", deadline_s=DEADLINE_S)
def reached_from_inside(cluster: Cluster) -> Finding:
    cluster.metadata()  # raises soon when no broker answers anybody
    script = 'timeout 40 kafka-broker-api-versions.sh --bootstrap-server "$1" || :'
    answered = {int(node_id): host for host, _, node_id in _ANSWERED.findall(_ask(cluster, script))}
    saw = [
        f"pods are told that broker-{node_id} is at {answered[node_id]}"
        if node_id in answered
        else f"broker-{node_id} does not answer pods"
        for node_id in BROKERS
        if answered.get(node_id) != dns_name(cluster, node_id)
    ]
    look = 'kubectl exec broker-1 -- sh -c "kafka-broker-api-versions.sh --bootstrap-server brokers:9094"'
    return Finding.of(not saw, saw=saw, look=look)


@check("what is written on one side is read on the other, through every broker", deadline_s=DEADLINE_S)
def round_trip(cluster: Cluster) -> Finding:
    if _outside(cluster):
        return Finding.of(False, saw="this shows once every broker is reached from outside")
    mark = secrets.token_hex(4)
    mine, theirs = [f"outside-{mark}-{n}" for n in range(EACH)], f"inside-{mark}"
    refused = write_outside(cluster, mine)
    if refused:
        return _not_written("outside", refused)
    write_inside(cluster, theirs, EACH * len(BROKERS))
    read_there, read_here = read_inside(cluster, mine), read_outside(cluster)
    saw = []
    if any(read_there[value] != len(BROKERS) for value in mine):
        saw.append("not all that was written outside is read inside")
    if read_here[theirs] != EACH * len(BROKERS):
        saw.append("not all that was written inside is read outside")
    return Finding.of(not saw, saw=saw, look=f"kafka-console-consumer.sh --topic {HEARTBEAT} --from-beginning")


@check(f"{TOPIC} keeps three replicas of every partition, and all {PAYMENTS} payments", deadline_s=DEADLINE_S)
def nothing_given_up(cluster: Cluster) -> Finding:
    partitions = cluster.metadata().topics.get(TOPIC, {})
    saw = [
        f"{TOPIC}-{number}: replicas {','.join(map(str, info.replicas))}"
        for number, info in partitions.items()
        if len(info.replicas) < len(BROKERS)
    ]
    script = f'timeout 40 kafka-get-offsets.sh --bootstrap-server "$1" --topic {TOPIC} || :'
    ends = [int(line.rpartition(":")[2]) for line in _ask(cluster, script).splitlines() if line.startswith(TOPIC)]
    if sum(ends) < PAYMENTS:
        saw.append(f"it holds {sum(ends)} payments in {len(ends)} partitions")
    return Finding.of(not saw, saw=saw, look=f"kafka-topics.sh --describe --topic {TOPIC}")


def _ask(cluster: Cluster, script: str) -> str:
    return inside(cluster, script, bootstrap(cluster))


def _not_written(side: str, partitions: list[int]) -> Finding:
    names = ", ".join(f"{HEARTBEAT}-{number}" for number in partitions)
    return Finding.of(False, saw=f"not acknowledged {side}: {names}", look="kubectl logs broker-3")


def _outside(cluster: Cluster) -> list[str]:
    """What is wrong with the addresses that clients outside are told."""
    told = cluster.metadata().brokers
    saw = [trouble for node_id in BROKERS if (trouble := _trouble(node_id, told.get(node_id, "")))]
    for node_id in BROKERS:
        same = [f"broker-{other}" for other in BROKERS if told.get(other) == told.get(node_id, "")]
        if len(same) > 1 and same[0] == f"broker-{node_id}":
            saw.append(f"{' and '.join(same)} tell the same address")
    return saw


def _trouble(node_id: int, address: str) -> str:
    """Why a client outside does not get through to a broker; "" when it does."""
    if not address:
        return f"broker-{node_id} tells clients outside no address"
    host, _, port = address.rpartition(":")
    told = f"broker-{node_id} tells clients outside {address}"
    try:
        socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except OSError:
        return f"{told}, a name that only pods can look up" if host.endswith(".svc") else f"{told}, an unknown name"
    if host.endswith(".svc"):
        return f"{told}, a name that this computer knows, and no other client"
    try:
        MetadataReader(Connection(bootstrap_servers=address), timeout_s=5).read()
    except NoAnswer:
        return f"{told}, where no broker answers"
    return ""
