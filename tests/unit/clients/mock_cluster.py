"""librdkafka's own mock of a cluster in a process of its own, so that it can be killed and paused like a real one."""

from __future__ import annotations

import signal
import subprocess
import sys

from labsupport.clients import Connection

_PROGRAM = """
import sys
from confluent_kafka import Producer
mock = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 3, "log_level": 0})
brokers = mock.list_topics(sys.argv[1], timeout=20).brokers.values()
print(",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)
sys.stdin.read()
"""


class MockCluster:
    """Three brokers and one topic of four partitions."""

    def __init__(self, topic: str) -> None:
        command = [sys.executable, "-c", _PROGRAM, topic]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.connection = Connection(bootstrap_servers=self._process.stdout.readline().strip())

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()
