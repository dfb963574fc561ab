"""Kafka's own command line tools by the names of their scripts: which class is behind `kafka-topics.sh`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from labsupport.core.errors import BadInput
from labsupport.core.escape import printable
from labsupport.provision.kafka import checked_version

_TOOLS = "org.apache.kafka.tools"
FIRST_ARGUMENT = ""
"""The class of `run-class`: it is the first argument."""

# As in the scripts of both distributions; a name is that of the script without `kafka-` and `.sh`.
_BOTH = {
    "broker-api-versions": f"{_TOOLS}.BrokerApiVersionsCommand",
    "client-metrics": f"{_TOOLS}.ClientMetricsCommand",
    "cluster": f"{_TOOLS}.ClusterTool",
    "configs": "kafka.admin.ConfigCommand",
    "connect-distributed": "org.apache.kafka.connect.cli.ConnectDistributed",
    "connect-mirror-maker": "org.apache.kafka.connect.mirror.MirrorMaker",
    "connect-plugin-path": f"{_TOOLS}.ConnectPluginPath",
    "connect-standalone": "org.apache.kafka.connect.cli.ConnectStandalone",
    "console-consumer": f"{_TOOLS}.consumer.ConsoleConsumer",
    "console-producer": f"{_TOOLS}.ConsoleProducer",
    "consumer-groups": f"{_TOOLS}.consumer.group.ConsumerGroupCommand",
    "consumer-perf-test": f"{_TOOLS}.ConsumerPerformance",
    "delegation-tokens": f"{_TOOLS}.DelegationTokenCommand",
    "delete-records": f"{_TOOLS}.DeleteRecordsCommand",
    "dump-log": f"{_TOOLS}.DumpLogSegments",
    "e2e-latency": f"{_TOOLS}.EndToEndLatency",
    "features": f"{_TOOLS}.FeatureCommand",
    "get-offsets": f"{_TOOLS}.GetOffsetShell",
    "acls": f"{_TOOLS}.AclCommand",
    "jmx": f"{_TOOLS}.JmxTool",
    "leader-election": f"{_TOOLS}.LeaderElectionCommand",
    "log-dirs": f"{_TOOLS}.LogDirsCommand",
    "metadata-quorum": f"{_TOOLS}.MetadataQuorumCommand",
    "metadata-shell": "org.apache.kafka.shell.MetadataShell",
    "producer-perf-test": f"{_TOOLS}.ProducerPerformance",
    "reassign-partitions": f"{_TOOLS}.reassign.ReassignPartitionsCommand",
    "replica-verification": f"{_TOOLS}.ReplicaVerificationTool",
    "run-class": FIRST_ARGUMENT,
    "storage": "kafka.tools.StorageTool",
    "streams-application-reset": f"{_TOOLS}.StreamsResetter",
    "topics": f"{_TOOLS}.TopicCommand",
    "transactions": f"{_TOOLS}.TransactionsCommand",
    "verifiable-consumer": f"{_TOOLS}.VerifiableConsumer",
    "verifiable-producer": f"{_TOOLS}.VerifiableProducer",
}
_ONLY_3_9 = {
    "acls": "kafka.admin.AclCommand",
    "broker-api-versions": "kafka.admin.BrokerApiVersionsCommand",
    "console-producer": "kafka.tools.ConsoleProducer",
    "dump-log": "kafka.tools.DumpLogSegments",
    "zookeeper-security-migration": "kafka.admin.ZkSecurityMigrator",
    "zookeeper-shell": "org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka",
}
_ONLY_4_3 = {
    "console-share-consumer": f"{_TOOLS}.consumer.ConsoleShareConsumer",
    "groups": f"{_TOOLS}.GroupsCommand",
    "share-consumer-perf-test": f"{_TOOLS}.ShareConsumerPerformance",
    "share-groups": f"{_TOOLS}.consumer.group.ShareGroupCommand",
    "streams-groups": f"{_TOOLS}.streams.StreamsGroupCommand",
    "verifiable-share-consumer": f"{_TOOLS}.VerifiableShareConsumer",
}
TOOLS: Mapping[str, Mapping[str, str]] = {
    "3.9.2": dict(sorted((_BOTH | _ONLY_3_9).items())),
    "4.3.1": dict(sorted((_BOTH | _ONLY_4_3).items())),
}
# Those whose scripts have no `kafka-` in front.
_BARE = ("connect-", "zookeeper-")


def tool_main(version: str, name: str) -> str:
    """The main class of a tool; `name` may be `topics`, `kafka-topics` or `kafka-topics.sh`.

    It is `FIRST_ARGUMENT` for `run-class`. Raises `BadInput` with near matches for a tool that this version lacks.
    """
    tools = TOOLS[checked_version(version)]
    short = name.removesuffix(".sh").removeprefix("kafka-")
    if short in tools:
        return tools[short]
    elsewhere = [other for other in TOOLS if short in TOOLS[other]]
    if elsewhere:
        raise BadInput(
            f"Kafka {version} has no tool {printable(short)!r}: it is one of Kafka {elsewhere[0]}.",
            fix="Start a cluster of that version, or choose another tool.",
        )
    near = difflib.get_close_matches(short, tools, n=3, cutoff=0.5)
    fix = f"Did you mean {', '.join(near)}?" if near else f"There are: {', '.join(tools)}."
    raise BadInput(f"Kafka has no tool {printable(name)!r}.", fix=fix)


def script_name(name: str) -> str:
    """What Kafka's distribution calls the script of a tool: `kafka-topics.sh`, but `connect-standalone.sh`."""
    return f"{name}.sh" if name.startswith(_BARE) else f"kafka-{name}.sh"
