"""Where everything lies: the files of this folder, and what is made from them, per user."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent

#: All outputs. `make testbed-down ARGS=--purge` removes it whole; Go's own caches lie where Go puts them.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kafka-lab" / "testbed"

BIN = CACHE / "bin"  #: on the caller's PATH: helm, kind, kubectl
PROGRAMS = CACHE / "programs"  #: what goes into images
IMAGES = CACHE / "images"  #: root file systems and archives of images
LOGS = CACHE / "log"
STATE = CACHE / "state"  #: stamps of finished steps, what to restore, what we started
KUBECONFIG = CACHE / "kubeconfig"

CLUSTER = "kafka-lab"
CONTEXT = f"kind-{CLUSTER}"
