#!/bin/sh
# What a Kafka operator would type, and why.
set -eu

# Where does it stand? One partition does not move; the program says at which offset, and why.
kafka-consumer-groups.sh --bootstrap-server "$BOOTSTRAP" --describe --group airport-fees
stuck=$(kafka-lab service airport-fees log | grep 'trying again' | tail -n 1)
echo "$stuck"
partition=$(echo "$stuck" | sed 's/departures-\([0-9]*\) offset.*/\1/')
offset=$(echo "$stuck" | sed 's/.* offset \([0-9]*\):.*/\1/')

# Look at the record before passing over it, and keep it: somebody has to charge this departure by hand.
kafka-console-consumer.sh --bootstrap-server "$BOOTSTRAP" --topic departures --partition "$partition" \
    --offset "$offset" --max-messages 1

# Offsets can only be set while the group has no members. Exactly one record further, on this partition alone.
kafka-lab service airport-fees stop
kafka-consumer-groups.sh --bootstrap-server "$BOOTSTRAP" --group airport-fees --topic "departures:$partition" \
    --reset-offsets --to-offset "$((offset + 1))" --execute
kafka-lab service airport-fees start
