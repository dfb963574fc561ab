"""`make lab` once everything is there: one address, this machine only, and one Ctrl-C that ends all of it."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labsupport.core.folders import cache_folder
from tests.setup.checkout import Checkout, Lab


@pytest.fixture
def lab(ready: Checkout) -> Iterator[Lab]:
    """A lab that answers."""
    opened = ready.open_lab()
    yield opened
    opened.end()


@pytest.fixture(scope="class")
def running(ready: Checkout) -> Iterator[Lab]:
    """The same, for all tests of a class."""
    opened = ready.open_lab()
    yield opened
    opened.end()


def processes(lab: Lab) -> list[psutil.Process]:
    """`make` and all that it started: kernels, terminals, the trainer of start-up caches."""
    return [psutil.Process(lab.pid), *psutil.Process(lab.pid).children(recursive=True)]


def listening(lab: Lab) -> list[str]:
    """The addresses on which the server and its kernels listen."""
    return [
        connection.laddr.ip
        for process in processes(lab)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]


class TestWhatIsOnlyLookedAt:
    """One lab for all of these."""

    def test_one_line_has_the_address_and_it_answers(self, running: Lab) -> None:
        """With its token: HTTP 200, on the first page."""
        lines = running.output.read_text().splitlines()
        assert len(lines) == 1 and len(running.urls) == 1
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/lab/tree/00-start-here\.ipynb\?token=\w{48}", running.urls[0])
        with urllib.request.urlopen(running.urls[0]) as page:
            assert page.status == 200

    def test_nobody_gets_in_without_the_token(self, running: Lab) -> None:
        """Not another user of this machine."""
        base = running.urls[0].split("/lab")[0]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(base + "/api/contents")

    def test_it_listens_on_loopback_only(self, running: Lab) -> None:
        """The server and its kernels."""
        running.get("/api/kernels", b"{}")
        running.wait_for(lambda: len(listening(running)) > 1)
        assert set(listening(running)) <= {"127.0.0.1", "::1"}

    def test_the_token_is_on_no_command_line_and_in_no_environment(self, running: Lab) -> None:
        """Others may read the one, and every program of the learner the other."""
        running.get("/api/kernels", b"{}")
        running.get("/api/terminals", b"")
        token = running.urls[0].split("token=")[1]
        family = processes(running)
        assert len(family) >= 4
        for process in family:
            assert token not in " ".join(process.cmdline())
            assert token not in process.environ().values()

    def test_a_second_start_tells_where_the_first_one_is(self, running: Lab, ready: Checkout) -> None:
        """Exit code 0, the same address, no second server."""
        done = ready.make("lab", "ARGS=--no-browser")
        assert done.returncode == 0
        assert re.findall(r"http\S+", done.stdout) == running.urls
        assert done.stderr == "The lab is running already.\n"


def test_one_ctrl_c_ends_server_kernels_and_terminals(lab: Lab) -> None:
    """Without a question, also while a cell runs, and nothing of it is left."""
    kernels = [lab.kernel(), lab.kernel()]
    assert [kernel.run("1 + 1") for kernel in kernels] == ["2", "2"]
    lab.get("/api/terminals", b"")
    family = processes(lab)
    assert sum("ipykernel_launcher" in " ".join(process.cmdline()) for process in family) == 2
    lab.press_ctrl_c()
    lab.wait_for_end()
    assert psutil.wait_procs(family, timeout=60)[1] == []
    assert "[y/n]" not in lab.said().lower() and "Traceback" not in lab.said()
    assert lab.said().splitlines()[-1] == "The lab has ended, with its kernels and their clusters."


def test_clusters_of_notebooks_end_and_those_of_the_command_line_stay_and_are_named(lab: Lab) -> None:
    """Both are seen by a shell cell; the last line names the one that goes on."""
    kernel = lab.kernel()
    up = kernel.run("%%bash\nkafka-lab up by-hand --brokers 1 --coordination kraft --json")
    address = json.loads(up)["bootstrap_servers"]
    assert kernel.run("%%bash\necho $BOOTSTRAP") == f"{address}\n"
    try:
        kernel.run("from labsupport import Cluster\ncluster = Cluster.start(brokers=1, name='taught')")
        nodes = json.loads(kernel.run("%%bash\nkafka-lab status --json"))
        assert {"by-hand", "taught"} <= set(re.findall(r"by-hand|taught", json.dumps(nodes)))
        lab.press_ctrl_c()
        lab.wait_for_end()
        assert lab.said().splitlines()[-1].endswith("as you started them with `kafka-lab up`: by-hand.")
        assert lab.clusters() == ["by-hand"]
    finally:
        lab.kafka_lab("down", "--all")
    assert lab.clusters() == []


def test_the_users_own_jupyter_is_neither_used_nor_changed(ready: Checkout, elsewhere: Path) -> None:
    """A setting of theirs that would break the lab, and a kernel of theirs."""
    home = elsewhere / "home"
    (home / ".jupyter").mkdir(parents=True)
    (home / ".jupyter" / "jupyter_server_config.py").write_text("raise SystemExit('the user\\'s settings were read')")
    kernel = home / ".local" / "share" / "jupyter" / "kernels" / "mine"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["true"], "display_name": "mine", "language": "python"}')
    before = sorted(home.rglob("*"))
    opened = ready.open_lab(HOME=str(home), JUPYTER_TOKEN="guess", JUPYTER_CONFIG_DIR=str(home / ".jupyter"))
    try:
        assert list(opened.get("/api/kernelspecs")["kernelspecs"]) == ["python3"]
        assert "token=guess" not in opened.urls[0]
    finally:
        opened.press_ctrl_c()
        opened.wait_for_end()
        opened.end()
    assert [path for path in sorted(home.rglob("*")) if ".cache" not in path.parts] == before


def test_the_training_of_start_up_caches_ends_with_it(ready: Checkout, elsewhere: Path) -> None:
    """On empty caches it would go on for a minute."""
    jars = elsewhere / "cache"
    jars.mkdir()
    for name in ("jars", "web", "data"):
        (jars / name).symlink_to(cache_folder() / name)
    opened = ready.open_lab(KAFKA_LAB_CACHE=str(jars))
    try:
        opened.wait_for(lambda: any("labsupport.provision.train" in " ".join(p.cmdline()) for p in processes(opened)))
        family = processes(opened)
        opened.press_ctrl_c()
        opened.wait_for_end()
        assert psutil.wait_procs(family, timeout=60)[1] == []
        assert not list((jars / "aot").glob("training-*-*"))
    finally:
        opened.end()


def test_a_taken_port_is_no_error(ready: Checkout) -> None:
    """The next free one is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        opened = ready.open_lab(f"--no-browser --port {port}")
        try:
            assert not opened.urls[0].startswith(f"http://127.0.0.1:{port}/")
            assert opened.get("/api/status")["started"]
        finally:
            opened.press_ctrl_c()
            opened.wait_for_end()
            opened.end()
