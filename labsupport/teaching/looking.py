"""What checks and scenarios ask a cluster: settings, offsets, groups and records, each as plain data.

A topic or a group that is not there gives an empty answer, since a learner may have deleted it. A cluster that does not
answer raises what the clients raise, and the check could not be made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from labsupport.clients import kafka_python
from labsupport.core.clock import now_s
from labsupport.core.errors import LabError

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient

    from labsupport.cluster.cluster import Cluster

PATIENCE_S = 10.0
_FIRST, _END = -2, -1  # ListOffsets: the first offset, and the one that the next record gets
_OWNERS = {
    "DYNAMIC_TOPIC_CONFIG": "{kind} {name}",
    "DYNAMIC_BROKER_CONFIG": "{kind} {name}",
    "DYNAMIC_DEFAULT_BROKER_CONFIG": "every broker",
}


@contextmanager
def admin_of(cluster: Cluster) -> Iterator[KafkaAdminClient]:
    """An admin client that gives up after `PATIENCE_S` seconds. Raises `NotRunning` or `NoAnswer` if nobody answers."""
    cluster.metadata()  # knows in a second or two what the client would find out in ten
    limit_ms = int(PATIENCE_S * 1000)
    admin = cluster.connection.admin(request_timeout_ms=limit_ms, bootstrap_timeout_ms=limit_ms)
    try:
        yield admin
    finally:
        admin.close()


def settings(cluster: Cluster) -> dict[str, dict[str, str]]:
    """The settings that were changed while the cluster ran, by what they are of.

    Keys are `topic payments`, `broker 1`, and `every broker` (`kafka-configs.sh --entity-default`); what has none of
    its own is left out. Of brokers, those that run.
    """
    kafka_python.load()
    from kafka.admin import ConfigResource, ConfigResourceType

    metadata = cluster.metadata()
    of = [ConfigResource(ConfigResourceType.TOPIC, name) for name in metadata.topics if not name.startswith("__")]
    of += [ConfigResource(ConfigResourceType.BROKER, str(node_id)) for node_id in metadata.brokers]
    with admin_of(cluster) as admin:
        found = admin.describe_configs(of)
    changed: dict[str, dict[str, str]] = {}
    for kind, resources in sorted(found.items()):
        for name, rows in sorted(resources.items()):
            for key, row in sorted(rows.items()):
                owner = _OWNERS.get(row["config_source"], "").format(kind=kind, name=name)
                if owner:
                    changed.setdefault(owner, {})[key] = str(row["value"])
    return changed


def watermarks(cluster: Cluster, topic: str) -> dict[int, tuple[int, int]]:
    """The first offset and the end of each partition; nothing if there is no such topic."""
    kafka_python.load()
    from kafka import TopicPartition

    at = [TopicPartition(topic, number) for number in cluster.metadata().topics.get(topic, {})]
    if not at:
        return {}
    with admin_of(cluster) as admin:
        firsts, ends = (admin.list_partition_offsets(dict.fromkeys(at, spec)) for spec in (_FIRST, _END))
    return {where.partition: (int(firsts[where].offset), int(ends[where].offset)) for where in at}


def committed(cluster: Cluster, group: str, topic: str) -> dict[int, int]:
    """The offset at which a group goes on, by partition; nothing of partitions where it never committed."""
    with admin_of(cluster) as admin:
        found = admin.list_group_offsets([group]).get(group, {})
    return {at.partition: int(row.offset) for at, row in found.items() if at.topic == topic and row.offset >= 0}


def members(cluster: Cluster, group: str) -> int:
    """How many members a group has; 0 if there is no such group."""
    with admin_of(cluster) as admin:
        if group not in [row["group_id"] for row in admin.list_groups()]:
            return 0
        return len(admin.describe_groups([group])[group]["members"])


def read_values(cluster: Cluster, topic: str) -> dict[tuple[int, int], bytes]:
    """The value of every record of a topic by (partition, offset), read from its start to where it ends now.

    Raises `LabError` when that takes longer than `PATIENCE_S` seconds.
    """
    from confluent_kafka import Consumer, TopicPartition

    from labsupport.clients.metadata import SILENT

    left = {number: end for number, (start, end) in watermarks(cluster, topic).items() if end > start}
    own: dict[str, Any] = {"group.id": "check", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    consumer = Consumer(
        cluster.connection.confluent(**own, **{"enable.partition.eof": True}, log_level=0), logger=SILENT
    )
    values: dict[tuple[int, int], bytes] = {}
    deadline_s = now_s() + PATIENCE_S
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in left])
        while left:
            if now_s() >= deadline_s:
                raise LabError(f"{topic} could not be read to its end within {PATIENCE_S:g} seconds.")
            for message in consumer.consume(500, 0.2):
                _take(message, values, left)
    finally:
        consumer.close()
    return values


def _take(message: Any, values: dict[tuple[int, int], bytes], left: dict[int, int]) -> None:
    number = message.partition()
    if message.error() is None:
        values[number, message.offset()] = message.value() or b""
        ended = message.offset() + 1 >= left.get(number, 0)
    else:
        ended = message.error().code() == -191  # _PARTITION_EOF: the end may be a marker of a transaction
    if ended:
        left.pop(number, None)
