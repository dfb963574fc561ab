#!/bin/sh
# Delete the poison record, and everything before it with it: the only way that Kafka deletes. The consumer goes on,
# and nobody can show any more what was sent.
# Refused with: begins at offset
set -eu
stuck=$(kafka-lab service airport-fees log | grep 'trying again' | tail -n 1)
partition=$(echo "$stuck" | sed 's/departures-\([0-9]*\) offset.*/\1/')
offset=$(echo "$stuck" | sed 's/.* offset \([0-9]*\):.*/\1/')
before=$(mktemp)
trap 'rm -f "$before"' EXIT
echo "{\"version\": 1, \"partitions\": [{\"topic\": \"departures\", \"partition\": $partition, \"offset\": $((offset + 1))}]}" >"$before"
kafka-delete-records.sh --bootstrap-server "$BOOTSTRAP" --offset-json-file "$before"
kafka-lab service airport-fees stop
kafka-lab service airport-fees start
