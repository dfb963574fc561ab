#!/bin/sh
# A fresh topic has all its replicas in sync, and none of the payments.
# Refused with: it holds 0 payments in 3 partitions
set -eu
kafka-topics.sh --bootstrap-server "$BOOTSTRAP" --delete --topic payments
until kafka-topics.sh --bootstrap-server "$BOOTSTRAP" --create --topic payments \
    --partitions 3 --replication-factor 3 --config min.insync.replicas=2; do
    sleep 1 # the old one is still being deleted
done
