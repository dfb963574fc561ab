"""kafka-python, loaded whole by one thread. Whoever imports from it calls `load` first."""

from __future__ import annotations

import threading

_LOADING = threading.Lock()


def load() -> None:
    """Import kafka-python, which takes a third of a second the first time and nothing later.

    Its modules import each other in a circle (seen with 3.0.12): threads that begin with different ones see half of
    them and get an ImportError. It is not imported with ours, so that what needs no client starts quickly.
    """
    with _LOADING:
        import kafka
        import kafka.admin
        import kafka.net.compat
        import kafka.protocol.admin  # noqa: F401 - for those who import from it next
