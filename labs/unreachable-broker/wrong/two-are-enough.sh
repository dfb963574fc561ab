#!/bin/sh
# A StatefulSet of two: the broker that nobody reaches is gone, and with it every third copy.
# Refused with: broker-3 tells clients outside no address
set -eu
kubectl scale statefulset broker --replicas=2
kubectl wait --for=delete pod/broker-3 --timeout=100s
