"""Every request is read, and the end is quiet. Real kernels, asked as JupyterLab asks them."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

STARTS_WITHIN_S = 60
ANSWERS_WITHIN_S = 5.0  # longer than two late replies wait


@contextmanager
def kernel(*arguments: str, errors: IO[str] | None = None) -> Iterator[BlockingKernelClient]:
    """The kernel "python3" of this environment, asked to end afterwards; `errors` gets what it writes to stderr."""
    manager = KernelManager(kernel_name="python3", transport_encryption="auto")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}  # `late_replies`
    manager.start_kernel(extra_arguments=list(arguments), env=environment, stderr=errors)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=STARTS_WITHIN_S)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def answered(client: BlockingKernelClient) -> list[bool]:
    """Two requests, the second most likely while the first is answered: which of them was answered?"""
    asked = [client.kernel_info()]
    time.sleep(0.05)
    asked.append(client.comm_info())
    answers: set[str] = set()
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while not answers >= set(asked) and (left := deadline - time.monotonic()) > 0:
        try:
            answers.add(client.get_shell_msg(timeout=left)["parent_header"]["msg_id"])
        except queue.Empty:
            break
    return [request in answers for request in asked]


def test_a_request_that_comes_in_while_a_reply_goes_out_is_read() -> None:
    """Else a cell stays at `[*]` for ever."""
    with kernel("--IPKernelApp.kernel_class=late_replies.Lab") as client:
        assert [answered(client) for _ in range(5)] == [[True, True]] * 5


def test_the_fault_is_there_without_us() -> None:
    """ipykernel's own class leaves one request unread. When this fails, the correction can go."""
    with kernel("--IPKernelApp.kernel_class=late_replies.Bare") as client:
        assert any(not all(answered(client)) for _ in range(10))


def said_at_its_end(kernel_class: str, file: Path) -> str:
    """What a kernel wrote to stderr from its start to its end."""
    with file.open("w") as errors, kernel(f"--IPKernelApp.kernel_class={kernel_class}", errors=errors) as client:
        assert client.execute_interactive("1 + 1", timeout=STARTS_WITHIN_S)["content"]["status"] == "ok"
    return file.read_text()


def test_the_end_is_quiet(tmp_path: Path) -> None:
    """Also when the main thread is the faster one, and has closed the sockets."""
    assert said_at_its_end("late_replies.LabEnd", tmp_path / "errors") == ""


def test_the_end_is_not_quiet_without_us(tmp_path: Path) -> None:
    """A traceback of ipykernel. When this fails, the correction can go."""
    assert "Socket operation on non-socket" in said_at_its_end("late_replies.BareEnd", tmp_path / "errors")


def test_every_kernel_of_this_environment_is_ours() -> None:
    """Set-up wrote so where all of them look."""
    with kernel() as client:
        reply = client.execute_interactive(
            "import ipykernel.ipkernel, labsupport.jupyter.kernel as ours\n"
            "assert type(get_ipython().kernel) is ours.LabKernel",
            timeout=STARTS_WITHIN_S,
        )
        assert reply["content"]["status"] == "ok"
