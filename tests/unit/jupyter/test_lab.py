"""How JupyterLab is configured, what `make lab` accepts, and that a second start finds the first."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from labsupport.core.errors import LabError
from labsupport.jupyter import lab, seat
from labsupport.jupyter.seat import Running, Seat


class TestConfiguration:
    def test_it_listens_on_this_machine_only(self, tmp_path: Path) -> None:
        """And no argument can change that."""
        assert lab._config(tmp_path, 8888).ServerApp.ip == "127.0.0.1"
        assert lab.main(["--ip=0.0.0.0"]) == 1

    def test_the_token_is_long_and_new_each_time(self, tmp_path: Path) -> None:
        """And is not in the environment, where kernels and terminals would show it."""
        first, second = (lab._config(tmp_path, 8888).IdentityProvider.token for _ in range(2))
        assert first != second and len(first) >= 48
        assert first not in os.environ.values()

    def test_ctrl_c_asks_nothing(self, tmp_path: Path) -> None:
        """One is enough."""
        assert lab._config(tmp_path, 8888).ServerApp.answer_yes is True

    @pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
    def test_root_is_allowed_only_to_root(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, allowed: bool
    ) -> None:
        """Jupyter's own guard stays for everybody else."""
        monkeypatch.setattr(lab.os, "geteuid", lambda: user)
        assert lab._config(tmp_path, 8888).ServerApp.allow_root is allowed

    def test_it_opens_on_the_first_page(self, tmp_path: Path) -> None:
        """Or on the file browser, if that page is not there."""
        assert lab._config(tmp_path, 8888).ServerApp.default_url == "/lab"
        (tmp_path / "00-start-here.ipynb").touch()
        assert lab._config(tmp_path, 8888).ServerApp.default_url == "/lab/tree/00-start-here.ipynb"

    def test_the_settings_of_the_lab_are_settings_of_jupyterlab(self) -> None:
        """Each is in the schema of the JupyterLab that the lock pins, with a value that it allows."""
        import sys

        share = Path(sys.prefix) / "share" / "jupyter"
        widgets = share / "labextensions" / "@jupyter-widgets" / "jupyterlab-manager" / "schemas"
        schemas = {"@jupyter-widgets/jupyterlab-manager": widgets}
        overrides = json.loads((lab.SETTINGS / "overrides.json").read_text())
        assert len(overrides) == 4
        for plugin, settings in overrides.items():
            extension, name = plugin.split(":")
            folder = schemas.get(extension, share / "lab" / "schemas") / extension
            schema = json.loads((folder / f"{name}.json").read_text())["properties"]
            for key, value in settings.items():
                allowed = [choice["const"] for choice in schema[key].get("oneOf", [])]
                assert value in allowed or (schema[key]["type"] == "boolean" and isinstance(value, bool))


@pytest.mark.parametrize(
    "arguments",
    [["--nope"], ["x"], ["--port"], ["--port", "x"], ["--port=0"], ["--port=80"], ["--port=70000"], ["--port=-1"],
     ["--port=٣٤٥٦٧"], ["--ServerApp.ip=0.0.0.0"], ["--allow-root"], ["--no-browser=x"], ["\x1b]0;x"],
     ["--port=8888\n"]],
)  # fmt: skip
def test_a_wrong_argument_is_one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With what may be said instead; exit code not 0, nothing started."""
    assert lab.main(arguments) == 1
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1
    assert said.err.startswith("kafka-lab: make lab: ") and "`--no-browser`" in said.err


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """Something that answers as Jupyter does, to the token "secret" only."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["Authorization"] == "token secret" else 403)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def running_at(port: int, token: str = "secret") -> Running:
    """A lab at this port."""
    return Running(pid=1, port=port, token=token, url=f"http://127.0.0.1:{port}/lab?token={token}", page="/x.html")


class TestTheSeat:
    def test_only_one_has_it(self, tmp_path: Path) -> None:
        """For one workspace; another workspace has its own."""
        first = Seat(tmp_path, Path("/a"))
        assert first.take()
        assert not Seat(tmp_path, Path("/a")).take()
        assert Seat(tmp_path, Path("/b")).take()

    def test_a_second_start_finds_the_address(self, tmp_path: Path, server: HTTPServer) -> None:
        """Once it answers."""
        first = Seat(tmp_path, Path("/a"))
        first.take()
        first.announce(running_at(server.server_port))
        assert Seat(tmp_path, Path("/a")).holder() == running_at(server.server_port)

    def test_what_is_written_is_private(self, tmp_path: Path) -> None:
        """It holds the token."""
        first = Seat(tmp_path, Path("/a"))
        first.take()
        (file,) = tmp_path.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_it_is_free_again_when_its_process_was_killed(self, tmp_path: Path) -> None:
        """The lock ends with the process, and what it had written counts no more."""
        import signal

        child = os.fork()
        if child == 0:
            left = Seat(tmp_path, Path("/a"))
            left.take()
            left.announce(running_at(1))
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        assert Seat(tmp_path, Path("/a")).take()

    @pytest.mark.parametrize("token", ["secret", "another"])
    def test_something_else_at_the_port_is_not_the_lab(self, tmp_path: Path, server: HTTPServer, token: str) -> None:
        """It must answer to the token."""
        assert running_at(server.server_port, token).answers() is (token == "secret")

    def test_one_that_does_not_answer_is_one_sentence(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It hangs, or is still starting after a minute."""
        monkeypatch.setattr(seat, "PATIENCE_S", 0.0)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        first = Seat(tmp_path, Path("/a"))
        first.take()
        first.announce(running_at(port))
        with pytest.raises(LabError, match="does not answer"):
            Seat(tmp_path, Path("/a")).holder()
