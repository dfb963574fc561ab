#!/bin/sh
# What `docker run` starts: KAFKA_… variables become settings by Kafka's own translator, then the broker takes over.
set -e
: "${CLUSTER_ID:=a2Fma2EtbGFiLWltYWdlMQ}"
export CLUSTER_ID
if [ -z "$KAFKA_LISTENERS" ] && [ -n "$KAFKA_ADVERTISED_LISTENERS" ]; then
    KAFKA_LISTENERS=$(echo "$KAFKA_ADVERTISED_LISTENERS" | sed 's|://[^:]*:|://0.0.0.0:|g')
    export KAFKA_LISTENERS
fi
said=$(/opt/kafka/bin/kafka-run-class.sh kafka.docker.KafkaDockerWrapper setup \
    --default-configs-dir /etc/kafka/docker \
    --mounted-configs-dir /mnt/shared/config \
    --final-configs-dir /opt/kafka/config 2>&1) || case "$said" in
*"already formatted"*) ;; # this container ran before
*)
    echo "$said" >&2
    exit 1
    ;;
esac
exec /opt/kafka/bin/kafka-server-start.sh /opt/kafka/config/server.properties
