"""Which address a Kafka tool wants, and where on its command line. Pure functions.

The facts are the usage texts of the tools of 3.9.2 and 4.3.1. Tools that are not named here (`storage`, `dump-log`,
…) need no address.
"""

from __future__ import annotations

from collections.abc import Sequence

_IN_FRONT = frozenset(
    [
        "acls",
        "broker-api-versions",
        "client-metrics",
        "configs",
        "console-consumer",
        "console-producer",
        "console-share-consumer",
        "consumer-groups",
        "consumer-perf-test",
        "delegation-tokens",
        "delete-records",
        "features",
        "get-offsets",
        "groups",
        "leader-election",
        "log-dirs",
        "metadata-quorum",
        "reassign-partitions",
        "share-consumer-perf-test",
        "share-groups",
        "streams-application-reset",
        "streams-groups",
        "topics",
        "transactions",
        "verifiable-consumer",
        "verifiable-producer",
        "verifiable-share-consumer",
    ]
)
_AFTER_SUBCOMMAND = frozenset(["cluster"])
_BROKER_LIST = frozenset(["replica-verification"])
_PRODUCER_PROPERTIES = frozenset(["producer-perf-test"])
_ZOOKEEPER = frozenset(["zookeeper-shell"])
_GIVEN = ("--bootstrap-s", "--bootstrap-c", "--broker-list", "--zookeeper", "--authorizer")
_BROKER_LIST_IS_IDS = frozenset(["log-dirs", "reassign-partitions"])
_ONLY_TELLS = frozenset(["--help", "-h", "--version"])


def wants_address(tool: str, arguments: Sequence[str]) -> bool:
    """Whether the tool talks to a cluster, and these arguments do not say to which."""
    if _ONLY_TELLS.intersection(arguments):
        return False
    if tool in _ZOOKEEPER:
        return not arguments or ":" not in arguments[0]
    if not arguments or tool not in _IN_FRONT | _AFTER_SUBCOMMAND | _BROKER_LIST | _PRODUCER_PROPERTIES:
        return False
    given = [option for option in _GIVEN if option != "--broker-list" or tool not in _BROKER_LIST_IS_IDS]
    return not any(word.startswith(tuple(given)) or "bootstrap.servers=" in word for word in arguments)


def with_address(tool: str, arguments: Sequence[str], *, bootstrap_servers: str, zookeeper: str = "") -> list[str]:
    """The arguments with the address where this tool looks for it."""
    words = list(arguments)
    if tool in _ZOOKEEPER:
        return [zookeeper, *words]
    if tool in _AFTER_SUBCOMMAND:
        return [*words[:1], "--bootstrap-server", bootstrap_servers, *words[1:]]
    if tool in _BROKER_LIST:
        return ["--broker-list", bootstrap_servers, *words]
    if tool in _PRODUCER_PROPERTIES:
        return _into_producer_properties(words, f"bootstrap.servers={bootstrap_servers}")
    return ["--bootstrap-server", bootstrap_servers, *words]


def _into_producer_properties(words: list[str], setting: str) -> list[str]:
    """Beside the user's own properties: a second --producer-props would replace the first."""
    for option in ("--producer-props", "--command-property"):
        if option in words:
            at = words.index(option) + 1
            return [*words[:at], setting, *words[at:]] if option == "--producer-props" else [*words, option, setting]
    return [*words, "--producer-props", setting]
