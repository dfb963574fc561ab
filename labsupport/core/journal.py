"""Where things that happen are written down. `observe.Recording` is the real one; lower rooms know only this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Journal(Protocol):
    """An append-only record on the one clock. Every method may be called from any thread and never raises OSError.

    `t_s` is a time of `core.clock.now_s()`; left out, it is now.
    """

    def event(self, what: str, *, t_s: float | None = None, **fields: object) -> None:
        """Something changed: a fault began or healed, a leader moved, a process died."""

    def sample(self, name: str, value: float, *, t_s: float | None = None, **labels: object) -> None:
        """A measured quantity; its unit is the end of its name (`records_per_s`, `lag_records`)."""

    def send(
        self,
        topic: str,
        record_id: str,
        outcome: str,
        *,
        partition: int | None = None,
        offset: int | None = None,
        intended_s: float | None = None,
        t_s: float | None = None,
        error: str = "",
    ) -> None:
        """A send came to its end. `outcome`: "acked", "failed" (certainly not written) or "unknown" (may be).

        `record_id` is PRODUCER-NUMBER, numbered in the order in which the producer's sends were made.
        """

    def read(
        self, topic: str, partition: int, offset: int, record_id: str, *, t_s: float | None = None, reader: str = ""
    ) -> None:
        """A record was read by `reader`; "" is the read of a whole topic, on which verdicts rest."""

    def verdict(self, fields: Mapping[str, object]) -> None:
        """What was judged of a history."""

    def catch_up(self) -> None:
        """Return once what is true of the cluster now is written down, as far as that can be seen within a second."""

    def watch_log(self, topic: str, partition: int) -> None:
        """Write down what the leader of a partition has of its log, whenever that changes, from now on."""


class NullJournal:
    """Writes nothing down."""

    def event(self, what: str, *, t_s: float | None = None, **fields: object) -> None: ...

    def sample(self, name: str, value: float, *, t_s: float | None = None, **labels: object) -> None: ...

    def send(
        self,
        topic: str,
        record_id: str,
        outcome: str,
        *,
        partition: int | None = None,
        offset: int | None = None,
        intended_s: float | None = None,
        t_s: float | None = None,
        error: str = "",
    ) -> None: ...

    def read(
        self, topic: str, partition: int, offset: int, record_id: str, *, t_s: float | None = None, reader: str = ""
    ) -> None: ...

    def verdict(self, fields: Mapping[str, object]) -> None: ...

    def catch_up(self) -> None: ...

    def watch_log(self, topic: str, partition: int) -> None: ...
