#!/bin/sh
# The lag is gone at once, and with it every fee behind the poison record.
# Refused with: passed over and never charged
set -eu
kafka-lab service airport-fees stop
kafka-consumer-groups.sh --bootstrap-server "$BOOTSTRAP" --group airport-fees --topic departures \
    --reset-offsets --to-latest --execute
kafka-lab service airport-fees start
