#!/bin/sh
# "Read it all again": whatever was charged before is charged a second time, and then the poison record is there again.
# Refused with: charged more than once
set -eu
kafka-lab service airport-fees stop
kafka-consumer-groups.sh --bootstrap-server "$BOOTSTRAP" --group airport-fees --topic departures \
    --reset-offsets --to-earliest --execute
kafka-lab service airport-fees start
