"""Start the trainer of start-up caches, and think no more of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from labsupport.core.errors import LabError
from labsupport.core.folders import cache_folder
from labsupport.provision import aot


def train_in_background(version: str) -> None:
    """Start a detached trainer if caches of `version` are missing. Returns at once, and raises nothing.

    The environment variable KAFKA_LAB_TRAINING=off forbids it.
    """
    try:
        if (
            os.environ.get("KAFKA_LAB_TRAINING") == "off"
            or not aot.untrained(version)
            or not os.access(cache_folder(), os.W_OK)
        ):
            return
        aot.folder().mkdir(exist_ok=True)
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        with (aot.folder() / f"training-{version}.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "labsupport.provision.train", version],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=os.sep,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )
    except (OSError, LabError) as error:
        aot.log.debug("no training: %s", error)
        return
    threading.Thread(target=child.wait, name="kafka-lab trainer", daemon=True).start()  # so that it is no zombie
