"""One Connection says the same thing to three families of clients."""

from __future__ import annotations

import pytest

from labsupport.clients import Connection
from labsupport.clients.connection import to_bytes
from labsupport.core.errors import BadInput

SECURED = Connection(
    bootstrap_servers="a:1,b:2",
    security={
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ann",
        "sasl.password": 'p"a\\ss',
        "ssl.ca.location": "/ca.pem",
        "ssl.endpoint.identification.algorithm": "none",
    },
)


def test_plaintext_is_the_default() -> None:
    """A cluster of the lab needs no more than its address."""
    connection = Connection(bootstrap_servers="a:1,b:2")
    assert connection.confluent() == {"bootstrap.servers": "a:1,b:2", "security.protocol": "PLAINTEXT"}
    assert connection.kafka_python() == {"bootstrap_servers": ["a:1", "b:2"], "security_protocol": "PLAINTEXT"}
    assert connection.properties() == "bootstrap.servers=a:1,b:2\nsecurity.protocol=PLAINTEXT\n"


def test_confluent_takes_dotted_names_and_the_caller_has_the_last_word() -> None:
    """What is given replaces what the connection says."""
    made = SECURED.confluent(**{"linger.ms": 5, "sasl.username": "bob"})
    assert (made["linger.ms"], made["sasl.username"], made["sasl.mechanism"]) == (5, "bob", "SCRAM-SHA-512")


def test_kafka_python_gets_its_own_names() -> None:
    """snake_case, and the check of host names is a bool."""
    assert SECURED.kafka_python() == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ann",
        "sasl_plain_password": 'p"a\\ss',
        "ssl_cafile": "/ca.pem",
        "ssl_check_hostname": False,
    }


def test_kafkas_tools_get_a_properties_file() -> None:
    """The password is quoted for JAAS, then escaped for java.util.Properties."""
    assert SECURED.properties().splitlines() == [
        "bootstrap.servers=a:1,b:2",
        "security.protocol=SASL_SSL",
        "ssl.truststore.type=PEM",
        "ssl.truststore.location=/ca.pem",
        "ssl.endpoint.identification.algorithm=",
        "sasl.mechanism=SCRAM-SHA-512",
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
        r'username="ann" password="p\\"a\\\\ss";',
    ]


def test_a_setting_without_counterpart_is_named() -> None:
    """Rather than dropped in silence: a client less secure than asked for is worse than none."""
    odd = Connection(bootstrap_servers="a:1", security={"ssl.cipher.suites": "x"})
    for ask in (odd.kafka_python, odd.properties):
        with pytest.raises(BadInput, match=r"ssl\.cipher\.suites"):
            ask()


def test_the_repr_keeps_the_password() -> None:
    """It would end up in a notebook."""
    assert 'p"a' not in repr(SECURED)
    assert "a:1,b:2" in repr(SECURED)


def test_keys_and_values_go_as_text_or_json() -> None:
    """None stays None: a record may have no key, and a tombstone no value."""
    assert [to_bytes(value) for value in (None, b"\x00", "é", {"a": 1})] == [None, b"\x00", "é".encode(), b'{"a":1}']
