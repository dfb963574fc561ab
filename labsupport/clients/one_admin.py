"""One broker, asked through kafka-python for what only its protocol tells: the metadata quorum, ELR, log folders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from labsupport.clients import kafka_python
from labsupport.clients.connection import Connection

PARTITIONS_LIMIT = 2000  # of one answer; the brokers' own limit is the same (max.request.partition.size.limit)


@dataclass(frozen=True)
class Quorum:
    """KRaft's metadata quorum (KIP-595). `leader` is None during an election; all are node ids."""

    leader: int | None
    epoch: int
    voters: tuple[int, ...]


def bounded_admin(connection: Connection, servers: Sequence[str], timeout_s: float) -> Any:
    """An admin client of kafka-python that waits `timeout_s` seconds at most. Raises its `KafkaError`, or `OSError`."""
    kafka_python.load()
    from kafka.admin import KafkaAdminClient
    from kafka.net.compat import KafkaNetClient

    timeout_ms = max(1, int(timeout_s * 1000))
    made: list[Any] = []

    def client(**config: Any) -> Any:
        made.append(KafkaNetClient(**config, socket_connection_setup_timeout_ms=timeout_ms))
        return made[0]

    bounded = {"bootstrap_timeout_ms": timeout_ms, "request_timeout_ms": timeout_ms, "kafka_client": client}
    try:
        return KafkaAdminClient(**{**connection.kafka_python(), "bootstrap_servers": list(servers), **bounded})
    except BaseException:
        for client_made in made:  # kafka-python 3.0.12 starts its thread before it connects, and then forgets it
            client_made.close()
            client_made._net.stop()
        raise


class OneAdmin:
    """An admin client of one broker, since kafka-python's own asks any, also one that is silent.

    Every method waits `timeout_s` seconds at most and raises kafka-python's `KafkaError`, or `OSError`.
    """

    def __init__(self, connection: Connection, server: str, timeout_s: float) -> None:
        self._admin = bounded_admin(connection, [server], timeout_s)
        self._node_id = self._node_of(server)

    def quorum(self, timeout_s: float) -> Quorum:
        """Who leads the metadata quorum and who votes (DescribeQuorum)."""
        from kafka.errors import for_code
        from kafka.protocol.admin import DescribeQuorumRequest

        topic_of = DescribeQuorumRequest.TopicData
        asked = topic_of(topic_name="__cluster_metadata", partitions=[topic_of.PartitionData(partition_index=0)])
        response = self._ask(DescribeQuorumRequest(topics=[asked]), timeout_s)
        partition = response.topics[0].partitions[0] if response.topics else None
        code = response.error_code or (partition.error_code if partition is not None else 0)
        if code:
            raise for_code(code)()
        if partition is None:
            return Quorum(None, -1, ())
        leader = int(partition.leader_id)
        voters = tuple(sorted(int(voter.replica_id) for voter in partition.current_voters))
        return Quorum(leader if leader >= 0 else None, int(partition.leader_epoch), voters)

    def eligible(self, topics: Collection[str], timeout_s: float) -> dict[tuple[str, int], tuple[int, ...]]:
        """The eligible leader replicas (KIP-966) of each partition, sorted; of the first 2,000 partitions."""
        from kafka.protocol.admin import DescribeTopicPartitionsRequest

        topic_of = DescribeTopicPartitionsRequest.TopicRequest
        request = DescribeTopicPartitionsRequest(
            topics=[topic_of(name=topic) for topic in sorted(topics)],
            response_partition_limit=PARTITIONS_LIMIT,
            cursor=None,
        )
        return {
            (topic.name, partition.partition_index): tuple(sorted(partition.eligible_leader_replicas or ()))
            for topic in self._ask(request, timeout_s).topics
            for partition in topic.partitions
            if not partition.error_code
        }

    def log_dirs(self, timeout_s: float) -> dict[str, bool]:
        """Each of the broker's log folders, by its name there: whether it is online (DescribeLogDirs)."""
        from kafka.protocol.admin import DescribeLogDirsRequest

        answer = self._ask(DescribeLogDirsRequest(topics=[]), timeout_s)  # no topics: the folders alone
        return {result.log_dir: not result.error_code for result in answer.results}

    def close(self) -> None:
        self._admin.close()

    def _node_of(self, server: str) -> object:
        """The node id behind `server`; None (any broker) if it advertises another address."""
        known = self._admin._manager.cluster.brokers()
        return next((node.node_id for node in known if f"{node.host}:{node.port}" == server), None)

    def _ask(self, request: Any, timeout_s: float) -> Any:
        timeout_ms = timeout_s * 1000

        async def answer() -> Any:
            manager = self._admin._manager
            return await manager.wait_for(manager.send(request, self._node_id), timeout_ms)

        return self._admin._manager.run(answer)
