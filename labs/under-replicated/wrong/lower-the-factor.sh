#!/bin/sh
# Two replicas instead of three: nothing is under-replicated any more, and one more death loses payments.
# Refused with: payments-0: replicas 1,2 · in sync 1,2
set -eu
placement=$(mktemp)
trap 'rm -f "$placement"' EXIT
cat >"$placement" <<'JSON'
{"version": 1, "partitions": [
  {"topic": "payments", "partition": 0, "replicas": [1, 2]},
  {"topic": "payments", "partition": 1, "replicas": [2, 1]},
  {"topic": "payments", "partition": 2, "replicas": [1, 2]}
]}
JSON
kafka-reassign-partitions.sh --bootstrap-server "$BOOTSTRAP" --execute --reassignment-json-file "$placement"
