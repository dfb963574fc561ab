"""A folder of small sh scripts, `kafka-topics.sh` and all the others, so that Kafka's documentation works as printed.

Each hands its arguments unchanged to `kafka-lab tool --as-script`. The folder is keyed by its content: another Python
or another checkout gets another folder, and two programs that make it at once make the same.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from labsupport.core.errors import LabError
from labsupport.core.folders import cache_folder, runtime_folder

_SCRIPT = """#!/bin/sh
# Made by kafka-lab; made anew when it is missing.
exec {python} -P {program} {arguments}"$@"
"""
_PROGRAM = """# Made by kafka-lab: the command line, wherever the reader's folder is.
import sys

sys.path.append({root!r})
from labsupport.cli import main

sys.exit(main())
"""
_PROGRAM_NAME = "kafka_lab.py"


def folder() -> Path:
    """The folder for PATH; made if it is not there. Raises `LabError` when neither cache nor runtime folder will do."""
    try:
        return _made_in(cache_folder() / "launchers")
    except (OSError, LabError):  # a read-only cache or home: a folder that is gone after the session will do
        return _made_in(runtime_folder() / "launchers")


def _made_in(base: Path) -> Path:
    root = str(Path(__file__).resolve().parents[2])
    key = hashlib.sha256("\0".join([_SCRIPT, _PROGRAM, sys.executable, root, *_scripts()]).encode()).hexdigest()[:16]
    final = base / key
    if not final.is_dir():
        base.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=base))
        try:
            _fill(part, final, root)
            part.rename(final)
        except OSError:
            shutil.rmtree(part, ignore_errors=True)
            if not final.is_dir():  # another program was quicker: its folder is as good
                raise
    return final


def _fill(part: Path, final: Path, root: str) -> None:
    part.chmod(0o755)
    (part / _PROGRAM_NAME).write_text(_PROGRAM.format(root=root), encoding="utf-8")
    python, program = shlex.quote(sys.executable), shlex.quote(str(final / _PROGRAM_NAME))
    contents = {name: f"tool --as-script {name} " for name in _scripts()} | {"kafka-lab": ""}
    for name, arguments in contents.items():
        script = part / name
        script.write_text(_SCRIPT.format(python=python, program=program, arguments=arguments), encoding="utf-8")
        script.chmod(0o755)


def _scripts() -> list[str]:
    from labsupport.provision.tools import TOOLS, script_name

    return sorted({script_name(name) for tools in TOOLS.values() for name in tools})
