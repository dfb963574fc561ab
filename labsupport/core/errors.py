"""The error tree. A user's mistake reads as two sentences: what happened, and what to do."""

from __future__ import annotations


class LabError(Exception):
    """Something the user can mend: `what` happened, `fix` says what to do about it.

    Notebooks and the command line show these two sentences and no traceback.
    """

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(what, fix)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} {self.fix}".strip()


class BadInput(LabError):
    """An argument that cannot be meant."""


class ProvisionError(LabError):
    """Something that has to be fetched could not be had, or is not what the lock says."""


class StartError(LabError):
    """A cluster did not become ready; whatever had been started is gone again."""


class NotRunning(LabError):
    """The cluster or broker that was named is not there (any more)."""


class WaitTimeout(LabError):
    """A condition did not come true in time; `last` is what was seen last."""

    def __init__(self, what: str, *, fix: str = "", last: object = None) -> None:
        super().__init__(what, fix=fix)
        self.last = last


class Contradiction(LabError):
    """A live result contradicts the verdict that the ledger of claims records."""
