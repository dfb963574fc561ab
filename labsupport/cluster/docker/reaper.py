"""Removes what a cluster has in Docker's engine: containers with their volumes, then networks.

    python -m labsupport.cluster.docker.reaper CLUSTER

The supervisor runs it at its end, the janitor when the supervisor was killed, the next start's sweep when both were.
It finds things by their label alone, and goes on until the engine has none left. A create may be under way in the
engine when its client dies: so a child of it looks once more a little later, and nobody waits for that.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from labsupport.cluster.docker.names import CLUSTER_LABEL

if TYPE_CHECKING:
    from docker import DockerClient

ROUNDS, PAUSE_S = 60, 0.25
LATER_S = (1.0, 5.0)


def remove_all(client: DockerClient, label: str) -> bool:
    """Remove everything with the label; False when something is refused to the last."""
    for _ in range(ROUNDS):
        if not _one_round(client, {"label": label}):
            return True
        time.sleep(PAUSE_S)
    return False


def _one_round(client: DockerClient, filters: dict[str, str]) -> bool:
    """Whether there was anything, or something was refused."""
    containers = client.containers.list(all=True, filters=filters, ignore_removed=True, sparse=True)
    with ThreadPoolExecutor(max_workers=8) as pool:
        refused = [*pool.map(lambda c: _refused(lambda: c.remove(force=True, v=True)), containers)]
    networks: list[Any] = client.networks.list(filters=filters)
    volumes: list[Any] = client.volumes.list(filters=filters)
    refused += [_refused(found.remove) for found in (*networks, *volumes)]
    return any(refused)


def _refused(remove: Callable[[], object]) -> bool:
    from docker.errors import APIError, NotFound

    try:
        remove()
    except NotFound:
        return False
    except APIError as error:
        print(f"refused: {error.explanation}", file=sys.stderr, flush=True)
        return True
    return False


def main(arguments: list[str]) -> int:
    import docker
    from docker.errors import DockerException

    label = f"{CLUSTER_LABEL}={arguments[0]}"
    try:
        clean = remove_all(docker.from_env(timeout=120), label)
    except (DockerException, OSError) as error:  # no engine, no containers
        print(f"no engine: {error}", file=sys.stderr, flush=True)
        return 1
    if os.fork() == 0:
        os.setsid()
        for pause_s in LATER_S:
            time.sleep(pause_s)
            remove_all(docker.from_env(timeout=120), label)
        os._exit(0)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
