"""Whether somebody may be looking through a notebook: only then are pictures and questions alive."""

from __future__ import annotations

import sys


def in_kernel() -> bool:
    """Whether a front end with comms may be listening: true in a notebook's kernel, false in a terminal.

    It loads nothing: where IPython was not imported, there is no kernel.
    """
    ipython = sys.modules.get("IPython")
    ask = getattr(ipython, "get_ipython", None)  # not there yet while another thread is loading it
    return ask is not None and getattr(ask(), "kernel", None) is not None
