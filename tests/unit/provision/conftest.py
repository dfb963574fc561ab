"""A Maven repository on loopback that misbehaves as asked, and a cache of the test's own."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from labsupport.provision.lock import Artifact


@dataclass
class Repository:
    """Serves `content` for every path; `behaviour` is "good", "cut", "tampered", "page", or an HTTP status."""

    content: bytes = b"PK" + bytes(range(256)) * 1000
    behaviour: str = "good"
    asked: list[str] = field(default_factory=list)
    address: str = ""
    go_on: threading.Event = field(default_factory=threading.Event)

    @property
    def remote(self) -> dict[str, str]:
        """For `remote_repos`."""
        return {"test": self.address}

    def artifact(self, name: str = "brick") -> Artifact:
        """The lock's entry for what this repository should serve."""
        return Artifact(
            group="org.example",
            artifact=name,
            version="1.0",
            packaging="jar",
            size=len(self.content),
            sha256=hashlib.sha256(self.content).hexdigest(),
            used_by=("test",),
        )


def _handler(repository: Repository) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            repository.asked.append(self.path)
            repository.go_on.wait(30)
            body, kind, status = repository.content, "application/java-archive", 200
            if repository.behaviour == "page":
                body, kind = b"<html>Please sign in to the hotel's network</html>", "text/html; charset=utf-8"
            elif repository.behaviour == "tampered":
                body = body[:-1] + b"!"
            elif repository.behaviour.isdigit():
                body, status = b"", int(repository.behaviour)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if repository.behaviour == "cut" else body)
            self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    return Handler


@pytest.fixture
def repository() -> Iterator[Repository]:
    """A repository that behaves well until told otherwise."""
    served = Repository()
    served.go_on.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    served.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield served
    served.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache in a path with spaces; nothing is trained in it."""
    folder = tmp_path / "a cache with spaces"
    monkeypatch.setenv("KAFKA_LAB_CACHE", str(folder))
    monkeypatch.setenv("KAFKA_LAB_TRAINING", "off")
    return folder


def files_in(folder: Path) -> set[str]:
    """All files below `folder` except lock files."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in found if not name.endswith(".lock")}
