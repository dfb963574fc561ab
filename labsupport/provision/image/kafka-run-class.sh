#!/bin/sh
# Any class of Kafka's with the variables that Kafka's own script of this name heeds.
if [ -n "$JMX_PORT" ]; then
    : "${KAFKA_JMX_OPTS:=-Dcom.sun.management.jmxremote=true -Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false}"
    KAFKA_JMX_OPTS="$KAFKA_JMX_OPTS -Dcom.sun.management.jmxremote.port=$JMX_PORT -Dcom.sun.management.jmxremote.rmi.port=$JMX_PORT"
fi
exec java ${KAFKA_HEAP_OPTS:--Xmx256M} $KAFKA_JVM_PERFORMANCE_OPTS $KAFKA_JMX_OPTS \
    ${KAFKA_LOG4J_OPTS:-@TOOLS_LOGGING@} -Dkafka.logs.dir=/opt/kafka/logs \
    -cp "@CLASSPATH@${CLASSPATH:+:$CLASSPATH}" $KAFKA_OPTS "$@"
