"""The learner's copy of the pages: laid out without outputs, kept when edited, and put aside before it is replaced.

A page counts as edited when the text or the kind of a cell differs from what was laid out; outputs made by running it
do not count. What was laid out is remembered in `.kafka-lab.json` in the workspace.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from labsupport.core.errors import BadInput, LabError
from labsupport.core.folders import state_folder

REMEMBERED = ".kafka-lab.json"
SAVED = "saved"
VERSION = 1
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
KEPT_CELL_METADATA = ("tags", "slideshow", "jupyter", "editable", "deletable")
PROGRESS = ("predictions*.json", "progress*.json")
# Links between pages, as they are in the repository and as they are in the workspace.
LINKS = (
    (re.compile(r"\]\(\.\./labs/([^/)]+)/lab\.ipynb"), r"](labs/\1.ipynb"),
    (re.compile(r"\]\(\.\./\.\./notebooks/"), "](../"),
)


def repository() -> Path:
    """The checkout that this package runs from."""
    return Path(__file__).resolve().parents[2]


def workspace_of(repo: Path | None = None) -> Path:
    """Where the learner works: `workspace/` in the checkout."""
    return (repo or repository()) / "workspace"


@dataclass(frozen=True, kw_only=True)
class _Laid:
    """What was laid out under a name: the SHA-256 of the shipped file, and of the text of what was laid out."""

    shipped: str
    text: str


def lay_out(repo: Path | None = None, workspace: Path | None = None) -> list[str]:
    """Bring the workspace up to the pages of `repo`; returns sentences for the learner (none if all went smoothly).

    Pages that were not edited follow; edited ones are kept. Raises `LabError` when the workspace cannot be written.
    """
    workspace = workspace or workspace_of(repo)
    shipped = _shipped(repo or repository())
    with _readable(workspace):
        remembered = _remembered(workspace)
        laid = dict(remembered)
        kept = [name for name, path in shipped.items() if not _follow(name, path, workspace, laid)]
        _drop_withdrawn(set(remembered) - set(shipped), workspace, laid)
        if laid != remembered:
            _remember(workspace, laid)
    if not kept:
        return []
    one = len(kept) == 1
    return [
        f"{', '.join(kept)} {'has' if one else 'have'} been updated since you edited {'it' if one else 'them'}; "
        f"your {'copy is' if one else 'copies are'} kept. "
        f"`kafka-lab restore {Path(kept[0]).stem if one else 'NAME'}` takes the new page and saves yours first."
    ]


def restore(name: str, repo: Path | None = None, workspace: Path | None = None) -> Path | None:
    """Lay out one page anew; returns where the learner's copy was put, or None if there was none.

    `name` may leave out `.ipynb`, and the folder of a lab. Raises `BadInput` when there is no such page, `LabError`
    when it cannot be written.
    """
    workspace = workspace or workspace_of(repo)
    shipped = _shipped(repo or repository())
    pages = sorted(page for page in shipped if page.endswith(".ipynb"))
    page = next((page for page in pages if name in (page, page[:-6], Path(page).stem)), None)
    if page is None:
        raise BadInput(
            f"There is no page {name!r}.", fix=f"There are: {', '.join(p[:-6] for p in pages) or 'none yet'}."
        )
    with _readable(workspace):
        saved = _put_aside(workspace / page, workspace / SAVED)
        laid = _remembered(workspace)
        laid[page] = _write_page(shipped[page], workspace / page)
        _remember(workspace, laid)
    return saved


def reset(repo: Path | None = None, workspace: Path | None = None) -> Path:
    """Move the workspace and the progress into a dated folder, lay out the pages anew, and return that folder.

    The caller stops the clusters first. Raises `LabError` when something cannot be moved; nothing is lost then.
    """
    workspace = workspace or workspace_of(repo)
    with _readable(workspace):
        shelf = state_folder() / "put-aside"
        shelf.mkdir(exist_ok=True)
        aside = _free_name(shelf / datetime.now().strftime("%Y-%m-%d-%H%M%S"))
        aside.mkdir()
        if workspace.exists():
            shutil.move(workspace, aside / "workspace")
        for pattern in PROGRESS:
            for file in state_folder().glob(pattern):
                shutil.move(file, aside / file.name)
    lay_out(repo, workspace)
    return aside


# --- Pages ----------------------------------------------------------------------------------------------------------


def _shipped(repo: Path) -> dict[str, Path]:
    """The files of the workspace by their names there. Of a lab that is the page alone: the solution is not for it."""
    pages, labs = repo / "notebooks", repo / "labs"
    found = {str(path.relative_to(pages)): path for path in sorted(pages.rglob("*")) if _is_shipped(path, pages)}
    return found | {f"labs/{path.parent.name}.ipynb": path for path in sorted(labs.glob("*/lab.ipynb"))}


def _is_shipped(path: Path, source: Path) -> bool:
    parts = path.relative_to(source).parts
    return path.is_file() and not any(part.startswith((".", "__pycache__")) for part in parts)


def _follow(name: str, shipped: Path, workspace: Path, laid: dict[str, _Laid]) -> bool:
    """Lay out or update one file; False if it is to be left because the learner has edited it."""
    here, before = workspace / name, laid.get(name)
    digest = _sha256(shipped.read_bytes())
    if here.exists():
        if before is not None and before.shipped == digest:
            return True
        text = _text(here.read_bytes())
        if before is None or text != before.text:
            fresh = _text(_fresh(shipped))
            if text != fresh:
                return False
            laid[name] = _Laid(shipped=digest, text=fresh)
            return True
    laid[name] = _write_page(shipped, here)
    return True


def _drop_withdrawn(names: set[str], workspace: Path, laid: dict[str, _Laid]) -> None:
    """Remove pages that are no longer shipped, if they were not edited."""
    for name in names:
        here = workspace / name
        if here.is_file() and _text(here.read_bytes()) == laid[name].text:
            here.unlink()
        del laid[name]


def _write_page(shipped: Path, here: Path) -> _Laid:
    content = _fresh(shipped)
    here.parent.mkdir(parents=True, exist_ok=True)
    _write(here, content)
    if here.suffix == ".ipynb":
        _sign(content)
    return _Laid(shipped=_sha256(shipped.read_bytes()), text=_text(content))


def _fresh(shipped: Path) -> bytes:
    """The page as a learner gets it: no outputs, no counts, no metadata of somebody's run; other files as they are."""
    content = shipped.read_bytes()
    if shipped.suffix != ".ipynb":
        return content
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        metadata = cell.get("metadata", {})
        cell["metadata"] = {key: metadata[key] for key in KEPT_CELL_METADATA if key in metadata}
        cell["metadata"].get("jupyter", {}).pop("outputs_hidden", None)
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
        else:
            cell["source"] = _linked("".join(cell["source"])).splitlines(keepends=True)
    notebook["metadata"] = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _linked(prose: str) -> str:
    """With links that lead from page to page in the workspace."""
    for here, there in LINKS:
        prose = here.sub(there, prose)
    return prose


def _text(content: bytes) -> str:
    """A hash of what the learner can edit: kind and text of each cell. What is not a notebook counts whole."""
    try:
        cells = json.loads(content)["cells"]
        edited = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (ValueError, KeyError, TypeError):
        return _sha256(content)
    return _sha256(json.dumps(edited).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def jupyter_data() -> Path:
    """JupyterLab's private data folder: signatures are kept there, and never in the user's own."""
    return state_folder() / "jupyter" / "data"


def _sign(content: bytes) -> None:
    """Trust the page, as `jupyter trust` does; without that JupyterLab strips the HTML of its outputs."""
    import nbformat
    from nbformat.sign import NotebookNotary

    folder = jupyter_data()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    notary = NotebookNotary(data_dir=str(folder))  # type: ignore[no-untyped-call]
    notary.sign(nbformat.reads(content.decode(), as_version=4))  # type: ignore[no-untyped-call]
    notary.store.close()


# --- Files ----------------------------------------------------------------------------------------------------------


def _remembered(workspace: Path) -> dict[str, _Laid]:
    """What was laid out; nothing if that is not known, and then each page that differs counts as edited."""
    try:
        content: Any = json.loads((workspace / REMEMBERED).read_text())
        return {name: _Laid(**row) for name, row in content["pages"].items() if content["version"] == VERSION}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _remember(workspace: Path, laid: dict[str, _Laid]) -> None:
    pages = {name: {"shipped": row.shipped, "text": row.text} for name, row in sorted(laid.items())}
    workspace.mkdir(parents=True, exist_ok=True)
    _write(workspace / REMEMBERED, json.dumps({"version": VERSION, "pages": pages}, indent=1).encode())


def _write(path: Path, content: bytes) -> None:
    """Replace `path` whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".kafka-lab-")
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _put_aside(path: Path, folder: Path) -> Path | None:
    if not path.exists():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    aside = _free_name(folder / f"{path.stem}-{datetime.now():%Y-%m-%d-%H%M%S}{path.suffix}")
    shutil.copy2(path, aside)
    return aside


def _free_name(path: Path) -> Path:
    """`path`, or with a number if two are put aside in one second."""
    free, number = path, 2
    while free.exists():
        free, number = path.with_stem(f"{path.stem}-{number}"), number + 1
    return free


@contextlib.contextmanager
def _readable(workspace: Path) -> Iterator[None]:
    """Turn trouble with the disk into one sentence."""
    try:
        yield
    except OSError as error:
        raise LabError(
            f"Your copy of the pages cannot be written: {error.strerror} ({error.filename or workspace}).",
            fix="Free some space or make the folder writable, then start again; nothing is lost.",
        ) from error
