#!/bin/sh
# All addresses of broker 3 become local ones: clients outside get through, and pods now look for it in themselves.
# Refused with: pods are told that broker-3 is at 127.0.0.1
set -eu
address=$(echo "$BOOTSTRAP" | cut -d, -f3)
settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
kubectl get configmap config -o yaml |
    sed -e "s|CLIENT://broker-3\.[^,]*|CLIENT://$address|" -e "s|INTERNAL://broker-3\.[^:]*|INTERNAL://127.0.0.1|" >"$settings"
kubectl replace -f "$settings"
kubectl delete pod broker-3
kubectl wait --for=create pod/broker-3 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-3 --timeout=100s
