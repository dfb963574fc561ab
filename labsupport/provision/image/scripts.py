"""The text in the image: its Dockerfile, and our own short versions of Kafka's scripts, which are in no jar."""

from __future__ import annotations

from pathlib import Path

from labsupport.provision.lock import locked
from labsupport.provision.tools import FIRST_ARGUMENT, TOOLS, script_name

DOCKERFILE = """\
FROM scratch
COPY root/ /
COPY --chown=1000:1000 kafka/ /
ENV PATH=/opt/kafka/bin:/opt/java/bin:/bin:/usr/bin JAVA_HOME=/opt/java LANG=C.UTF-8
USER 1000
WORKDIR /opt/kafka
EXPOSE 9092
VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["/etc/kafka/docker/run"]
"""
LIBS = "opt/kafka/libs"
BIN = "opt/kafka/bin"
DEFAULTS, CONFIG = "etc/kafka/docker", "opt/kafka/config"

_TOOL = """\
#!/bin/sh
exec "${{0%/*}}/kafka-run-class.sh" {main} "$@"
"""
_SERVER = """\
#!/bin/sh
export KAFKA_HEAP_OPTS="${{KAFKA_HEAP_OPTS:--Xms{heap} -Xmx{heap}}}"
export KAFKA_LOG4J_OPTS="${{KAFKA_LOG4J_OPTS:-{logging}}}"
exec "${{0%/*}}/kafka-run-class.sh" {main} "$@"
"""
_ZOOKEEPER_SHELL = "org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka -server"
_SERVER_PROPERTIES = """\
# A node on its own, for whoever runs this image without a setting. Any KAFKA_… variable takes this file's place.
node.id=1
process.roles=broker,controller
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
advertised.listeners=PLAINTEXT://localhost:9092
controller.listener.names=CONTROLLER
controller.quorum.voters=1@localhost:9093
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=/var/lib/kafka/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


def kafka_files(version: str) -> dict[str, str]:
    """Path in the image (without the leading slash) to text. Those in `bin` and `run` are programs."""
    here, provision = Path(__file__).parent, Path(__file__).parents[1]
    option, logging, _ = log_settings(version)
    files = {f"{DEFAULTS}/run": (here / "run.sh").read_text()}
    for folder in (DEFAULTS, CONFIG):
        files[f"{folder}/server.properties"] = _SERVER_PROPERTIES
        for name in (logging, f"tools-{logging}"):
            files[f"{folder}/{name}"] = (provision / name).read_text()
    files[f"{BIN}/kafka-run-class.sh"] = (
        (here / "kafka-run-class.sh")
        .read_text()
        .replace("@CLASSPATH@", ":".join(jar_places(version)))
        .replace("@TOOLS_LOGGING@", f"{option}=file:/{CONFIG}/tools-{logging}")
    )
    for name, main in TOOLS[version].items():
        if main != FIRST_ARGUMENT:
            arguments = _ZOOKEEPER_SHELL if name == "zookeeper-shell" else main
            files[f"{BIN}/{script_name(name)}"] = _TOOL.format(main=arguments)
    broker_logging = f"{option}=file:/{CONFIG}/{logging}"
    servers = {"kafka-server-start.sh": ("kafka.Kafka", "1G")}
    if version.startswith("3."):
        servers["zookeeper-server-start.sh"] = ("org.apache.zookeeper.server.quorum.QuorumPeerMain", "512M")
    for script, (main, heap) in servers.items():
        files[f"{BIN}/{script}"] = _SERVER.format(main=main, heap=heap, logging=broker_logging)
    return files


def log_settings(version: str) -> tuple[str, str, str]:
    """The JVM's option, the name and the text of the file that sends the log of a version to standard output."""
    provision = Path(__file__).parents[1]
    three = version.startswith("3.")
    name = "log4j.properties" if three else "log4j2.yaml"
    option = "-Dlog4j.configuration" if three else "-Dlog4j2.configurationFile"
    return option, name, (provision / name).read_text()


def jar_places(version: str) -> list[str]:
    """Where the jars stand in the image, in the order of the class path.

    As in the cache a folder a group: the JVM accepts a start-up cache whose jars moved, if they moved all together.
    """
    return [f"/{LIBS}/{artifact.group}/{artifact.name}" for artifact in locked().for_user(version)]
