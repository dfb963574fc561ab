"""Where our JVMs log to: standard output, which whoever starts them writes to a file."""

from __future__ import annotations

from pathlib import Path


def logging_flags(version: str) -> list[str]:
    """JVM flags that send the log of this Kafka version to standard output."""
    here = Path(__file__).parent
    if version.startswith("3."):
        return [f"-Dlog4j.configuration={(here / 'log4j.properties').as_uri()}"]
    return [f"-Dlog4j2.configurationFile={(here / 'log4j2.yaml').as_uri()}"]
