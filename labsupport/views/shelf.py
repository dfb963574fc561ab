"""Which recording is meant: by its file, by its cluster's name, or the newest."""

from __future__ import annotations

from pathlib import Path

from labsupport.core.errors import BadInput
from labsupport.core.escape import printable


def find(source: str | None) -> Path:
    """The file of a recording. `source` is a file, the name of a cluster, or None for the newest of all.

    Raises `BadInput` when there is none.
    """
    from labsupport.observe import Recording, recordings_folder

    if source is not None and Path(source).is_file():
        return Path(source)
    folder = recordings_folder()
    newest_first = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    if source is None:
        found = newest_first[:1]
    else:
        near = [path for path in newest_first if path.name.startswith(source[:80])]
        found = [path for path in near if Recording.load(path).header.cluster.name == source][:1]
    if not found:
        what = (
            "no recording yet" if source is None else f"no recording of {printable(source, limit=60)}, and no such file"
        )
        raise BadInput(f"There is {what}.", fix="`kafka-lab status` names the running clusters; each is recorded.")
    return found[0]
