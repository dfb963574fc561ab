"""The JVM of one of Kafka's own tools: its command line, and its output where a program wants it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from labsupport.core.errors import LabError
from labsupport.core.escape import printable
from labsupport.provision.tools import FIRST_ARGUMENT, tool_main

_LOGGING = {
    "3": ("-Dlog4j.configuration", "tools-log4j.properties"),
    "4": ("-Dlog4j2.configurationFile", "tools-log4j2.yaml"),
}
_SCRIPT_ARGUMENTS = {"zookeeper-shell": ["-server"]}  # what the script of Kafka's distribution puts in front
_LONG_RUNNING = ("connect-", "mirror-maker", "-perf-test", "verifiable-")


def command_line(name: str, arguments: Sequence[str], version: str, environment: Mapping[str, str]) -> list[str]:
    """The JVM's command line. As with Kafka's scripts, KAFKA_HEAP_OPTS, KAFKA_OPTS and KAFKA_LOG4J_OPTS are heeded."""
    from labsupport.provision import kafka_home

    main_class = tool_main(version, name)
    program = [*([] if main_class == FIRST_ARGUMENT else [main_class]), *_SCRIPT_ARGUMENTS.get(name, []), *arguments]
    home = kafka_home(version)
    flags = ["-Xmx512m"] if any(part in name for part in _LONG_RUNNING) else home.flags("tool")
    logging = shlex.split(environment.get("KAFKA_LOG4J_OPTS", "")) or [_quiet(version)]
    own = shlex.split(environment.get("KAFKA_HEAP_OPTS", "")) + shlex.split(environment.get("KAFKA_OPTS", ""))
    return [str(home.java), *flags, *logging, *own, "-cp", home.classpath, *program]


def output_of(name: str, arguments: Sequence[str], *, version: str, typed: str = "", timeout_s: float = 120) -> str:
    """Run a tool with `typed` as its standard input, and return what it prints. Raises `LabError` when it fails."""
    command = command_line(name, arguments, version, os.environ)
    try:
        run = subprocess.run(
            command, input=typed.encode(), capture_output=True, timeout=timeout_s, check=False, start_new_session=True
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"Kafka's tool {name} took longer than {timeout_s:g} s.", fix="Is the cluster well?") from error
    if run.returncode:
        said = printable(run.stderr.decode(errors="replace").strip(), limit=1000)
        raise LabError(f"Kafka's tool {name} failed.", fix=f"It said: {said}")
    return run.stdout.decode(errors="replace")


def _quiet(version: str) -> str:
    prop, file = _LOGGING[version.split(".", maxsplit=1)[0]]
    return f"{prop}={Path(__file__).with_name(file).as_uri()}"
