#!/bin/sh
# What a Kafka operator would type, and why.
set -eu

# Who is behind, and where? Broker 3, in every partition of payments, and in no other topic: it is not the broker.
kafka-topics.sh --bootstrap-server "$BOOTSTRAP" --describe --under-replicated-partitions

# What was changed by hand? A throttle: 1,000 bytes a second, on all brokers, for all replicas of payments.
kafka-configs.sh --bootstrap-server "$BOOTSTRAP" --describe --entity-type brokers
kafka-configs.sh --bootstrap-server "$BOOTSTRAP" --describe --entity-type topics --entity-name payments

# An old reassignment was never verified. Verifying it, with the placement as it is, takes its throttles away.
placement=$(mktemp)
trap 'rm -f "$placement"' EXIT
cat >"$placement" <<'JSON'
{"version": 1, "partitions": [
  {"topic": "payments", "partition": 0, "replicas": [1, 2, 3]},
  {"topic": "payments", "partition": 1, "replicas": [2, 3, 1]},
  {"topic": "payments", "partition": 2, "replicas": [3, 1, 2]}
]}
JSON
kafka-reassign-partitions.sh --bootstrap-server "$BOOTSTRAP" --verify --reassignment-json-file "$placement"
