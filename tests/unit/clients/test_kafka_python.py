"""Threads that need kafka-python at the same moment all get it. Each case in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys

AT_ONCE = """
import threading
from labsupport.clients import kafka_python

modules = ["kafka", "kafka.admin", "kafka.consumer", "kafka.errors", "kafka.net.compat", "kafka.protocol.admin"]
together = threading.Barrier(len(modules))
failures = []

def begin(name):
    together.wait()
    try:
        {first}
        __import__(name)
    except ImportError as error:
        failures.append(error)

threads = [threading.Thread(target=begin, args=(name,)) for name in modules]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(failures))
"""


def failures(first: str) -> int:
    """How many of six threads could not import."""
    program = [sys.executable, "-c", AT_ONCE.format(first=first)]
    return int(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


def test_threads_that_load_it_first_all_get_it() -> None:
    """Checks of a lab, a watcher and a notebook's cell may begin in the same moment."""
    assert failures("kafka_python.load()") == 0


def test_without_that_some_do_not() -> None:
    """When this fails, kafka-python has untied its circle, and `load` can go."""
    assert any(failures("pass") for _ in range(10))
