"""Two kernels that send each reply only once the next request has come in: ipykernel's own, and the lab's."""

from __future__ import annotations

import select
from typing import Any

from ipykernel.ipkernel import IPythonKernel

from labsupport.jupyter.kernel import LabKernel

PATIENCE_S = 1.0


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
