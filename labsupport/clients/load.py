"""An open-loop load generator: it sends when a record is due, whether or not the cluster keeps up."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle, islice
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from labsupport.clients.connection import Connection, to_bytes
from labsupport.clients.latencies import Latencies
from labsupport.clients.load_input import (
    Acks,
    checked_interval,
    checked_number,
    checked_sizes,
    checked_topic,
    delivery_timeout_s,
    payloads,
    settings,
)
from labsupport.clients.metadata import SILENT, MetadataReader
from labsupport.clients.outcomes import Outcome, outcome_of
from labsupport.core.clock import now_s
from labsupport.core.errors import BadInput, LabError, WaitTimeout
from labsupport.core.escape import printable
from labsupport.core.journal import Journal, NullJournal
from labsupport.core.wait import wait_until

ID_HEADER = "lab-id"
_ACKS_NAMES = ("request.required.acks", "acks")  # one setting under two names; a later one of `config` decides


class SourceRecord(Protocol):
    """What a source yields; `flights.Flight` is one. `at_s`: seconds after the start, or None for the load's rate."""

    @property
    def key(self) -> str | bytes | None: ...
    @property
    def value(self) -> str | bytes | None: ...
    @property
    def at_s(self) -> float | None: ...


class Record(NamedTuple):
    """A record to send, for sources of your own."""

    key: str | bytes | None
    value: str | bytes | None
    at_s: float | None = None


RecordSource = Iterable[SourceRecord]


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What a load did. Every record sent is in exactly one of `acked`, `failed` (certainly not written), `unknown`.

    `behind_s`: the most that a record was handed to the client later than intended. `buffer_full`: how many records
    had to wait for room in the client. Latencies are None without an acknowledged record; `histogram` is HdrHistogram's
    compressed form in microseconds. `errors` counts the names of librdkafka's errors.
    """

    topic: str
    sent: int
    acked: int
    failed: int
    unknown: int
    duration_s: float
    acked_per_s: float
    behind_s: float
    buffer_full: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    histogram: str
    errors: Mapping[str, int]


class Load(AbstractContextManager["Load"]):
    """Sends records to a topic from a thread of its own until the block ends, and counts how each one ended.

    Intended send times are fixed before anything is sent and no acknowledgement is waited for; a latency runs from the
    intended time to the acknowledgement, so a cluster that stalls is charged for every record that should have gone
    out meanwhile ("coordinated omission" is thus avoided).

    Without a source, payloads are random letters of `size_bytes` (a number, or (smallest, largest)). `records_per_s`
    None means as fast as possible: then a record's intended time is when the client took it. `records` ends the load
    after so many. `config` takes librdkafka's dotted settings and has the last word; `delivery_timeout_ms` is its
    `delivery.timeout.ms` (Kafka's default is 120,000). With acks=0, "acked" only means given to the socket.

    Each end of a send is written to the journal under the record's id, which travels in its header "lab-id".
    Leaving the block waits for what is under way, at most the delivery time-out (5 s after an exception); what is
    then still open is unknown. Raises `BadInput` for arguments that cannot be meant, `LabError` without the topic.
    """

    def __init__(
        self,
        connection: Connection,
        topic: str,
        *,
        source: RecordSource | None = None,
        records_per_s: float | None = 200,
        size_bytes: int | tuple[int, int] = 100,
        records: int | None = None,
        acks: Acks = "all",
        idempotence: bool = True,
        config: Mapping[str, object] | None = None,
        journal: Journal | None = None,
        delivery_timeout_ms: int = 30_000,
        seed: int = 1,
    ) -> None:
        self.topic = checked_topic(topic)
        self.sent = self.acked = self.failed = self.unknown = self.buffer_full = 0
        self.behind_s = 0.0
        self.latencies = Latencies()
        self._connection = connection
        self._source = source
        self._every_s = checked_interval(records_per_s)
        self._sizes = checked_sizes(size_bytes)
        self._records = checked_number(records)
        self._journal = journal
        self._bulk = source is None and records_per_s is None and (journal is None or type(journal) is NullJournal)
        self._settings = settings(acks, idempotence, delivery_timeout_ms, config or {})
        self._retries = str(self._settings.get("retries", self._settings.get("message.send.max.retries", 1))) != "0"
        self._delivery_timeout_s = delivery_timeout_s(self._settings)
        self._chance = random.Random(seed)
        self._run = secrets.token_hex(3)
        self._errors: Counter[str] = Counter()
        self._open: dict[str, float] = {}
        self._newest_acked_s = float("-inf")
        self._began_s = self._ended_s = 0.0
        self._stopping = self._interrupted = False
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name=f"load-{self._run}", daemon=True)

    def __repr__(self) -> str:
        return f"Load(topic={printable(self.topic)!r})"

    # -- what a notebook calls -------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._began_s:
            raise BadInput(f"{self!r} has run already.", fix="Make another one.")
        self._producer = self._connect()
        self._began_s = now_s()
        self._declare()
        try:
            self._thread.start()
        except BaseException:  # Ctrl-C in this very moment
            self._finish()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._delivery_timeout_s = min(self._delivery_timeout_s, 5.0)
        self._finish()
        if kind is None:
            self._raise_problem()

    def stop(self) -> None:
        """Stop sending and wait, within the delivery time-out, for what is under way. Stopping twice does no harm."""
        self._finish()
        self._raise_problem()

    @property
    def finished(self) -> bool:
        """True when nothing more will be sent and every record has its outcome."""
        return self._ended_s > 0

    def wait_for_acked(self, n: int, timeout_s: float = 60) -> int:
        """Return the number acknowledged, once it is at least `n` in all; `WaitTimeout` after `timeout_s` seconds."""
        self._wait(lambda: self.acked >= n, timeout_s, f"{n} acknowledged records of {printable(self.topic)}")
        return self.acked

    def wait_for_acked_after(self, t_s: float, timeout_s: float = 60) -> float:
        """Wait until a record that was to be sent after `t_s` (`core.clock.now_s()`) is acknowledged.

        Returns the time at which that was seen. Raises `WaitTimeout` after `timeout_s` seconds.
        """
        self._wait(lambda: self._newest_acked_s > t_s, timeout_s, f"an acknowledgement from {printable(self.topic)}")
        return now_s()

    def wait_until_finished(self, timeout_s: float = 60) -> None:
        """Wait for the end of a load that has one (`records`, or a source that ends)."""
        wait_until(lambda: self.finished, timeout_s, because=f"the end of {self!r}")
        self._raise_problem()

    def report(self) -> LoadReport:
        """The figures so far; final once the block has been left."""
        self._raise_problem()
        duration_s = (self._ended_s or now_s()) - self._began_s
        some = self.latencies.count > 0
        return LoadReport(
            topic=self.topic,
            sent=self.sent,
            acked=self.acked,
            failed=self.failed,
            unknown=self.unknown,
            duration_s=duration_s,
            acked_per_s=self.acked / duration_s if duration_s > 0 else 0.0,
            behind_s=self.behind_s,
            buffer_full=self.buffer_full,
            p50_ms=self.latencies.percentile_ms(50) if some else None,
            p99_ms=self.latencies.percentile_ms(99) if some else None,
            max_ms=self.latencies.max_ms if some else None,
            histogram=self.latencies.encode(),
            errors=dict(self._errors),
        )

    # -- the caller's side -----------------------------------------------------------------------------------------

    def _connect(self) -> Any:
        from confluent_kafka import KafkaException, Producer

        self._refusal: type[Exception] = KafkaException
        try:
            producer = Producer(self._connection.confluent(**self._settings), logger=SILENT)
        except (KafkaException, TypeError, ValueError) as error:
            reason = error.args[0].str() if isinstance(error, KafkaException) else error
            raise BadInput(
                f"The client refuses this config: {printable(reason)}.",
                fix="The settings and their values are in librdkafka's CONFIGURATION.md.",
            ) from error
        self._find_topic()
        return producer

    def _declare(self) -> None:
        """Say what an acknowledgement of ours will mean: nothing, with acks=0."""
        if self._journal is not None:
            acks = next(str(self._settings[name]) for name in _ACKS_NAMES if name in self._settings)
            self._journal.event(
                "load",
                topic=self.topic,
                producer=self._run,
                acks="all" if acks == "-1" else acks,
                idempotence=str(self._settings.get("enable.idempotence")).lower() == "true",
            )

    def _find_topic(self) -> None:
        """A topic that was just created is not known to every broker in the same moment, so ask for two seconds."""
        reader = MetadataReader(self._connection, timeout_s=10)
        try:
            wait_until(lambda: self.topic in reader.read(self.topic).topics, 2, because="the topic to be known")
        except WaitTimeout:
            raise LabError(
                f"There is no topic {printable(self.topic)}.",
                fix=f"Create it: cluster.create_topic({printable(self.topic)!r}).",
            ) from None

    def _wait(self, condition: Any, timeout_s: float, because: str) -> None:
        def pointless() -> None:
            self._raise_problem()
            if self.finished and not condition():
                raise LabError(f"Waiting for {because} is pointless: the load has ended.", fix="Start another.")

        wait_until(condition, timeout_s, because=because, poll_s=0.02, alive=pointless)

    def _finish(self) -> None:
        self._stopping = True
        try:
            while self._thread.is_alive():
                self._thread.join(0.2)
        except KeyboardInterrupt:  # a second Ctrl-C: what is open is unknown from now on
            self._interrupted = True
            self._thread.join(5)
            raise

    def _raise_problem(self) -> None:
        if isinstance(self._problem, LabError):
            raise self._problem
        if self._problem is not None:
            raise LabError(
                f"The load on {printable(self.topic)} broke off: {printable(self._problem)}.", fix="Start another."
            ) from self._problem

    # -- the load's own thread -------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            if self._bulk:
                self._send_in_bulk()
            else:
                self._send_when_due()
        except BaseException as error:  # noqa: BLE001 - it surfaces in the caller's thread, with the next call
            self._problem = error
        finally:
            try:
                self._settle_what_is_open()
            finally:
                self._ended_s = now_s()
                del self._producer

    def _send_when_due(self) -> None:
        records = iter(self._source) if self._source is not None else self._generated()
        first = next(records, None)  # a source may take its time to begin
        if first is None:
            return
        self._began_s = now_s()
        for number, record in enumerate(islice(chain([first], records), self._records)):
            due_s = self._due_s(number, record)
            if not self._wait_until_due(due_s, number):
                return
            self._send(number, record, due_s)

    def _generated(self) -> Iterator[SourceRecord]:
        return (Record(None, value) for value in cycle(payloads(self._sizes, self._chance)))

    def _due_s(self, number: int, record: SourceRecord) -> float:
        if record.at_s is not None:
            return self._began_s + record.at_s
        return now_s() if self._every_s is None else self._began_s + number * self._every_s

    def _wait_until_due(self, due_s: float, number: int) -> bool:
        """False when the load was stopped meanwhile."""
        while not self._stopping:
            left_s = due_s - now_s()
            if left_s <= 0:
                self.behind_s = max(self.behind_s, -left_s)
                if number & 63 == 0:
                    self._producer.poll(0)
                return True
            if left_s >= 0.001:
                self._producer.poll(min(left_s, 0.1))
            else:
                time.sleep(left_s)
        return False

    def _send(self, number: int, record: SourceRecord, due_s: float) -> None:
        record_id = f"{self._run}-{number}"
        produce = partial(
            self._producer.produce,
            self.topic,
            to_bytes(record.value),
            to_bytes(record.key),
            on_delivery=partial(self._delivered, record_id, due_s),
            headers=[(ID_HEADER, record_id)],
        )
        self.sent += 1
        self._open[record_id] = due_s
        waited = False
        while True:
            try:
                produce()
            except BufferError:
                self.buffer_full += not waited
                waited = True
                if self._stopping:
                    self.sent -= 1
                    del self._open[record_id]
                    return
                self._producer.poll(0.05)
            except self._refusal as error:
                self._end(record_id, due_s, "failed", error=error.args[0])  # refused here, so never sent
                if error.args[0].fatal():
                    raise
                return
            else:
                return

    def _delivered(self, record_id: str, due_s: float, error: Any, message: Any) -> None:
        name = None if error is None else error.name()
        self._end(record_id, due_s, outcome_of(name, retries=self._retries), error=error, message=message)

    def _end(self, record_id: str, due_s: float, outcome: Outcome, *, error: Any = None, message: Any = None) -> None:
        t_s = now_s()
        self._open.pop(record_id, None)
        self._count(outcome, error)
        partition = offset = None
        if outcome == "acked":
            self.latencies.record_us((t_s - due_s) * 1e6)
            self._newest_acked_s = max(self._newest_acked_s, due_s)
            partition, offset = message.partition(), message.offset()
        if self._journal is not None:
            self._journal.send(
                self.topic,
                record_id,
                outcome,
                partition=partition,
                offset=offset if offset is not None and offset >= 0 else None,
                intended_s=due_s,
                t_s=t_s,
                error="" if error is None else printable(f"{error.name()}: {error.str()}"),
            )

    def _count(self, outcome: Outcome, error: Any) -> None:
        if outcome == "acked":
            self.acked += 1
        elif outcome == "failed":
            self.failed += 1
        else:
            self.unknown += 1
        if error is not None:
            self._errors[error.name()] += 1

    # -- as fast as possible, with nobody to tell: librdkafka takes hundreds of records in one call ------------------

    def _send_in_bulk(self) -> None:
        values = payloads(self._sizes, self._chance)
        size = min(500, len(values))
        chunks = [[{"value": value} for value in values[i : i + size]] for i in range(0, len(values), size)]
        left = self._records
        for chunk in cycle(chunks):
            if self._stopping or left == 0:
                return
            due = chunk if left is None else chunk[:left]
            self._send_chunk(due)
            left = None if left is None else left - len(due)

    def _send_chunk(self, chunk: list[dict[str, Any]]) -> None:
        waiting = chunk
        while waiting and not self._stopping:
            taken = self._producer.produce_batch(self.topic, waiting, on_delivery=self._delivered_in_bulk)
            self.sent += taken
            if taken < len(waiting):
                waiting = self._refused(waiting)
                self._producer.poll(0.01)
            else:
                waiting = []
                self._producer.poll(0)
        self.latencies.settle()

    def _refused(self, chunk: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The messages for which there was no room. Others that were refused have failed: they were never sent."""
        again = []
        for message in chunk:
            error = message.pop("_error", None)
            if error is None:
                continue
            if error.name() == "_QUEUE_FULL":
                again.append(message)
            else:
                self.sent += 1
                self._count("failed", error)
                if error.fatal():
                    raise LabError(f"The client gave up: {printable(error.str())}.", fix="Start another load.")
        self.buffer_full += len(again)
        return again

    def _delivered_in_bulk(self, error: Any, message: Any) -> None:
        if error is None:
            self.acked += 1
            latency_s = message.latency()
            self.latencies.record_us(latency_s * 1e6)
            self._newest_acked_s = now_s() - latency_s
        else:
            self._count(outcome_of(error.name(), retries=self._retries), error)

    # -- the end ---------------------------------------------------------------------------------------------------

    def _settle_what_is_open(self) -> None:
        """Give every record its outcome: wait for reports, then withdraw the rest, and call what is left unknown."""
        give_up_s = now_s() + self._delivery_timeout_s + 1
        while len(self._producer) and not self._interrupted and now_s() < give_up_s:
            self._producer.flush(0.1)
        if len(self._producer):
            self._producer.purge()
            self._producer.flush(1)
        for record_id, due_s in list(self._open.items()):
            self._end(record_id, due_s, "unknown")
        self.unknown += self.sent - (self.acked + self.failed + self.unknown)
        self.latencies.settle()
