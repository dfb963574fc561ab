#!/bin/sh
# A budget of one lets the drain through, and payments, with two replicas and both needed, takes none meanwhile.
# Refused with: payments were refused
set -eu
node=$(kubectl get pod broker-2 --output 'jsonpath={.spec.nodeName}')
kubectl patch pdb broker --type merge --patch '{"spec": {"minAvailable": null, "maxUnavailable": 1}}'
kubectl drain "$node" --pod-selector app.kubernetes.io/name=kafka --delete-emptydir-data --timeout=90s
sleep 20 # the node gets its kernel
kubectl uncordon "$node"
kubectl wait --for=create pod/broker-2 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-2 --timeout=150s
