"""The kernel of this environment's notebooks: ipykernel's own, with two faults of version 7.3.0 corrected."""

from __future__ import annotations

from typing import Any

import zmq
from ipykernel.ipkernel import IPythonKernel


class LabKernel(IPythonKernel):
    """Reads every request, and ends without a traceback.

    ipykernel 7.3.0 forgets a request that comes in while it sends the reply to the one before. It reads requests
    through a `ZMQStream` and writes replies past it, to the bare socket; such a write takes away the signal that
    something can be read. The cell then stays at `[*]`, the indicator never becomes idle or a button does
    nothing until some other message arrives (ipykernel issue 1554; corrected after 7.3.0 in pull request 1529, but
    7.4.0 lets buttons wait for the running cell). Here replies go through the stream.
    `ipython_kernel_config.json`, installed into `etc/ipython` of the environment, chooses this class.
    """

    def start(self) -> None:
        """Begin to serve requests."""
        if self.shell_channel_thread:
            self.shell_channel_thread._shell_socket = self.shell_stream
        super().start()  # type: ignore[no-untyped-call]

    async def process_control(self, msg: Any) -> None:
        """Answer one request of the control channel.

        The last one asks the kernel to end. While its thread still says that it is done, the main thread may have
        closed the socket on which to say so; ipykernel then writes a traceback to the terminal of `make lab`.
        Its pull request 1518 corrects one of the two places where that happens.
        """
        try:
            await super().process_control(msg)  # type: ignore[no-untyped-call]
        except zmq.ZMQError as error:
            if self._shutdown_message is None or error.errno != zmq.ENOTSOCK:
                raise
