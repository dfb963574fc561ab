"""A checkout as a user has it: the committed and uncommitted files of this one, somewhere else, with nothing set up."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websocket

ROOT = Path(__file__).parents[2]
LIMIT_S = 280


@dataclass
class Checkout:
    """A copy of the project in a folder of its own, with private state, run and (if `empty_caches`) cache folders."""

    folder: Path
    home: Path
    empty_caches: bool = False
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        list_files = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(list_files, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)
        runtime = self.home / "run"
        runtime.mkdir(parents=True, mode=0o700)
        dropped = {
            "MAKELEVEL",
            "VIRTUAL_ENV",
            "KAFKA_LAB_STATE",
            "KAFKA_LAB_RUNTIME",
            "KAFKA_LAB_CACHE",
            "PYTHON",
            "MAKEFLAGS",
        }
        self.env = {name: value for name, value in os.environ.items() if name not in dropped}
        self.env |= {"KAFKA_LAB_STATE": str(self.home / "state"), "KAFKA_LAB_RUNTIME": str(runtime)}
        if self.empty_caches:
            self.env |= {"XDG_CACHE_HOME": str(self.home / "cache")}
            self.env.pop("UV_CACHE_DIR", None)

    def make(self, *words: str, prefix: tuple[str, ...] = (), **env: str) -> subprocess.CompletedProcess[str]:
        """Run `make WORDS` to its end, without a terminal; `prefix` puts it under another program."""
        return subprocess.run(
            [*prefix, "make", "--no-print-directory", *words],
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def open_lab(self, arguments: str = "--no-browser", **env: str) -> Lab:
        """`make lab ARGS=…` at a terminal of its own, once it answers."""
        errors = self.home / f"stderr-{time.monotonic_ns()}"
        output = self.home / f"stdout-{time.monotonic_ns()}"
        command = ["sh", "-c", f'exec make lab "ARGS={arguments}" >"{output}" 2>"{errors}"']
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe(command[0], command, {**self.env, **env})
        lab = Lab(checkout=self, pid=pid, terminal=terminal, output=output, errors=errors)
        lab.wait_for(lambda: "Press Ctrl-C" in lab.said())
        return lab


@dataclass
class Kernel:
    """One kernel of a lab."""

    connection: websocket.WebSocket

    def run(self, code: str) -> str:
        """Run a cell, and return what it printed and showed."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": "test", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.connection.send(json.dumps(message))
        shown = ""
        while True:
            answer = json.loads(self.connection.recv())
            if answer["parent_header"].get("msg_id") != number:
                continue
            said = answer["content"]
            shown += said.get("text", "") + said.get("data", {}).get("text/plain", "") + said.get("evalue", "")
            if said.get("execution_state") == "idle":
                return shown


@dataclass
class Lab:
    """A running `make lab`, at a terminal."""

    checkout: Checkout
    pid: int
    terminal: int
    output: Path
    errors: Path
    status: int | None = None

    def said(self) -> str:
        """What it said on standard error so far."""
        return self.errors.read_text() if self.errors.exists() else ""

    @property
    def urls(self) -> list[str]:
        """The addresses on standard output."""
        return re.findall(r"http\S+", self.output.read_text())

    def get(self, path: str, data: bytes | None = None) -> Any:
        """Ask the server's API, with the token."""
        base, token = re.match(r"(http://[^/]+)/.*token=(\w+)", self.urls[0]).groups()  # type: ignore[union-attr]
        request = urllib.request.Request(base + path, data=data, headers={"Authorization": f"token {token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def kafka_lab(self, *arguments: str) -> str:
        """Run the command line of the checkout; returns what it said."""
        program = self.checkout.folder / ".venv" / "bin" / "kafka-lab"
        return subprocess.run(
            [program, *arguments], env=self.checkout.env, capture_output=True, text=True, timeout=LIMIT_S, check=False
        ).stdout

    def clusters(self) -> list[str]:
        """The names of the clusters that run."""
        return sorted(path.stem for path in Path(self.checkout.env["KAFKA_LAB_RUNTIME"]).glob("*.env"))

    def kernel(self) -> Kernel:
        """A new kernel, connected as a notebook would be."""
        base, token = re.match(r"(http://[^/]+)/.*token=(\w+)", self.urls[0]).groups()  # type: ignore[union-attr]
        name = self.get("/api/kernels", b"{}")["id"]
        url = f"{base.replace('http', 'ws')}/api/kernels/{name}/channels?session_id=test"
        return Kernel(websocket.create_connection(url, header=[f"Authorization: token {token}"], timeout=LIMIT_S))

    def wait_for(self, condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
        """Wait until `condition` holds; fails at once if `make` has ended."""
        end = time.monotonic() + limit_s
        while not condition():
            assert not self.ended(), f"make ended ({self.status}): {self.said()}"
            assert time.monotonic() < end, f"waited {limit_s} s: {self.said()}"

    def ended(self) -> bool:
        """Has `make` ended? Takes what the terminal shows meanwhile."""
        if self.status is None:
            if select.select([self.terminal], [], [], 0.05)[0]:
                try:
                    os.read(self.terminal, 65536)
                except OSError:  # Linux's way to say that nobody has the other end open
                    time.sleep(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
        return self.status is not None

    def wait_for_end(self, limit_s: float = 60) -> None:
        """Wait until `make` has ended."""
        end = time.monotonic() + limit_s
        while not self.ended():
            assert time.monotonic() < end, f"still running after {limit_s} s: {self.said()}"

    def press_ctrl_c(self) -> None:
        """Once, as a user does."""
        os.write(self.terminal, b"\x03")

    def end(self) -> None:
        """Whatever happened, leave nothing."""
        if not self.ended():
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.terminal)
