#!/bin/sh
# A pod that nobody wants is not Pending. Two brokers hold two copies of everything, and may never both be away.
# Refused with: the StatefulSet wants 2 pods
set -eu
kubectl scale statefulset broker --replicas=2
kubectl wait --for=delete pod/broker-3 --timeout=100s
