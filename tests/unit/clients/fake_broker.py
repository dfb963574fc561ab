"""A small broker: it answers what our clients ask of one broker in particular, or accepts and stays silent."""

from __future__ import annotations

import io
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from kafka.protocol.admin import (
    DescribeLogDirsRequest,
    DescribeLogDirsResponse,
    DescribeQuorumRequest,
    DescribeQuorumResponse,
    DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse,
)
from kafka.protocol.api_header import RequestHeader
from kafka.protocol.consumer import OffsetFetchRequest, OffsetFetchResponse
from kafka.protocol.metadata import (
    ApiVersionsRequest,
    ApiVersionsResponse,
    FindCoordinatorRequest,
    FindCoordinatorResponse,
    MetadataRequest,
    MetadataResponse,
)

_VERSIONS = {
    MetadataRequest.API_KEY: 7,
    ApiVersionsRequest.API_KEY: 2,
    DescribeQuorumRequest.API_KEY: 0,
    DescribeTopicPartitionsRequest.API_KEY: 0,
    DescribeLogDirsRequest.API_KEY: 1,
    FindCoordinatorRequest.API_KEY: 2,
    OffsetFetchRequest.API_KEY: 5,
}


@dataclass
class FakeCluster:
    """What all of its brokers say. `topics` maps names to {partition: (leader, replicas, isr)}.

    `eligible`: ELRs by topic and partition. `committed`: offsets by group, then by place. `quorum_error` and
    `offsets_error` (of a group's offsets) are error codes of Kafka's, 0 for none.
    """

    topics: dict[str, dict[int, tuple[int, list[int], list[int]]]] = field(default_factory=dict)
    quorum_leader: int = 101
    quorum_error: int = 0
    eligible: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    committed: dict[str, dict[tuple[str, int], int]] = field(default_factory=dict)
    offsets_error: int = 0
    brokers: list[FakeBroker] = field(default_factory=list)

    def start(self, count: int) -> str:
        """Start brokers 1 to `count` and return their bootstrap servers."""
        self.brokers = [FakeBroker(self, node_id) for node_id in range(1, count + 1)]
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def close(self) -> None:
        for broker in self.brokers:
            broker.close()


class FakeBroker:
    """A thread a connection. `silent` makes it read requests and answer none, as a stopped process would."""

    def __init__(self, cluster: FakeCluster, node_id: int) -> None:
        self.node_id, self.silent, self.answered, self.connections = node_id, False, 0, 0
        self.asked_for: list[object] = []
        self.log_dirs: dict[str, bool] = {}  # by name, whether it is online
        self._cluster = cluster
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, EOFError), connection.makefile("rb") as stream:
            while size := stream.read(4):
                request = stream.read(struct.unpack(">i", size)[0])
                if self.silent:
                    continue
                connection.sendall(self._answer(request))
                self.answered += 1

    def _answer(self, request: bytes) -> bytes:
        key, version = struct.unpack(">hh", request[:4])
        header = RequestHeader.decode(io.BytesIO(request), flexible=False)
        if key == MetadataRequest.API_KEY:
            self.asked_for.append(MetadataRequest.decode(request, version=version, header=True).topics)
            response = self._metadata()
        elif key == DescribeQuorumRequest.API_KEY:
            response = self._quorum()
        elif key == DescribeTopicPartitionsRequest.API_KEY:
            asked = DescribeTopicPartitionsRequest.decode(request, version=version, header=True)
            response = self._eligible([topic.name for topic in asked.topics])
        elif key == DescribeLogDirsRequest.API_KEY:
            response = self._log_dirs()
        elif key == FindCoordinatorRequest.API_KEY:
            response = FindCoordinatorResponse(
                throttle_time_ms=0,
                error_code=0,
                error_message=None,
                node_id=self.node_id,
                host="127.0.0.1",
                port=self.port,
            )
        elif key == OffsetFetchRequest.API_KEY:
            response = self._committed(OffsetFetchRequest.decode(request, version=version, header=True).group_id)
        else:
            response, version = self._api_versions(version)
        response.API_VERSION = version
        response.with_header(correlation_id=header.correlation_id)
        return bytes(response.encode(header=True, framed=True))

    def _api_versions(self, version: int) -> tuple[ApiVersionsResponse, int]:
        known = [
            ApiVersionsResponse.ApiVersion(api_key=key, min_version=0, max_version=newest)
            for key, newest in _VERSIONS.items()
        ]
        refused = version > _VERSIONS[ApiVersionsRequest.API_KEY]
        return ApiVersionsResponse(error_code=35 if refused else 0, api_keys=known), 0 if refused else version

    def _metadata(self) -> MetadataResponse:
        topic_of = MetadataResponse.MetadataResponseTopic
        return MetadataResponse(
            cluster_id="fake",
            controller_id=self.node_id,
            brokers=[
                MetadataResponse.MetadataResponseBroker(node_id=b.node_id, host="127.0.0.1", port=b.port, rack=None)
                for b in self._cluster.brokers
            ],
            topics=[
                topic_of(
                    error_code=0,
                    name=name,
                    is_internal=name.startswith("__"),
                    partitions=[
                        topic_of.MetadataResponsePartition(
                            error_code=5 if leader < 0 else 0,
                            partition_index=number,
                            leader_id=leader,
                            leader_epoch=0,
                            replica_nodes=replicas,
                            isr_nodes=isr,
                            offline_replicas=[],
                        )
                        for number, (leader, replicas, isr) in partitions.items()
                    ],
                )
                for name, partitions in self._cluster.topics.items()
            ],
        )

    def _quorum(self) -> DescribeQuorumResponse:
        topic_of = DescribeQuorumResponse.TopicData
        partition = topic_of.PartitionData(
            error_code=0,
            partition_index=0,
            leader_id=self._cluster.quorum_leader,
            leader_epoch=1,
            high_watermark=1,
            current_voters=[
                topic_of.PartitionData.ReplicaState(replica_id=node, log_end_offset=1) for node in (103, 101, 102)
            ],
            observers=[],
        )
        return DescribeQuorumResponse(
            error_code=self._cluster.quorum_error,
            topics=[topic_of(topic_name="__cluster_metadata", partitions=[partition])],
        )

    def _eligible(self, names: list[str]) -> DescribeTopicPartitionsResponse:
        topic_of = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic
        partition_of = topic_of.DescribeTopicPartitionsResponsePartition
        return DescribeTopicPartitionsResponse(
            topics=[
                topic_of(
                    error_code=0 if name in self._cluster.topics else 3,
                    name=name,
                    partitions=[
                        partition_of(
                            error_code=0,
                            partition_index=number,
                            leader_id=leader,
                            replica_nodes=replicas,
                            isr_nodes=isr,
                            eligible_leader_replicas=self._cluster.eligible.get((name, number)),
                            last_known_elr=None,
                            offline_replicas=[],
                        )
                        for number, (leader, replicas, isr) in self._cluster.topics.get(name, {}).items()
                    ],
                )
                for name in names
            ],
            next_cursor=None,
        )

    def _log_dirs(self) -> DescribeLogDirsResponse:
        result_of = DescribeLogDirsResponse.DescribeLogDirsResult
        return DescribeLogDirsResponse(
            results=[
                result_of(error_code=0 if online else 56, log_dir=name, topics=[])
                for name, online in self.log_dirs.items()
            ]
        )

    def _committed(self, group: str) -> OffsetFetchResponse:
        topic_of = OffsetFetchResponse.OffsetFetchResponseTopic
        places = {} if self._cluster.offsets_error else self._cluster.committed.get(group, {})
        return OffsetFetchResponse(
            throttle_time_ms=0,
            topics=[
                topic_of(
                    name=topic,
                    partitions=[
                        topic_of.OffsetFetchResponsePartition(
                            partition_index=partition,
                            committed_offset=offset,
                            committed_leader_epoch=-1,
                            metadata="",
                            error_code=0,
                        )
                        for (of, partition), offset in places.items()
                        if of == topic
                    ],
                )
                for topic in sorted({topic for topic, _ in places})
            ],
            error_code=self._cluster.offsets_error,
        )
