"""`make lab` from the moment that everything is installed: lay out the pages, start JupyterLab, end all of it."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from labsupport.core.errors import BadInput, LabError, WaitTimeout
from labsupport.core.escape import printable
from labsupport.core.wait import wait_until
from labsupport.jupyter.seat import Running, Seat
from labsupport.jupyter.surroundings import SHELL, jupyter_folder, surroundings
from labsupport.teaching.workspace import lay_out, workspace_of

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp
    from traitlets.config import Config

FIRST_PAGE = "00-start-here.ipynb"
FIRST_PORT = 8888
SETTINGS = Path(__file__).parent / "settings"
CLUSTERS_END_S = 10.0
TRAINING_ENDS_S = 15.0


def main(arguments: Sequence[str] = ()) -> int:
    """Start JupyterLab and return when it has ended; returns the exit code."""
    try:
        return _main(_parsed(arguments))
    except LabError as error:
        print(f"kafka-lab: {error}", file=sys.stderr)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        print(f"kafka-lab: JupyterLab could not start: {error.strerror}{place}.", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(
            f"make lab: {printable(message)}.", fix="ARGS may be `--no-browser`, `--port N`, or both in quotes."
        )


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="make lab ARGS=…", description="Opens the lab in JupyterLab, on this machine only.")
    parser.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")
    parser.add_argument("--port", type=_port, default=FIRST_PORT, help="the first port to try (default: %(default)s)")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1024 to 65535")
    return int(text)


def _main(asked: argparse.Namespace) -> int:
    workspace = workspace_of()
    os.environ.update(env := surroundings(os.environ, _launchers()))
    for name in os.environ.keys() - env.keys():
        del os.environ[name]
    seat = Seat(jupyter_folder(), workspace)
    if not seat.take():
        running = seat.holder()
        print("The lab is running already.", file=sys.stderr)
        _show(running, browser=not asked.no_browser)
        return 0
    for sentence in lay_out(workspace=workspace):
        print(sentence, file=sys.stderr)
    workspace.mkdir(exist_ok=True)
    os.chdir(workspace)  # terminals open there
    server = _server(workspace, asked.port)
    server.io_loop.add_callback(lambda: _ready(server, seat, browser=not asked.no_browser))
    _stop_on_signals(server)
    server.start()
    _stop_training()
    _tell_what_stays()
    return 0


def _launchers() -> Path:
    from labsupport.cli import launchers

    return launchers.folder()


def _config(workspace: Path, port: int) -> Config:
    from traitlets.config import Config

    first = f"/lab/tree/{FIRST_PAGE}" if (workspace / FIRST_PAGE).exists() else "/lab"
    config = Config()
    config.ServerApp.update(
        {
            "ip": "127.0.0.1",
            "port": port,
            "root_dir": str(workspace),
            "default_url": first,
            "open_browser": False,  # `_show` does it, in both kinds of start
            "answer_yes": True,  # one Ctrl-C, without a question
            "allow_root": os.geteuid() == 0,
        }
    )
    config.Application.log_level = "WARN"
    config.KernelManager.transport_encryption = "auto"  # other users of this machine cannot listen to a kernel's ports
    if bash := shutil.which("bash"):
        config.ServerApp.terminado_settings = {"shell_command": [bash, "--rcfile", str(SHELL / "bashrc"), "-i"]}
    # Made anew for each run and handed over in memory: never on a command line, never in the environment of a kernel.
    config.IdentityProvider.token = secrets.token_hex(24)
    config.LanguageServerManager.autodetect = False  # else each start searches this machine for language servers
    config.KernelSpecManager.allowed_kernelspecs = {"python3"}
    config.LabApp.update(
        {
            "app_settings_dir": str(SETTINGS),
            "default_url": first,
            "news_url": None,
            "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
            "extension_manager": "readonly",
        }
    )
    return config


def _server(workspace: Path, port: int) -> ServerApp:
    import jupyter_core.paths
    from jupyterlab.labapp import LabApp  # type: ignore[import-untyped]

    # Kernels and settings of the whole machine are no more ours than the user's own.
    jupyter_core.paths.SYSTEM_JUPYTER_PATH.clear()
    jupyter_core.paths.SYSTEM_CONFIG_PATH.clear()
    server: ServerApp = LabApp.initialize_server(argv=[], config=_config(workspace, port))
    for handler in server.log.handlers:  # said at each kernel of any Jupyter, about a setting of its own
        handler.addFilter(lambda record: "websocket_ping_timeout" not in record.getMessage())
    return server


def _stop_on_signals(server: ServerApp) -> None:
    """Jupyter cleans up after Ctrl-C at a terminal only; here one signal ends everything, with or without a terminal.

    A second one ends this process at once; kernels and supervisors watch their parents and end by themselves.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(*_: object) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)
        server.stop(from_signal=True)

    for number in signals:
        signal.signal(number, stop)


def _ready(server: ServerApp, seat: Seat, *, browser: bool) -> None:
    """Called in the server's loop: it answers from now on."""
    token = str(server.identity_provider.token)
    running = Running(
        pid=os.getpid(),
        port=server.port,
        token=token,
        url=f"http://127.0.0.1:{server.port}{server.default_url}?token={token}",
        page=server.browser_open_file,
    )
    seat.announce(running)
    _show(running, browser=browser)
    server.io_loop.run_in_executor(None, _train)
    print("Press Ctrl-C once to stop it, with its kernels and their clusters.", file=sys.stderr)


def _train() -> None:
    """Have the start-up caches made while the learner reads, so that already the first cluster starts quickly."""
    from labsupport.provision import KAFKA_VERSIONS, train_in_background

    for version in KAFKA_VERSIONS:
        train_in_background(version)


def _stop_training() -> None:
    """What of the training is not done now is done in a later session."""
    import psutil

    trainers = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "labsupport.provision.train" in child.cmdline():
                child.terminate()
                trainers.append(child)
    psutil.wait_procs(trainers, timeout=TRAINING_ENDS_S)


def _show(running: Running, *, browser: bool) -> None:
    print(f"The lab is at {running.url}", flush=True)
    if browser and "microsoft" not in os.uname().release.lower():  # a browser of Windows cannot read the page in WSL
        import webbrowser

        webbrowser.open(Path(running.page).as_uri())  # a file, so that the token is on no command line


def _tell_what_stays() -> None:
    """Wait until the clusters of the kernels are gone, and name those of `kafka-lab up`, which go on."""
    from labsupport.cluster import registry

    def orphans() -> list[str]:
        return [r["name"] for r in registry.running() if r["owner_pid"] and not _is_alive(r["owner_pid"])]

    try:
        wait_until(lambda: not orphans(), CLUSTERS_END_S, because="the clusters of the notebooks to end")
    except WaitTimeout:
        print(f"Still ending: {', '.join(orphans())}. `kafka-lab status` shows them.", file=sys.stderr)
    staying = [record["name"] for record in registry.running() if not record["owner_pid"]]
    if staying:
        names = ", ".join(staying)
        print(f"The lab has ended. Still running, as you started them with `kafka-lab up`: {names}.", file=sys.stderr)
    else:
        print("The lab has ended, with its kernels and their clusters.", file=sys.stderr)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
