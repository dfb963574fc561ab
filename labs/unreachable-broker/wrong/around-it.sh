#!/bin/sh
# Whoever has no replica is asked by nobody: without broker 3 the shop is content, and has two copies in place of three.
# Refused with: payments-2: replicas 1,2
set -eu
placement='{"version": 1, "partitions": [
  {"topic": "payments", "partition": 0, "replicas": [1, 2]},
  {"topic": "payments", "partition": 1, "replicas": [2, 1]},
  {"topic": "payments", "partition": 2, "replicas": [1, 2]}
]}'
echo "$placement" | kubectl exec -i broker-1 -- sh -c '
    cat >/tmp/placement.json
    export PATH=/opt/kafka/bin:$PATH KAFKA_HEAP_OPTS=-Xmx96m
    kafka-reassign-partitions.sh --bootstrap-server brokers:9094 --execute --reassignment-json-file /tmp/placement.json'
