"""Set-up before anything is installed: what counts as ready, and what is said when something is in the way."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import types
from pathlib import Path

import pytest

from .loaded import setup_lab


@pytest.fixture
def module(tmp_path: Path) -> types.ModuleType:
    """The module in a checkout of its own, without an environment."""
    return setup_lab(tmp_path)


@pytest.fixture
def ready(module: types.ModuleType) -> types.ModuleType:
    """The same, with everything stamped as ready."""
    module.VENV.mkdir()
    module.write_stamp(lab=module.packages_key("lab"), provision=module.provision_key())
    return module


class TestTheStamp:
    def test_nothing_is_ready_at_first(self, module: types.ModuleType) -> None:
        """No stamp, nothing done."""
        assert not module.is_stamped("lab")

    def test_what_is_stamped_is_ready_and_nothing_else(self, ready: types.ModuleType) -> None:
        """The maintainers' packages have a key of their own."""
        assert ready.is_stamped("lab")
        assert not ready.is_stamped("dev")

    def test_a_ready_start_does_nothing(self, ready: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """No check, no lock, no program: `set_up` returns at once."""
        for step in ("check_machine", "only_one", "run", "make_environment"):
            monkeypatch.delattr(ready, step)
        ready.set_up("lab")

    @pytest.mark.parametrize(
        "changed",
        [
            "requirements.lock",
            "pyproject.toml",
            "labsupport/provision/artifacts.json",
            "labsupport/jupyter/ipython_kernel_config.json",
        ],
    )
    def test_a_changed_lock_is_noticed(self, ready: types.ModuleType, changed: str) -> None:
        """By content, not by time."""
        (ready.ROOT / changed).write_text((ready.ROOT / changed).read_text() + "\n")
        assert not ready.is_stamped("lab")

    def test_packages_alone_can_be_asked_for(self, module: types.ModuleType) -> None:
        """`make lint` needs no Kafka."""
        module.VENV.mkdir()
        module.write_stamp(lab=module.packages_key("lab"))
        assert module.is_stamped("lab", provision=False)
        assert not module.is_stamped("lab")

    @pytest.mark.parametrize("field", ["root", "python"])
    def test_another_place_or_another_python_is_not_ready(self, ready: types.ModuleType, field: str) -> None:
        """An environment has absolute paths and compiled packages."""
        ready.write_stamp(**{field: "another"})
        assert not ready.is_stamped("lab")

    @pytest.mark.parametrize("content", ["", "{", "[]", "null", '"x"'])
    def test_a_torn_stamp_counts_as_none(self, ready: types.ModuleType, content: str) -> None:
        """A full disk or a crash must not stop later starts."""
        ready.STAMP.write_text(content)
        assert not ready.is_stamped("lab")

    def test_the_stamp_is_replaced_whole(self, ready: types.ModuleType) -> None:
        """Nothing of the writing stays beside it."""
        assert [path.name for path in ready.VENV.iterdir()] == ["kafka-lab.json"]
        assert json.loads(ready.STAMP.read_text())["root"] == str(ready.ROOT)


class TestTheEnvironment:
    @pytest.fixture
    def made(self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
        """The commands that would have been run."""
        commands: list[list[str]] = []

        def run(_what: str, command: list[object], **_options: object) -> None:
            commands.append([str(part) for part in command])
            module.VENV.mkdir(exist_ok=True)

        monkeypatch.setattr(module, "run", run)
        monkeypatch.setattr(module, "need_venv_module", lambda: None)
        return commands

    @pytest.mark.parametrize(("field", "said"), [("root", "was moved"), ("python", "Python changed")])
    def test_a_foreign_one_is_made_anew_and_that_is_said(
        self,
        ready: types.ModuleType,
        made: list[list[str]],
        capsys: pytest.CaptureFixture[str],
        field: str,
        said: str,
    ) -> None:
        """In one sentence."""
        ready.write_stamp(**{field: "another"})
        (ready.VENV / "old").touch()
        ready.make_environment()
        assert not (ready.VENV / "old").exists()
        assert made[0][1:4] == ["-E", "-m", "venv"]
        assert said in capsys.readouterr().err

    def test_a_half_made_one_is_made_anew(self, module: types.ModuleType, made: list[list[str]]) -> None:
        """An interrupted start left a folder without the pinned uv."""
        (module.VENV / "bin").mkdir(parents=True)
        module.make_environment()
        assert "venv" in made[0]

    def test_a_link_is_taken_away_and_its_target_is_not(
        self, module: types.ModuleType, made: list[list[str]], tmp_path: Path
    ) -> None:
        """`.venv` may be somebody's link to a shared environment."""
        (tmp_path / "shared").mkdir()
        module.VENV.symlink_to(tmp_path / "shared")
        module.make_environment()
        assert (tmp_path / "shared").is_dir() and not module.VENV.is_symlink()

    def test_uv_is_fetched_by_the_hashes_of_the_lock(
        self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """pip gets one pinned requirement, with all its hashes and nothing else."""
        given: list[str] = []
        monkeypatch.setattr(module, "run", lambda _what, command: given.append(Path(command[-1]).read_text()))
        module.install_uv()
        assert given[0].startswith("uv==")
        assert given[0].count("--hash=sha256:") > 10 and given[0].count("==") == 1


class TestWhatIsInTheWay:
    def test_too_little_disk_names_need_and_have(
        self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Before anything is begun."""
        monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(1, 1, 100 * 2**20))
        assert module.main(["ready"]) == 1
        assert "needs 1300 MB of free disk space" in (said := capsys.readouterr().err) and "has 100 MB" in said
        assert not module.VENV.exists()

    def test_a_folder_that_cannot_be_written(
        self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One sentence, with the remedy."""

        def refuse(**_options: object) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

        monkeypatch.setattr(module.tempfile, "TemporaryFile", refuse)
        assert module.main(["ready"]) == 1
        assert capsys.readouterr().err.startswith("kafka-lab: Nothing can be written to ")

    def test_little_memory_is_a_warning(
        self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Set-up goes on."""
        monkeypatch.setattr(module.os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096}.get(name, 2**19))
        monkeypatch.setitem(module.NEED_MB, "lab", 0)
        module.check_machine("lab")
        assert "Warning: this machine has 2.0 GB of memory" in capsys.readouterr().err

    def test_no_venv_module_and_no_right_to_install_it(
        self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The exact command is named."""
        monkeypatch.setattr(module.subprocess, "run", lambda *_a, **_k: subprocess.CompletedProcess([], 1))
        monkeypatch.setattr(module, "may_use_apt", lambda: False)
        monkeypatch.setitem(module.NEED_MB, "lab", 0)
        assert module.main(["ready"]) == 1
        said = capsys.readouterr().err
        assert f"`sudo apt-get install python3.{module.sys.version_info[1]}-venv`" in said

    def test_no_venv_module_is_installed_where_that_is_allowed(
        self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Root on Debian: the package of this very Python."""
        installed: list[str] = []
        monkeypatch.setattr(
            module.subprocess, "run", lambda *_a, **_k: subprocess.CompletedProcess([], 0 if installed else 1)
        )
        monkeypatch.setattr(module, "may_use_apt", lambda: True)
        monkeypatch.setattr(module, "apt_install", installed.extend)
        module.need_venv_module()
        assert installed == [f"python3.{module.sys.version_info[1]}-venv"]

    @pytest.mark.parametrize(
        ("output", "cause"),
        [
            ("error: No space left on device (os error 28)", "the disk is full"),
            ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "its SHA-256 differs"),
            ("× Failed to download `x==1`\n ├─▶ Hash mismatch for `x==1`", "its SHA-256 differs"),
            (
                "NewConnectionError: [Errno -3] Temporary failure in name resolution",
                "cannot be reached",
            ),
            ("error: Request failed after 3 retries\n Caused by: dns error", "cannot be reached"),
            ("invalid peer certificate: UnknownIssuer", "TLS certificate"),
            ("something else\nat the end\n\n", "it said: at the end"),
            ("", "it said: nothing"),
        ],
    )
    def test_the_cause_is_named(self, module: types.ModuleType, output: str, cause: str) -> None:
        """From what pip and uv say."""
        assert cause in module.cause_of(output)[0]

    def test_a_failing_program_is_one_sentence(
        self, module: types.ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No traceback, exit code 1."""
        monkeypatch.setitem(
            module.COMMANDS, "lab", lambda _: module.run("Fetching", ["sh", "-c", "echo Hash mismatch; exit 3"])
        )
        assert module.main(["lab"]) == 1
        assert capsys.readouterr().err.splitlines()[0].startswith("kafka-lab: Fetching failed: a package is not what")

    def test_a_full_disk_anywhere_is_one_sentence(
        self, module: types.ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where no step expected it."""

        def full(_arguments: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device", "x")

        monkeypatch.setitem(module.COMMANDS, "lab", full)
        assert module.main(["lab"]) == 1
        assert "the disk is full" in capsys.readouterr().err

    def test_ctrl_c_is_no_failure_to_explain(
        self, module: types.ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Exit code 130, and what was done is kept."""
        monkeypatch.setitem(module.COMMANDS, "lab", lambda _: module.run("x", ["sh", "-c", "kill -INT $$"]))
        assert module.main(["lab"]) == 130
        assert "the next start goes on from it" in capsys.readouterr().err


class TestTheUsersEnvironment:
    def test_nothing_leads_packages_elsewhere(self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a user may have exported for other projects."""
        for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET"):
            monkeypatch.setenv(name, "/elsewhere")
        monkeypatch.setenv("PIP_USER", "1")
        environment = module.environment()
        assert "/elsewhere" not in environment.values()
        assert environment["PIP_USER"] == "0"

    def test_uv_uses_the_mirror_that_pip_knows(self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """Unless it has been told of one itself."""
        monkeypatch.setenv("PIP_INDEX_URL", "mirror")
        monkeypatch.delenv("UV_INDEX_URL", raising=False)
        monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
        assert module.environment()["UV_DEFAULT_INDEX"] == "mirror"
        monkeypatch.setenv("UV_DEFAULT_INDEX", "other")
        assert module.environment()["UV_DEFAULT_INDEX"] == "other"


class TestTheSuites:
    @pytest.fixture
    def whole(self, module: types.ModuleType) -> types.ModuleType:
        """A checkout with two suites of one test each."""
        for name in ("unit", "cluster"):
            (module.ROOT / "tests" / name).mkdir(parents=True)
            (module.ROOT / "tests" / name / "test_x.py").touch()
        return module

    def test_all_of_a_target_run_unless_some_are_named(self, whole: types.ModuleType) -> None:
        """Options and their words choose among them."""
        every = ["tests/unit", "tests/cluster"]
        assert whole.chosen(["unit", "cluster"], []) == every
        assert whole.chosen(["unit", "cluster"], ["-k", "workspace"]) == [*every, "-k", "workspace"]
        assert whole.chosen(["unit", "cluster"], ["-q", "tests/unit"]) == ["-q", "tests/unit"]

    def test_a_checkout_without_tests_is_said_to_be_one(self, whole: types.ModuleType) -> None:
        """pytest alone would run whatever it finds."""
        with pytest.raises(whole.SetupError, match="no test in tests/labs"):
            whole.chosen(["labs"], [])


def test_two_targets_at_once_install_a_package_once(module: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first, and looks again."""
    there: list[str] = []
    asked: list[str] = []

    def which(program: str) -> str | None:
        asked.append(program)
        return "/usr/bin/kcat" if len(asked) > 1 else None  # the other target has installed it while we waited

    monkeypatch.setattr(module.shutil, "which", which)
    monkeypatch.setattr(module, "may_use_apt", lambda: True)
    monkeypatch.setattr(module, "apt_install", there.extend)
    module.need_programs({"kcat": "kcat"})
    assert there == []
    asked.clear()
    monkeypatch.setattr(module.shutil, "which", lambda _program: None)
    module.need_programs({"kcat": "kcat"})
    assert there == ["kcat"]


def test_clean_leaves_the_learners_work(module: types.ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """The environment and caches go; the workspace stays, and that is said."""
    for folder in (".venv", ".ruff_cache", "workspace"):
        (module.ROOT / folder).mkdir()
        (module.ROOT / folder / "x").touch()
    assert module.main(["clean"]) == 0
    assert (module.ROOT / "workspace" / "x").exists()
    assert not (module.ROOT / ".venv").exists() and not (module.ROOT / ".ruff_cache").exists()
    assert "Your workspace, your progress" in capsys.readouterr().err
