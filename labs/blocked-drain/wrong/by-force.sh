#!/bin/sh
# A pod that is deleted is not evicted, so no budget is asked; with force, not even Kafka may say goodbye.
# Refused with: payments were refused
set -eu
node=$(kubectl get pod broker-2 --output 'jsonpath={.spec.nodeName}')
kubectl cordon "$node"
kubectl delete pod broker-2 --force --grace-period=0
sleep 20 # the node gets its kernel
kubectl uncordon "$node"
kubectl wait --for=create pod/broker-2 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-2 --timeout=150s
