"""The sections of the guide, in its order, and how a place in it is named."""

from __future__ import annotations

FRONT_MATTER = "0"

SECTIONS = {
    "0": "Who should read this guide, and its summary",
    "1": "Introduction: why Kafka?",
    "1.1": "Data-driven realities",
    "1.2": "New sources of data",
    "1.3": "Microservices",
    "1.4": "What is Kafka?",
    "2": "Kafka features and use cases",
    "3": "Kafka architecture",
    "3.1": "Topics, partitions, segments",
    "3.2": "Consumers",
    "3.3": "Brokers",
    "3.4": "Other innovative features",
    "3.4.1": "Message sets and batching",
    "3.4.2": "Byte copying",
    "3.4.3": "Log retention",
    "4": "Performance and configuration",
    "4.1": "Hardware, runtime and operating system",
    "4.1.1": "Java",
    "4.1.2": "RAM",
    "4.1.3": "Operating system",
    "4.1.4": "File descriptors",
    "4.1.5": "Socket buffers of the system",
    "4.1.6": "Memory map areas",
    "4.2": "Disks and file systems",
    "4.3": "Topic configuration",
    "4.3.1": "Replicated partitions",
    "4.3.2": "Message size",
    "4.3.3": "Data rate of a partition",
    "4.3.4": "Isolated topics",
    "4.3.5": "Unused topics",
    "4.4": "Consumer configuration",
    "4.4.1": "Socket buffers of the clients",
    "4.4.2": "Over-consumption",
    "4.4.3": "Batches for consumers",
    "4.5": "Producer configuration",
    "4.5.1": "Durability",
    "4.5.2": "Batch size",
    "4.6": "Broker configuration",
    "4.6.1": "Resources of a broker",
    "4.6.2": "Log compaction",
    "4.6.3": "Leader rebalancing",
    "5": "Kafka on Kubernetes",
    "5.1": "Why Kubernetes?",
    "5.2": "How to deploy",
    "5.2.1": "Helm charts",
    "5.2.2": "Operators",
    "5.2.3": "By hand",
    "5.2.4": "Storage and network",
    "5.3": "Fault tolerance and high availability",
    "5.3.1": "Leader election and quorum",
    "5.3.2": "High availability of the storage",
    "5.3.3": "Portworx",
    "5.4": "Security",
    "5.4.1": "Authentication",
    "5.4.2": "Encryption",
    "5.4.3": "Authorization",
    "5.4.4": "Security with Portworx",
    "5.5": "Metrics",
    "6": "Backup and migration",
    "6.1": "Kafka Connect",
    "6.2": "MirrorMaker",
    "6.3": "Backup with Portworx",
    "7": "Migration with Portworx",
    "8": "Conclusion",
}
_RANKS = {section: rank for rank, section in enumerate(SECTIONS)}


def rank(section: str) -> int:
    """The place of a section in the guide's order. Raises `KeyError` if the guide has no such section."""
    return _RANKS[section]


def chapter(section: str) -> str:
    """The number of the chapter that a section belongs to: "5" for "5.3.1"."""
    return section.partition(".")[0]


def within(section: str, outer: str) -> bool:
    """Whether a section is `outer` or lies in it: "5.3.1" is within "5.3", "5.31" would not be."""
    return section == outer or section.startswith(f"{outer}.")
