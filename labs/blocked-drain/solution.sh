#!/bin/sh
# What an operator would type, and why.
set -eu
node=$(kubectl get pod broker-2 --output 'jsonpath={.spec.nodeName}')

# The budget lets nobody go. Why would somebody want that? Because payments cannot spare a broker: two replicas, both needed.
kubectl get pdb broker
kafka-topics.sh --bootstrap-server "$BOOTSTRAP" --describe --topic payments

# First the reason: a third replica. The first of each list stays the first, so nobody's leader moves.
placement=$(mktemp)
trap 'rm -f "$placement"' EXIT
cat >"$placement" <<'JSON'
{"version": 1, "partitions": [
  {"topic": "payments", "partition": 0, "replicas": [1, 2, 3]},
  {"topic": "payments", "partition": 1, "replicas": [2, 3, 1]},
  {"topic": "payments", "partition": 2, "replicas": [3, 1, 2]}
]}
JSON
kafka-reassign-partitions.sh --bootstrap-server "$BOOTSTRAP" --execute --reassignment-json-file "$placement"
until kafka-reassign-partitions.sh --bootstrap-server "$BOOTSTRAP" --verify --reassignment-json-file "$placement" |
    grep -c 'is completed' | grep -q 3; do :; done

# Then the budget: one broker may be away, and never two.
kubectl patch pdb broker --type merge --patch '{"spec": {"minAvailable": null, "maxUnavailable": 1}}'

# The drain asks the budget, pod by pod, and goes through. A pod whose disk is on this node waits for the node.
kubectl drain "$node" --pod-selector app.kubernetes.io/name=kafka --delete-emptydir-data --timeout=90s
kubectl uncordon "$node"
kubectl wait --for=create pod/broker-2 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-2 --timeout=150s
