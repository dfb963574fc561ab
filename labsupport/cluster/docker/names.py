"""Words that builder, watcher and reaper must agree on, and the layout of a container."""

from __future__ import annotations

CLUSTER_LABEL = "kafka-lab.cluster"  # on all that belongs to one cluster: "kafka-lab-NAME-" and eight digits
NODE_LABEL = "kafka-lab.node"
OWNER_LABEL = "kafka-lab.owner"

DATA = "/var/lib/kafka/data"
CONFIG = "/opt/kafka/config/lab"
BIN = "/opt/kafka/bin"
CLIENT_PORT, CONTROLLER_PORT, INTERNAL_PORT = 9092, 9093, 9094
ZOOKEEPER_PORTS = (2181, 2888, 3888)
