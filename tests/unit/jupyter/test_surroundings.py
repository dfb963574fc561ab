"""What JupyterLab, its kernels and its terminals find in their environment."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from labsupport.core.folders import runtime_folder, state_folder
from labsupport.jupyter.surroundings import SHELL, surroundings

BASH = shutil.which("bash") or "bash"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """State and runtime folders with a space in their path."""
    monkeypatch.setenv("KAFKA_LAB_STATE", str(tmp_path / "my state"))
    monkeypatch.setenv("KAFKA_LAB_RUNTIME", str(tmp_path / "my run"))


class TestFolders:
    def test_all_of_jupyters_folders_are_ours_and_private(self) -> None:
        """The user's own are neither used nor changed."""
        env = surroundings(
            {"PATH": "/bin", "JUPYTER_CONFIG_DIR": "/home/me/.jupyter", "IPYTHONDIR": "/home/me/.ipython"}
        )
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            folder = Path(env[name])
            assert folder.is_relative_to(state_folder())
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    @pytest.mark.parametrize(
        "name",
        ["JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_TOKEN", "JUPYTERLAB_DIR", "PYTHONPATH", "PYTHONSTARTUP"],
    )
    def test_no_other_settings_come_in(self, name: str) -> None:
        """By the variables that would bring them in."""
        assert name not in surroundings({"PATH": "/bin", name: "/elsewhere"})

    def test_the_users_other_variables_stay(self) -> None:
        """A proxy, a language, a Kubernetes context."""
        assert surroundings({"PATH": "/bin", "KUBECONFIG": "/home/me/k"})["KUBECONFIG"] == "/home/me/k"

    def test_launchers_and_this_python_come_first_on_the_path(self) -> None:
        """`kafka-topics.sh`, `kafka-lab` and `python` are those of the lab."""
        path = surroundings({"PATH": "/usr/bin"}, Path("/launchers"))["PATH"]
        assert path.split(os.pathsep) == ["/launchers", str(Path(sys.prefix) / "bin"), "/usr/bin"]


def cluster(name: str, address: str) -> None:
    """A cluster that is running, as the registry leaves it for shells."""
    (runtime_folder() / f"{name}.env").write_text(f"export BOOTSTRAP={address}\n")


def script(text: str, **more: str) -> str:
    """What a `%%bash` cell prints."""
    env = surroundings({"PATH": os.environ["PATH"], **more}, Path("/launchers"))
    run = subprocess.run([BASH], input=text, env=env, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    return run.stdout


def terminal(text: str, home: Path) -> str:
    """What a terminal of JupyterLab shows, at prompts that are empty."""
    env = surroundings({"PATH": os.environ["PATH"], "HOME": str(home)}, Path("/launchers"))
    command = [BASH, "--rcfile", str(SHELL / "bashrc"), "-i"]
    run = subprocess.run(
        command, input=text, env={**env, "PS1": ""}, capture_output=True, text=True, check=False, start_new_session=True
    )
    return run.stdout


class TestShellCells:
    def test_no_cluster_no_address(self) -> None:
        """`$BOOTSTRAP` is not set."""
        assert script('echo "${BOOTSTRAP-none}"') == "none\n"

    def test_one_cluster_is_the_one_that_is_meant(self) -> None:
        """Commands of Kafka's documentation work as printed."""
        cluster("a", "127.0.0.1:20001")
        assert script("echo $BOOTSTRAP") == "127.0.0.1:20001\n"

    def test_of_two_clusters_none_is_guessed(self) -> None:
        """`kafka-lab env NAME` says which."""
        cluster("a", "127.0.0.1:20001")
        cluster("b", "127.0.0.1:20002")
        assert script('echo "${BOOTSTRAP-none}"') == "none\n"

    def test_what_the_user_set_stays(self) -> None:
        """Another cluster, chosen before the lab was started."""
        cluster("a", "127.0.0.1:20001")
        assert script("echo $BOOTSTRAP", BOOTSTRAP="example:9092") == "example:9092\n"

    def test_the_path_is_mended_in_a_login_shell(self) -> None:
        """/etc/profile makes PATH anew."""
        assert script("PATH=/usr/bin:/bin; . $BASH_ENV; echo ${PATH%%:*}") == "/launchers\n"

    def test_the_users_own_bash_env_is_read_too(self, tmp_path: Path) -> None:
        """It may set up their tools."""
        (tmp_path / "mine").write_text("MINE=yes\n")
        assert script("echo $MINE", BASH_ENV=str(tmp_path / "mine")) == "yes\n"


class TestTerminals:
    def test_the_address_follows_clusters_that_come_and_go(self, tmp_path: Path) -> None:
        """At each prompt, without a new terminal."""
        come = f"echo 'export BOOTSTRAP=127.0.0.1:20009' > '{runtime_folder()}/a.env'"
        go = f"rm '{runtime_folder()}/a.env'"
        ask = 'echo "<${BOOTSTRAP-none}>"'
        shown = terminal("\n".join([ask, come, ask, go, ask, ""]), tmp_path)
        assert [line for line in shown.splitlines() if line.startswith("<")] == [
            "<none>",
            "<127.0.0.1:20009>",
            "<none>",
        ]

    @pytest.mark.parametrize("users", ["", "/home/me/config"])
    def test_kubectl_works_in_the_namespace_of_a_cluster_that_has_one(self, tmp_path: Path, users: str) -> None:
        """As long as it runs; before and afterwards the kubeconfig is the user's own, or none."""
        of_pods = f"export BOOTSTRAP=127.0.0.1:20009\nexport KUBECONFIG=/cluster/kubeconfig:{users}\n"
        (tmp_path / "a.env").write_text(of_pods)
        come, go = f"cp '{tmp_path}/a.env' '{runtime_folder()}'", f"rm '{runtime_folder()}/a.env'"
        begin = f"export KUBECONFIG={users}" if users else "unset KUBECONFIG"
        ask = 'echo "<${KUBECONFIG-none}>"'
        shown = terminal("\n".join([begin, ask, come, ask, ask, go, ask, ""]), tmp_path)
        own, there = f"<{users or 'none'}>", f"</cluster/kubeconfig:{users}>"
        assert [line for line in shown.splitlines() if line.startswith("<")] == [own, there, there, own]

    def test_the_users_bashrc_and_prompt_are_kept(self, tmp_path: Path) -> None:
        """Aliases, and what they have their shell do at each prompt."""
        (tmp_path / ".bashrc").write_text("PATH=/usr/bin:/bin\nPROMPT_COMMAND='AT_PROMPT=yes'\nMINE=yes\n")
        shown = terminal('echo "$MINE $AT_PROMPT ${PATH%%:*}"\n', tmp_path)
        assert "yes yes /launchers" in shown.splitlines()

    @pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
    def test_no_process_is_started_for_it(self, tmp_path: Path) -> None:
        """A prompt must not become slow."""
        trace = tmp_path / "trace"
        env = surroundings({"PATH": os.environ["PATH"]})
        subprocess.run(
            ["strace", "-f", "-e", "execve,fork,vfork,clone", "-o", trace, BASH, "-c", ":"], env=env, check=True
        )
        assert trace.read_text().count("execve(") == 1
