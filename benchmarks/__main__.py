"""All benchmarks one after the other: `make bench`. Takes about half an hour on two cores."""

from __future__ import annotations

import subprocess
import sys

for name in ("cluster_start", "load_generator", "live_picture", "lab_start", "history_verdict", "failover"):
    print(f"## {name}\n", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
