#!/bin/sh
# This one client is told by a hosts file of its own where broker 3 is, and writes; every other client is as before.
# Still refused with: a name that only pods can look up
set -eu
hosts=$(mktemp) said=$(mktemp)
kubectl port-forward --address 127.0.0.1 pod/broker-3 9092:9092 >"$said" 2>&1 &
forward=$!
trap 'kill $forward; rm -f "$hosts" "$said"' EXIT
namespace=$(kubectl config view --minify --output 'jsonpath={..namespace}')
echo "127.0.0.1 broker-3.brokers.$namespace.svc" >"$hosts"
until grep -q Forwarding "$said"; do
    kill -0 $forward # else the port is somebody else's
    sleep 0.2
done
for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    echo "$number:by hand"
done | KAFKA_OPTS="-Djdk.net.hosts.file=$hosts" kafka-console-producer.sh --bootstrap-server "$BOOTSTRAP" \
    --topic heartbeat --property parse.key=true --property key.separator=:
