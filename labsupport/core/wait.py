"""Wait for a condition, never for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from labsupport.core.clock import now_s
from labsupport.core.errors import WaitTimeout

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    timeout_s: float,
    *,
    because: str,
    poll_s: float = 0.05,
    alive: Callable[[], None] | None = None,
    evidence: Callable[[], str] | None = None,
) -> T:
    """Poll `condition` until it returns something true, and return that.

    `because` completes the sentence "Waited 30 s for …". `alive` is called at each poll and raises when waiting has
    become pointless (a dead process). `evidence` gives the last lines of a log for the message.
    Raises `WaitTimeout` (with `last`, what the condition returned last) after `timeout_s` seconds.
    """
    deadline = now_s() + timeout_s
    while True:
        last = condition()
        if last:
            return last
        if alive is not None:
            alive()
        if now_s() >= deadline:
            seen = f" The log ends:\n{evidence()}" if evidence is not None else ""
            raise WaitTimeout(
                f"Waited {timeout_s:g} s for {because}, and last saw {last!r}.",
                fix=f"Is the machine very busy? Then give a longer timeout_s.{seen}",
                last=last,
            )
        time.sleep(poll_s)
