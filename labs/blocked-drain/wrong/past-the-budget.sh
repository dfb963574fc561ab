#!/bin/sh
# A drain that deletes instead of asking. The budget is as it was, and so is the reason why somebody wanted it.
# Refused with: payments were refused
set -eu
node=$(kubectl get pod broker-2 --output 'jsonpath={.spec.nodeName}')
kubectl drain "$node" --disable-eviction --pod-selector app.kubernetes.io/name=kafka --delete-emptydir-data --timeout=90s
sleep 20 # the node gets its kernel
kubectl uncordon "$node"
kubectl wait --for=create pod/broker-2 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-2 --timeout=150s
