#!/bin/sh
# A higher rate lets the followers catch up tonight, and leaves the throttle in place for the next time.
# Refused with: broker 1: leader.replication.throttled.rate=100000000
set -eu
placement=$(mktemp)
trap 'rm -f "$placement"' EXIT
cat >"$placement" <<'JSON'
{"version": 1, "partitions": [
  {"topic": "payments", "partition": 0, "replicas": [1, 2, 3]},
  {"topic": "payments", "partition": 1, "replicas": [2, 3, 1]},
  {"topic": "payments", "partition": 2, "replicas": [3, 1, 2]}
]}
JSON
kafka-reassign-partitions.sh --bootstrap-server "$BOOTSTRAP" --execute --throttle 100000000 \
    --reassignment-json-file "$placement"
