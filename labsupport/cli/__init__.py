"""The command line `kafka-lab`: clusters up and down, Kafka's own tools, a doctor, and a fresh start for the learner.

Every command is a thin layer over the rooms below and imports them only when it runs, so that `kafka-lab status` is
quick; nothing here knows how a cluster works. Start with `app.py`, which lists the commands; `edge.py` turns whatever
goes wrong into one sentence and an exit code.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 could not be done, 2 cannot be meant, 130 interrupted."""
    from labsupport.cli.edge import run

    return run(list(sys.argv[1:] if arguments is None else arguments))
