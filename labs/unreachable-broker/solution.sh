#!/bin/sh
# What an operator would type, and why.
set -eu

# What do brokers tell their clients? Each has a line of its own; that of broker 3 has another form.
kubectl get configmap config -o yaml | grep 'advertised.listeners='

# CLIENT is for who comes through a port-forward. The forwarded address of broker 3 is the third of $BOOTSTRAP.
address=$(echo "$BOOTSTRAP" | cut -d, -f3)

# This line alone: INTERNAL, by which pods find it, is right.
settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
kubectl get configmap config -o yaml |
    sed "s|CLIENT://broker-3\.[^,]*|CLIENT://$address|" >"$settings"
kubectl replace -f "$settings"

# A broker reads its settings when it starts. One of three may be away: two are in sync, and two are needed.
kubectl delete pod broker-3
kubectl wait --for=create pod/broker-3 --timeout=60s
kubectl wait --for=condition=Ready pod/broker-3 --timeout=100s
