"""The records of a topic, by their ids, as rows of columns: about 40 bytes each."""

from __future__ import annotations

from array import array

from labsupport.observe.operations import Send, joined_id

NOBODY = -1
"""The row of a record without an id."""
NOWHERE = -1
"""A partition or an offset that is not known."""
NO_NUMBER = -1

NOT_SENT, ACKED, FAILED, UNKNOWN = range(4)
_CODES = {"acked": ACKED, "failed": FAILED}

_LARGEST_NUMBER = 2**62  # beyond it, a number does not fit its column
_SPARE_CELLS = 65_536


class Records:
    """Columns by row: a row is a record's place in the order in which it was first heard of.

    Producers number their records from 0 and hardly leave any out, so the way from a number to its row is an array;
    numbers far from the others, and ids without a number, have dictionaries.
    """

    def __init__(self) -> None:
        self.outcome = bytearray()
        self.producer, self.n = array("i"), array("q")
        self.partition, self.offset = array("i"), array("q")  # where it was acknowledged
        self.sent_at = array("i")  # the operation that says so
        self.sends = 0
        self.names: dict[str, int] = {}
        self._dense: list[array[int]] = []  # by producer: number -> row
        self._sparse: dict[tuple[int, int], int] = {}
        self._unnumbered: dict[str, int] = {}
        self._cells = 0

    def __len__(self) -> int:
        return len(self.outcome)

    def row(self, producer: str, n: int | None) -> int:
        """The row of a record, made now if it is new; `NOBODY` for a record without an id."""
        if n is None or n > _LARGEST_NUMBER:
            return self._row_of_unnumbered(joined_id(producer, n))
        number = self.names.setdefault(producer, len(self._dense))
        if number == len(self._dense):
            self._dense.append(array("i"))
        dense = self._dense[number]
        row = dense[n] if n < len(dense) else NOBODY
        if row == NOBODY and self._sparse:
            row = self._sparse.get((number, n), NOBODY)
        return row if row != NOBODY else self._new_numbered(number, n)

    def take_send(self, at: int, send: Send) -> None:
        """Operation `at` says how a send ended. An acknowledgement is not taken back by a later report."""
        row = self.row(send.producer, send.n)
        if row == NOBODY or self.outcome[row] == ACKED:
            return
        self.sends += self.outcome[row] == NOT_SENT
        self.outcome[row] = code = _CODES.get(send.outcome, UNKNOWN)
        self.sent_at[row] = at
        if code == ACKED and send.partition is not None and send.offset is not None:
            self.partition[row], self.offset[row] = send.partition, send.offset

    def _row_of_unnumbered(self, record_id: str) -> int:
        if not record_id:
            return NOBODY
        row = self._unnumbered.get(record_id, NOBODY)
        if row == NOBODY:
            row = self._unnumbered[record_id] = self._new(NOBODY, NO_NUMBER)
        return row

    def _new_numbered(self, producer: int, n: int) -> int:
        row, dense = self._new(producer, n), self._dense[producer]
        if n >= len(dense) and not self._grow(dense, n):
            self._sparse[producer, n] = row
        else:
            dense[n] = row
        return row

    def _grow(self, dense: array[int], n: int) -> bool:
        """Make room for number `n`, if all rooms together stay near the number of records: ids come from strangers."""
        more = n + 1 - len(dense)
        if self._cells + more > 2 * len(self) + _SPARE_CELLS:
            return False
        self._cells += more
        dense.extend([NOBODY] * more if more > 1 else (NOBODY,))
        return True

    def _new(self, producer: int, n: int) -> int:
        self.outcome.append(NOT_SENT)
        self.producer.append(producer)
        self.n.append(n)
        self.partition.append(NOWHERE)
        self.offset.append(NOWHERE)
        self.sent_at.append(NOWHERE)
        return len(self.outcome) - 1
