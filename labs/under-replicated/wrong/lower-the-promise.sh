#!/bin/sh
# With min.insync.replicas=1 nobody complains any more, not even when two of three replicas are gone.
# Refused with: min.insync.replicas: 1
set -eu
kafka-configs.sh --bootstrap-server "$BOOTSTRAP" --alter --entity-type topics --entity-name payments \
    --add-config min.insync.replicas=1
