#!/bin/sh
# The line of broker 1 works, so broker 3 gets a copy of it: now its clients come to broker 1, which is not who they seek.
# Refused with: broker-1 and broker-3 tell the same address
set -eu
address=$(echo "$BOOTSTRAP" | cut -d, -f1)
settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
kubectl get configmap config -o yaml |
    sed "s|CLIENT://broker-3\.[^,]*|CLIENT://$address|" >"$settings"
kubectl replace -f "$settings"
kubectl delete pod broker-3
kubectl wait --for=create pod/broker-3 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-3 --timeout=100s
