"""`tools/setup_lab.py` as a module, on a checkout of its own."""

from __future__ import annotations

import importlib.util
import types
from pathlib import Path

ROOT = Path(__file__).parents[3]


def setup_lab(root: Path) -> types.ModuleType:
    """A fresh copy of the module that believes to be in `root`, where the locks and pyproject.toml are laid."""
    spec = importlib.util.spec_from_file_location("setup_lab", ROOT / "tools" / "setup_lab.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    provision = root / "labsupport" / "provision"
    provision.mkdir(parents=True)
    (provision / "artifacts.json").write_text("[]")
    module.ROOT, module.VENV = root, root / ".venv"
    module.PYTHON, module.UV = module.VENV / "bin" / "python", module.VENV / "bin" / "uv"
    module.STAMP = module.VENV / "kafka-lab.json"
    module.LOCKS = {"lab": root / "requirements.lock", "dev": root / "requirements-dev.lock"}
    module.PROVISION_LOCKS = provision
    module.KERNEL_SETTINGS = root / "labsupport" / "jupyter" / "ipython_kernel_config.json"
    module.KERNEL_SETTINGS.parent.mkdir()
    module.KERNEL_SETTINGS.write_text("{}")
    return module
