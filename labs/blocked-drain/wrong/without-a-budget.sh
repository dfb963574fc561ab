#!/bin/sh
# Without a budget nothing is in the way of this drain, nor of two at once. And payments still cannot spare a broker.
# Refused with: no budget counts the brokers
set -eu
node=$(kubectl get pod broker-2 --output 'jsonpath={.spec.nodeName}')
kubectl delete pdb broker
kubectl drain "$node" --pod-selector app.kubernetes.io/name=kafka --delete-emptydir-data --timeout=90s
sleep 20 # the node gets its kernel
kubectl uncordon "$node"
kubectl wait --for=create pod/broker-2 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-2 --timeout=150s
