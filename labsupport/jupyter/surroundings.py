"""The environment variables under which JupyterLab, its kernels and its terminals run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from labsupport.core.folders import runtime_folder, state_folder
from labsupport.teaching.workspace import jupyter_data

SHELL = Path(__file__).parent / "shell"
FOREIGN = ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_TOKEN", "JUPYTER_CONFIG", "JUPYTERLAB_DIR",
           "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_PORT", "PYTHONPATH", "PYTHONHOME",
           "PYTHONSTARTUP")  # fmt: skip


def jupyter_folder() -> Path:
    """Where JupyterLab keeps what is its own: the user's Jupyter settings neither matter nor change."""
    return state_folder() / "jupyter"


def surroundings(user: Mapping[str, str], launchers: Path | None = None) -> dict[str, str]:
    """`user`'s environment, less what would bring in another Jupyter's settings, with folders of our own.

    `launchers` (a folder of `kafka-*.sh`) and the programs of this Python come first on PATH. Makes the folders,
    private to the user. Raises `LabError` when that cannot be done.
    """
    env = {name: value for name, value in user.items() if name not in FOREIGN}
    folders = {
        "JUPYTER_CONFIG_DIR": jupyter_folder() / "config",
        "JUPYTER_DATA_DIR": jupyter_data(),
        "JUPYTER_RUNTIME_DIR": jupyter_folder() / "runtime",
        "IPYTHONDIR": state_folder() / "ipython",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    programs = [str(folder) for folder in (launchers, Path(sys.prefix) / "bin") if folder is not None]
    env |= {name: str(folder) for name, folder in folders.items()}
    env |= {
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else every kernel start prints a warning about frozen modules
        "KAFKA_LAB_PATH": os.pathsep.join(programs),
        "KAFKA_LAB_CLUSTERS": str(runtime_folder()),
        "PATH": os.pathsep.join([*programs, user.get("PATH", os.defpath)]),
        "BASH_ENV": str(SHELL / "environment.sh"),
        "BASH_SILENCE_DEPRECATION_WARNING": "1",
    }
    if user.get("BASH_ENV", env["BASH_ENV"]) != env["BASH_ENV"]:
        env["KAFKA_LAB_USER_BASH_ENV"] = user["BASH_ENV"]
    return env
