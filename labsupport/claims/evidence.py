"""Evidence maps names to measured values; the function that reads it says by its parameters what it needs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TypeVar

from labsupport.core.errors import LabError

T = TypeVar("T")


class Undecided(LabError):
    """The evidence is complete, but settles nothing: the experiment did not happen as it was meant to."""


def weigh(subject: str, reader: Callable[..., T], evidence: Mapping[str, object]) -> T:
    """Give `evidence` to `reader`, whose keyword parameters name what it needs.

    Raises `LabError` when a name is missing or not asked for, since evidence nobody reads would settle nothing.
    """
    wanted = list(inspect.signature(reader).parameters)
    missing = [name for name in wanted if name not in evidence]
    unread = [name for name in evidence if name not in wanted]
    if missing or unread:
        faults = [f"lacks {', '.join(missing)}"] if missing else []
        faults += [f"has {', '.join(unread)}, which nobody reads"] if unread else []
        raise LabError(
            f"The evidence for `{subject}` {' and '.join(faults)}.", fix=f"Hand over exactly: {', '.join(wanted)}."
        )
    return reader(**evidence)
