"""Make a topic, and wait until the whole cluster knows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labsupport.clients.connection import Connection
from labsupport.clients.metadata import ClusterMetadata, PartitionInfo, unless_silent
from labsupport.cluster.spec import checked_config
from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.core.wait import wait_until

LEGAL = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def create_topic(
    connection: Connection,
    name: str,
    *,
    partitions: int,
    replication_factor: int,
    replica_assignment: Mapping[int, Sequence[int]] | None,
    config: Mapping[str, object] | None,
    broker_ids: Sequence[int],
    views: Callable[[], Sequence[ClusterMetadata]],
    timeout_s: float,
) -> None:
    """See `Cluster.create_topic`. Raises `BadInput` with the broker's own words when it refuses."""
    if not isinstance(name, str) or not LEGAL.fullmatch(name) or name in (".", ".."):
        raise BadInput(
            f"{printable(repr(name))} is no topic name.", fix="Use up to 249 letters, digits, '.', '_' and '-'."
        )
    settings = checked_config(config)
    shape = _shape(partitions, replication_factor, replica_assignment, broker_ids)
    wait_until(lambda: unless_silent(views), timeout_s, because="all running brokers to answer")
    existing = _partitions(views, name)
    if existing:
        _accept_existing(name, existing, shape)
        return
    if not _request(connection, name, settings, shape, timeout_s):
        known = wait_until(lambda: _partitions(views, name), timeout_s, because=f"{name} to be known")
        _accept_existing(name, known, shape)
    wait_until(lambda: _settled(views, name, shape), timeout_s, because=f"all replicas of {name} to be in sync")


def _request(
    connection: Connection, name: str, settings: Mapping[str, str], shape: Mapping[str, Any], timeout_s: float
) -> bool:
    """Ask the cluster for the topic; False when it has one of that name by now."""
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

    quiet = connection.confluent(**{"log_level": 0, "allow.auto.create.topics": "false"})
    admin = AdminClient(quiet)  # named, since it is destroyed with its pending requests when nobody holds it
    new = NewTopic(name, config=dict(settings), **shape)
    try:
        admin.create_topics([new], request_timeout=timeout_s)[name].result(timeout=timeout_s)
    except KafkaException as error:
        # After a disturbance librdkafka asks a second time by itself, and is told what its first request did.
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        reason = printable(error.args[0].str()).rstrip(".")
        raise BadInput(f"The topic {name} was refused: {reason}.", fix="Mend that argument and try again.") from error
    return True


def _shape(
    partitions: int,
    replication_factor: int,
    assignment: Mapping[int, Sequence[int]] | None,
    broker_ids: Sequence[int],
) -> dict[str, Any]:
    if assignment is None:
        for what, value, most in (("partitions", partitions, 1000), ("replication_factor", replication_factor, 9)):
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise BadInput(f"{what} is {value!r}.", fix=f"Use a whole number from 1 to {most}.")
        if replication_factor > len(broker_ids):
            raise BadInput(
                f"{replication_factor} replicas do not fit on {len(broker_ids)} brokers: one broker holds one replica.",
                fix="Ask for fewer replicas, or start more brokers.",
            )
        return {"num_partitions": partitions, "replication_factor": replication_factor}
    if not isinstance(assignment, Mapping) or sorted(assignment) != list(range(len(assignment))) or not assignment:
        raise BadInput(
            f"replica_assignment is {assignment!r}.", fix="Number the partitions from 0, as in {0: [1, 2], 1: [2, 3]}."
        )
    for number, replicas in assignment.items():
        good = isinstance(replicas, Sequence) and not isinstance(replicas, str) and len(replicas) > 0
        if not good or len(set(replicas)) != len(replicas) or not set(replicas) <= set(broker_ids):
            raise BadInput(
                f"Partition {number} cannot have the replicas {replicas!r}.",
                fix=f"Name different brokers of {list(broker_ids)}, the preferred leader first.",
            )
    return {"num_partitions": len(assignment), "replica_assignment": [list(assignment[i]) for i in sorted(assignment)]}


def _accept_existing(name: str, existing: Mapping[int, PartitionInfo], shape: Mapping[str, Any]) -> None:
    """The same cell run again is no mistake; another topic of that name is one."""
    replicas = [list(existing[number].replicas) for number in sorted(existing)]
    wanted = shape.get("replica_assignment")
    same = replicas == wanted if wanted is not None else len(replicas) == shape["num_partitions"]
    if not same:
        raise BadInput(f"A topic {name} is there already, with the replicas {replicas}.", fix="Choose another name.")


def _partitions(views: Callable[[], Sequence[ClusterMetadata]], name: str) -> Mapping[int, PartitionInfo]:
    """What the brokers say of a topic; empty as long as none knows it."""
    return next((view.topics[name] for view in unless_silent(views) or () if name in view.topics), {})


def _settled(views: Callable[[], Sequence[ClusterMetadata]], name: str, shape: Mapping[str, Any]) -> bool:
    seen = unless_silent(views) or ()
    return bool(seen) and all(_complete(view, name, shape["num_partitions"]) for view in seen)


def _complete(metadata: ClusterMetadata, name: str, partitions: int) -> bool:
    """Whether a broker knows all partitions, each with a leader and all living replicas in sync."""
    known = metadata.topics.get(name, {})
    living = set(metadata.brokers)
    return len(known) == partitions and all(
        info.leader is not None and set(info.isr) >= set(info.replicas) & living for info in known.values()
    )
