"""Objects of the lower rooms have only a text; here IPython learns to draw them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from labsupport.core.errors import LabError
from labsupport.core.escape import printable

Bundle = dict[str, Any]

_MESSAGE_LIMIT = 4000
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"  # no colour: JupyterLab shows errors on a red ground


def _cluster(cluster: Any) -> Bundle:
    from labsupport.views.map import ClusterMap

    if not hasattr(cluster.recording, "follow"):  # a Journal that is no Recording has nothing to draw
        return {"text/plain": repr(cluster)}
    return ClusterMap(cluster)._repr_mimebundle_()


def _shown(maker: str, module: str = "show") -> Callable[[Any], Bundle]:
    def bundle(value: Any) -> Bundle:
        drawing = importlib.import_module(f"labsupport.views.{module}")
        shown: Bundle = getattr(drawing, maker)(value)._repr_mimebundle_()
        return shown

    return bundle


# Named, not imported: an object of a room that a page never uses does not load that room.
FORMATTERS: dict[tuple[str, str], Callable[[Any], Bundle]] = {
    ("labsupport.cluster.cluster", "Cluster"): _cluster,
    ("labsupport.observe.recording", "Recording"): _shown("recording"),
    ("labsupport.observe.failover", "Failover"): _shown("stamps"),
    ("labsupport.observe.history", "HistoryVerdict"): _shown("verdict"),
    ("labsupport.claims.judging", "Judgement"): _shown("judgement"),
    ("labsupport.core.finding", "Finding"): _shown("finding"),
    ("labsupport.storage.files", "PartitionLog"): _shown("log_display", "segments"),
    ("labsupport.storage.files", "Segment"): _shown("segment_display", "segments"),
    ("labsupport.storage.files", "Seek"): _shown("seek_display", "segments"),
    ("labsupport.storage.spread", "Spread"): _shown("spread_display", "spread"),
    ("labsupport.storage.anatomy", "Anatomy"): _shown("anatomy_display", "segments"),
}


def install_formatters() -> None:
    """Teach the running IPython to draw our objects and to show a `LabError` as its two sentences.

    Outside IPython it does nothing; a second call changes nothing.
    """
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return
    shell: Any = get_ipython()
    if shell is None:
        return
    formatter = shell.display_formatter.mimebundle_formatter
    for (module, name), draw in FORMATTERS.items():
        formatter.for_type_by_name(module, name, draw)
    shell.set_custom_exc((LabError,), show_lab_error)


def two_sentences(error: LabError) -> list[str]:
    """What happened and what to do, as lines; nothing in the text can steer a terminal."""
    what, *more = [printable(line, limit=_MESSAGE_LIMIT) for line in error.what.splitlines() or [""]]
    fix = [printable(line, limit=_MESSAGE_LIMIT) for line in error.fix.splitlines()]
    return [f"{_BOLD}{what}{_PLAIN}", *more, *fix]


def show_lab_error(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
    tb_offset: int | None = None,
) -> list[str]:
    """IPython's handler for `LabError`: an error like any other to whoever runs the cell, without the traceback.

    `%tb` still shows where it came from.
    """
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, traceback
    lines = two_sentences(error) if isinstance(error, LabError) else [str(error)]
    shell._showtraceback(kind, error, lines)
    return lines
