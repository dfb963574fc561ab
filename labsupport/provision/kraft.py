"""What `kafka-storage format` writes, made once: a JVM for each folder costs more than the brokers."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from labsupport.core.errors import ProvisionError
from labsupport.core.folders import cache_folder
from labsupport.provision.data import write
from labsupport.provision.kafka import kafka_home

FORMAT_TIMEOUT_S = 120
CHECKPOINT = "bootstrap.checkpoint"
# Any id will do: it goes into meta.properties, which the cluster writes itself, and not into the checkpoint.
SOME_CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"


def kraft_bootstrap(version: str) -> bytes:
    """The content of `bootstrap.checkpoint`: the feature levels with which a KRaft cluster of this version begins.

    Written once by Kafka's own StorageTool and then kept in the cache. Raises `ProvisionError` when the tool fails.
    """
    home = kafka_home(version)
    kept = cache_folder() / "kraft" / version / CHECKPOINT
    try:
        return kept.read_bytes()
    except FileNotFoundError:
        pass
    with tempfile.TemporaryDirectory(prefix="kafka-lab-format-") as folder:
        content = _format(home.java, home.classpath, home.flags("tool"), version, Path(folder))
    write(kept, content)
    return content


def _format(java: Path, classpath: str, flags: list[str], version: str, folder: Path) -> bytes:
    config = folder / "server.properties"
    config.write_text(
        "node.id=1\nprocess.roles=broker,controller\ncontroller.quorum.voters=1@127.0.0.1:29999\n"
        "listeners=PLAINTEXT://127.0.0.1:29998,CONTROLLER://127.0.0.1:29999\ncontroller.listener.names=CONTROLLER\n"
        f"log.dirs={(folder / 'data').as_posix()}\n",
        encoding="utf-8",
    )
    command = [str(java), *flags, "-cp", classpath, "kafka.tools.StorageTool"]
    command += ["format", "--cluster-id", SOME_CLUSTER_ID, "--config", str(config)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=FORMAT_TIMEOUT_S, check=False
        )
        return (folder / "data" / CHECKPOINT).read_bytes()
    except subprocess.TimeoutExpired as error:
        raise ProvisionError(
            f"Kafka {version} took longer than {FORMAT_TIMEOUT_S} s to format a folder.",
            fix="The machine is very busy: try again later.",
        ) from error
    except FileNotFoundError as error:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
        raise ProvisionError(
            f"Kafka {version} could not format a folder: {last[0]}.",
            fix="`kafka-lab doctor` says what this machine lacks.",
        ) from error
