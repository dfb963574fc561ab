#!/bin/sh
# A write that needs a single copy goes on while a broker is away, and is gone if the other dies meanwhile.
# Refused with: min.insync.replicas: 1
set -eu
node=$(kubectl get pod broker-2 --output 'jsonpath={.spec.nodeName}')
kafka-configs.sh --bootstrap-server "$BOOTSTRAP" --alter --entity-type topics --entity-name payments \
    --add-config min.insync.replicas=1
kubectl patch pdb broker --type merge --patch '{"spec": {"minAvailable": null, "maxUnavailable": 1}}'
kubectl drain "$node" --pod-selector app.kubernetes.io/name=kafka --delete-emptydir-data --timeout=90s
kubectl uncordon "$node"
kubectl wait --for=create pod/broker-2 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-2 --timeout=150s
