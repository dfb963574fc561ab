"""What a run says to each question: from evidence to the letter of an option.

A reader's keyword parameters name the evidence it needs. The page shows the option that the *run* bore out, not the
one we wrote down; if the two differ, the page fails.
"""

from __future__ import annotations

from collections.abc import Callable

AT_ONCE_S = 1.0  # no reader would call a shorter gap a pause; a KRaft session (9,000 ms by default) lasts much longer


def leader_dies(*, new_leader: int | None, pause_s: float | None, lost: int, duplicated: int) -> str:
    """`new_leader`: broker id, None if nobody took over. `pause_s`: seconds without an acknowledgement."""
    if new_leader is None or pause_s is None:
        return "e"
    if lost:
        return "b"
    if duplicated:
        return "c"
    return "a" if pause_s < AT_ONCE_S else "d"


OUTCOMES: dict[str, Callable[..., str]] = {"leader-dies": leader_dies}
