"""Words that backend, node, watcher, reaper and sweeper must agree on, and the layout of a pod."""

from __future__ import annotations

PREFIX = "kafka-lab-"  # of namespaces
PART_OF = "app.kubernetes.io/part-of"
MANAGED_BY = "app.kubernetes.io/managed-by"
COMPONENT = "app.kubernetes.io/component"
MANAGER = "kafka-lab"
OWNER = "kafka-lab/owner"  # annotation of a namespace: whose it is (`owners.py`)
CREATED = "kafka-lab/created"  # annotation of a namespace: seconds since 1970
PAUSED = "kafka-lab/paused"  # annotation of a pod: the container of it that is frozen

CONTAINER = "kafka"
DATA = "/var/lib/kafka/data"
MOUNT = "/etc/kafka-lab"
HELD = f"{DATA}/held"
CLIENT_PORT, CONTROLLER_PORT, INTERNAL_PORT = 9092, 9093, 9094
ZOOKEEPER_PORTS = (2181, 2888, 3888)

PLURAL = {"broker": "brokers", "controller": "controllers", "zookeeper": "zookeepers"}
WATCHER = "watcher"
APPLIED, KUBECONFIG = "applied.json", "kubeconfig"  # files in the folder of a cluster's supervisor
NEWS = "kubernetes"  # in place of a node: under this name the supervisor keeps what Kubernetes does


def forward_of(node: str) -> str:
    """The name by which the supervisor knows the port-forward to a node."""
    return f"forward-{node}"


def claim_of(pod: str) -> str:
    """The name of a pod's volume claim: that of the template, then the pod's."""
    return f"data-{pod}"
