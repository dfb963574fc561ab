#!/bin/sh
# A limit that will never be in the way again is none.
# Refused with: it may have 1Ti
set -eu
kubectl patch resourcequota quota --type merge --patch '{"spec": {"hard": {"requests.storage": "1Ti"}}}'
kubectl delete pvc data-broker-3
kubectl delete pod broker-3
kubectl wait --for=create pod/broker-3 --timeout=100s
kubectl wait --for=condition=Ready pod/broker-3 --timeout=150s
