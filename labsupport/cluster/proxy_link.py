"""The state of a link, and the connections that pass over it. Standard library only; all of it runs in one event loop.

A *link* lies between two ends, "clients" or a node's name, whichever of them dialled. Rules say what is wrong with it;
several add up: one cut is a cut, delays are summed, the least bandwidth counts. A *passage* is one connection through
the proxy, and a *lane* one of its two directions.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

LANE_LIMIT_BYTES = 2**20  # in flight and not yet due, a direction: then the sender is held, as a full window holds it
PIECE_S = 0.05  # a limited bandwidth hands over pieces that take so long, not whole batches at their end
LEAST_PIECE_BYTES = 512
CLIENT_IDS_KEPT = 32
_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is wrong with a link. `delay_s` is added each way; `bytes_per_s` (0: unlimited) is a direction's."""

    cut: bool = False
    half_open: bool = False
    delay_s: float = 0.0
    bytes_per_s: float = 0.0

    @property
    def slow(self) -> bool:
        return self.delay_s > 0 or self.bytes_per_s > 0


@dataclass
class Counts:
    """What happened on a link since the cluster began."""

    reset: int = 0
    passed_bytes: int = 0
    late_bytes: int = 0
    lost_bytes: int = 0
    client_ids: list[str] = field(default_factory=list)


class Link:
    """Between two ends. `rule` is what all rules in force amount to."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self.rule = Rule()
        self.counts = Counts()
        self.passages: set[Passage] = set()
        self._busy_until_s = {True: 0.0, False: 0.0}

    def set_rules(self, rules: dict[str, Rule]) -> None:
        """From now on these rules hold, on connections that exist, too."""
        self.rules = rules
        limits = [rule.bytes_per_s for rule in rules.values() if rule.bytes_per_s]
        self.rule = Rule(
            cut=any(rule.cut for rule in rules.values()),
            half_open=any(rule.half_open for rule in rules.values()),
            delay_s=sum(rule.delay_s for rule in rules.values()),
            bytes_per_s=min(limits, default=0.0),
        )
        self._busy_until_s = {True: 0.0, False: 0.0}
        for passage in list(self.passages):
            passage.rules_changed()

    def due_s(self, size: int, *, forth: bool) -> float:
        """When `size` bytes that set out now arrive, in the loop's time; connections share a link's bandwidth."""
        sent_s = asyncio.get_running_loop().time()
        if self.rule.bytes_per_s:
            sent_s = max(sent_s, self._busy_until_s[forth]) + size / self.rule.bytes_per_s
            self._busy_until_s[forth] = sent_s
        return sent_s + self.rule.delay_s

    def met(self, client: str) -> None:
        """Remember under which name somebody came."""
        if client not in self.counts.client_ids and len(self.counts.client_ids) < CLIENT_IDS_KEPT:
            self.counts.client_ids.append(client)


class Lane:
    """One direction of a passage: what one end said and the other shall hear, in order, each piece when it is due."""

    def __init__(self, passage: Passage, link: Link, source: End, target: End, *, forth: bool) -> None:
        self.passage, self.link, self.source, self.target, self.forth = passage, link, source, target, forth
        self.waiting: deque[tuple[float, bytes | None]] = deque()
        self.waiting_bytes = 0
        self.target_is_full = False
        self.ended = False
        self._timer: asyncio.TimerHandle | None = None

    def take(self, data: bytes | None) -> None:
        """Carry `data`; None is the end of the stream."""
        if not self.link.rule.slow and not self.waiting:
            self._hand_over(data)
            return
        for piece in self._pieces(data):
            due_s = self.link.due_s(len(piece or b""), forth=self.forth)
            if self.waiting:
                due_s = max(due_s, self.waiting[-1][0])
            self.waiting.append((due_s, piece))
            self.waiting_bytes += len(piece or b"")
        self._regulate()
        if self._timer is None:
            self._sleep()

    def _pieces(self, data: bytes | None) -> list[bytes | None]:
        rate = self.link.rule.bytes_per_s
        if not data or not rate:
            return [data]
        size = max(LEAST_PIECE_BYTES, int(rate * PIECE_S))
        return [data[at : at + size] for at in range(0, len(data), size)]

    def _sleep(self) -> None:
        self._timer = asyncio.get_running_loop().call_at(self.waiting[0][0], self._wake)

    def _wake(self) -> None:
        self._timer = None
        now_s = asyncio.get_running_loop().time()
        while self.waiting and self.waiting[0][0] <= now_s:
            _, piece = self.waiting.popleft()
            self.waiting_bytes -= len(piece or b"")
            self.link.counts.late_bytes += len(piece or b"")
            self._hand_over(piece)
        self._regulate()
        if self.waiting:
            self._sleep()

    def hurry(self) -> None:
        """All that waits is due now: the rule that held it is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.waiting:
            self.waiting = deque((0.0, piece) for _, piece in self.waiting)
            self._wake()

    def stop(self) -> None:
        """Forget what waits."""
        self.waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hand_over(self, data: bytes | None) -> None:
        if self.link.rule.half_open:
            self.passage.lost_something = True
            self.link.counts.lost_bytes += len(data or b"")
        elif data is None:
            self.ended = True
            self.target.end()
            self.passage.close_when_both_ended()
        else:
            self.link.counts.passed_bytes += len(data)
            self.target.write(data)

    def set_target_is_full(self, full: bool) -> None:
        self.target_is_full = full
        self._regulate()

    def _regulate(self) -> None:
        self.source.hold(self.target_is_full or self.waiting_bytes > LANE_LIMIT_BYTES)


class End(asyncio.Protocol):
    """One of the two sockets of a passage. What it hears goes to `hear`: first to whoever finds out who speaks."""

    def __init__(
        self,
        hear: Callable[[bytes | None], None],
        gone: Callable[[End, Exception | None], None],
        made: Callable[[], None] = lambda: None,
    ) -> None:
        self.hear, self._gone, self._made = hear, gone, made
        self.fed_by: Lane | None = None
        self.is_gone = False
        self._transport: asyncio.Transport | None = None
        self._held = False

    # -- from the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._made()

    def data_received(self, data: bytes) -> None:
        self.hear(data)

    def eof_received(self) -> bool:
        self.hear(None)
        return True  # half closed: the other direction goes on

    def connection_lost(self, error: Exception | None) -> None:
        self.is_gone = True
        self._gone(self, error)

    def pause_writing(self) -> None:
        if self.fed_by is not None:
            self.fed_by.set_target_is_full(True)

    def resume_writing(self) -> None:
        if self.fed_by is not None:
            self.fed_by.set_target_is_full(False)

    # -- to the socket

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self.is_gone:
            self._transport.write(data)

    def end(self) -> None:
        """No more will be written."""
        if self._transport is not None and not self.is_gone:
            self._transport.write_eof()

    def hold(self, held: bool) -> None:
        """Read no more, or go on."""
        if self._transport is None or self.is_gone or held == self._held:
            return
        self._held = held
        (self._transport.pause_reading if held else self._transport.resume_reading)()

    def close(self) -> None:
        if self._transport is not None and not self.is_gone:
            self._transport.close()

    def reset(self) -> None:
        """Close at once, so that the other side sees a reset (RST), not an orderly end."""
        if self._transport is not None and not self.is_gone:
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            self._transport.abort()


class Passage:
    """One connection over a link: `near` dialled, `far` leads to the node. Its link lists it while it carries."""

    def __init__(self, link: Link, near: End, head: bytes) -> None:
        self.link, self.near = link, near
        self.far = End(self._say_back, self.end_gone)
        self.forth = Lane(self, link, near, self.far, forth=True)
        self.back = Lane(self, link, self.far, near, forth=False)
        self.far.fed_by, near.fed_by = self.forth, self.back
        near.hear = self.forth.take
        self.lost_something = False
        self._head = head
        near.hold(True)  # until there is somebody to hear it

    async def open(self, host: str, port: int) -> None:
        """Dial the node, unless the link is cut (then the caller is reset) or half open (then nobody answers him)."""
        if self.link.rule.cut:
            self.reset()
            return
        if self.link.rule.half_open:
            self.lost_something = True
        else:
            try:
                await asyncio.get_running_loop().create_connection(lambda: self.far, host, port)
            except OSError:
                self.reset(counted=False)  # the node is down: that is no doing of ours
                return
        if self.link.rule.cut or self.near.is_gone or self.far.is_gone:  # since we dialled
            self.reset(counted=self.link.rule.cut)
            return
        self.link.passages.add(self)
        self.near.hold(False)
        if self._head:
            self.forth.take(self._head)

    def _say_back(self, data: bytes | None) -> None:
        self.back.take(data)

    def rules_changed(self) -> None:
        """A cut resets; so does the healing of a half-open link, where a stream has a hole; all else goes on."""
        if self.link.rule.cut or (self.lost_something and not self.link.rule.half_open):
            self.reset()
            return
        self.forth.hurry()
        self.back.hurry()

    def reset(self, *, counted: bool = True) -> None:
        self.link.counts.reset += counted
        self._forget()
        self.near.reset()
        self.far.reset()

    def close_when_both_ended(self) -> None:
        if self.forth.ended and self.back.ended:
            self._forget()
            self.near.close()
            self.far.close()

    def end_gone(self, end: End, error: Exception | None) -> None:
        """One socket is gone. Over a half-open link the other end does not learn it."""
        if self not in self.link.passages:
            return
        if self.link.rule.half_open:
            self.lost_something = True
            if self.near.is_gone and self.far.is_gone:
                self._forget()
            return
        self._forget()
        for other in (self.near, self.far):
            if other is not end:
                other.reset() if error is not None else other.close()

    def _forget(self) -> None:
        self.link.passages.discard(self)
        self.forth.stop()
        self.back.stop()
