"""Kernels that do things late, when they meet something else: ipykernel's own, and the lab's.

The first two send each reply only once the next request has come in, the others say that they have ended only once the
socket for that is closed.
"""

from __future__ import annotations

import select
from typing import Any

from ipykernel.ipkernel import IPythonKernel

from labsupport.core.wait import wait_until
from labsupport.jupyter.kernel import LabKernel

PATIENCE_S = 1.0
CLOSED_WITHIN_S = 30.0


def _late(kernel: Any) -> Any:
    class Late(kernel):
        def start(self) -> None:
            super().start()
            manager = self.shell_channel_thread.manager
            signal = self.shell_stream.socket.FD

            def wait_and_send(reply: Any) -> None:
                select.select([signal], [], [], PATIENCE_S)
                manager._send_on_shell_channel(reply)

            manager._main_to_shell_channel.on_recv(manager._shell_channel_io_loop, wait_and_send)

    return Late


Bare = _late(IPythonKernel)
Lab = _late(LabKernel)


class _LateSocket:
    """The socket by which the control thread wakes the thread that publishes."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    def send(self, message: bytes) -> None:
        wait_until(lambda: self._socket.closed, CLOSED_WITHIN_S, because="the main thread to close the socket")
        self._socket.send(message)


def _late_to_end(kernel: Any) -> Any:
    class LateToEnd(kernel):
        async def shutdown_request(self, stream: Any, ident: Any, parent: Any) -> None:
            await super().shutdown_request(stream, ident, parent)
            publisher = self.iopub_thread
            publisher._local.event_pipe = _LateSocket(publisher._event_pipe)

    return LateToEnd


BareEnd = _late_to_end(IPythonKernel)
LabEnd = _late_to_end(LabKernel)
