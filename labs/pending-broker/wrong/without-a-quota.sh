#!/bin/sh
# Without a quota nothing is refused: not this disk, and not what the next mistake asks for.
# Refused with: there is no quota
set -eu
kubectl delete resourcequota quota
kubectl delete pvc data-broker-3
kubectl delete pod broker-3
kubectl wait --for=create pod/broker-3 --timeout=100s
kubectl wait --for=condition=Ready pod/broker-3 --timeout=150s
