"""Where a cluster is reached and how: the one value from which every client is made."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labsupport.clients import kafka_python
from labsupport.core.errors import BadInput

if TYPE_CHECKING:
    from kafka import KafkaConsumer, KafkaProducer
    from kafka.admin import KafkaAdminClient

# Without a handler, Python prints a library's warnings to stderr; under a fault both clients warn many times a second.
logging.getLogger("kafka").addHandler(logging.NullHandler())

_KAFKA_PYTHON = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "sasl.kerberos.service.name": "sasl_kerberos_service_name",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
    "ssl.crl.location": "ssl_crlfile",
}
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """`bootstrap_servers` is "host:port,host:port"; `security` holds librdkafka's dotted names ("security.protocol").

    librdkafka's names are at https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md.
    A password in `security` stays out of the repr.
    """

    bootstrap_servers: str
    security: Mapping[str, str] = field(default_factory=lambda: {"security.protocol": "PLAINTEXT"}, repr=False)

    def confluent(self, **dotted: Any) -> dict[str, Any]:
        """Configuration for a client of confluent-kafka; `**{"linger.ms": 5}` adds to it or replaces."""
        return {"bootstrap.servers": self.bootstrap_servers, **self.security, **dotted}

    def kafka_python(self) -> dict[str, Any]:
        """Keyword arguments for a client of kafka-python. Raises `BadInput` for a setting it cannot express."""
        arguments: dict[str, Any] = {"bootstrap_servers": self.bootstrap_servers.split(",")}
        for name, value in self.security.items():
            if name == "ssl.endpoint.identification.algorithm":
                arguments["ssl_check_hostname"] = value not in ("", "none")
            elif name in _KAFKA_PYTHON:
                arguments[_KAFKA_PYTHON[name]] = value
            else:
                raise BadInput(f"kafka-python has no counterpart of {name}.", fix="Use the confluent-kafka client.")
        return arguments

    def producer(self, **arguments: Any) -> KafkaProducer:
        """A producer of kafka-python. Keys and values may be str, bytes or None; anything else is sent as JSON."""
        kafka_python.load()
        from kafka import KafkaProducer

        defaults = {"key_serializer": to_bytes, "value_serializer": to_bytes}
        return KafkaProducer(**{**self.kafka_python(), **defaults, **arguments})

    def consumer(self, *topics: str, **arguments: Any) -> KafkaConsumer:
        """A consumer of kafka-python, reading from the beginning unless told otherwise."""
        kafka_python.load()
        from kafka import KafkaConsumer

        return KafkaConsumer(*topics, **{**self.kafka_python(), "auto_offset_reset": "earliest", **arguments})

    def admin(self, **arguments: Any) -> KafkaAdminClient:
        """An admin client of kafka-python."""
        kafka_python.load()
        from kafka.admin import KafkaAdminClient

        return KafkaAdminClient(**{**self.kafka_python(), **arguments})

    def properties(self) -> str:
        """The text of a `client.properties` file for Kafka's own tools. It holds the password: write it 0600."""
        settings = {"bootstrap.servers": self.bootstrap_servers}
        mechanism = self.security.get("sasl.mechanism") or self.security.get("sasl.mechanisms")
        for name, value in self.security.items():
            if name == "ssl.ca.location":
                settings |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": value}
            elif name == "ssl.endpoint.identification.algorithm":
                settings[name] = "" if value == "none" else value
            elif name in ("security.protocol", "sasl.kerberos.service.name"):
                settings[name] = value
            elif not name.startswith("sasl."):
                raise BadInput(f"Kafka's tools have no counterpart of {name}.", fix="Use the confluent-kafka client.")
        if mechanism:
            settings["sasl.mechanism"] = mechanism
            settings["sasl.jaas.config"] = self._jaas(mechanism)
        return "".join(f"{name}={_property(value)}\n" for name, value in settings.items())

    def _jaas(self, mechanism: str) -> str:
        module = _PLAIN if mechanism == "PLAIN" else _SCRAM
        user, password = (_quoted(self.security.get(f"sasl.{part}", "")) for part in ("username", "password"))
        return f"{module} required username={user} password={password};"


def to_bytes(value: object) -> bytes | None:
    """A key or value as it goes over the wire: None stays None, bytes stay, str is UTF-8, the rest compact JSON."""
    if value is None or isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _property(value: str) -> str:
    """`value` escaped for java.util.Properties: backslashes are doubled and no line can end early."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
