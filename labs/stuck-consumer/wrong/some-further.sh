#!/bin/sh
# "Skip a few, to be safe": nine good departures fly for nothing.
# Refused with: passed over and never charged: 9 of the offsets
set -eu
stuck=$(kafka-lab service airport-fees log | grep 'trying again' | tail -n 1)
partition=$(echo "$stuck" | sed 's/departures-\([0-9]*\) offset.*/\1/')
kafka-lab service airport-fees stop
kafka-consumer-groups.sh --bootstrap-server "$BOOTSTRAP" --group airport-fees --topic "departures:$partition" \
    --reset-offsets --shift-by 10 --execute
kafka-lab service airport-fees start
