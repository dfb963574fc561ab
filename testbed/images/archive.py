"""Writes archives that `docker load`, `kind load image-archive` and containerd's import read ("docker save" format).

Equal inputs give equal bytes: no times, no owners' names. The format: the image specification v1.2 of Moby.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Text:
    """A file of this content."""

    content: str


@dataclass(frozen=True)
class Link:
    """A symbolic link to `target`."""

    target: str


#: Path in the image -> a file of this machine (its x bit counts), a text or a link. Folders above come by themselves,
#: so no path may lead through a symbolic link of a lower layer (`/sbin` of Debian): the folder would replace it.
Files = Mapping[str, Path | Text | Link]


@dataclass(frozen=True, kw_only=True)
class Image:
    """What one image is. A layer is the path of a tar, or its files."""

    tags: tuple[str, ...]
    layers: tuple[Path | Files, ...]
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    env: tuple[str, ...] = (SEARCH_PATH,)
    config: Mapping[str, object] = field(default_factory=dict)


def write(out: Path, images: Sequence[Image], *, repositories_first: bool = False) -> None:
    """Write one archive of all `images`; a layer that several share is in it once.

    `repositories_first` puts a `repositories` member in front, from which kind (v0.33.0) learns of every image in the
    archive; of `manifest.json` it reads only the first.
    """
    scratch = out.with_suffix(".layers")
    scratch.mkdir(parents=True, exist_ok=True)
    layers: dict[str, Path] = {}
    configs: dict[str, bytes] = {}
    manifest: list[dict[str, object]] = []
    repositories: dict[str, dict[str, str]] = {}
    for image in images:
        digests = []
        for layer in image.layers:
            path = layer if isinstance(layer, Path) else write_layer(scratch / f"{len(layers)}.tar", layer)
            digest = digest_of(path)
            if layers.setdefault(digest, path) is not path and path.parent == scratch:
                path.unlink()
            digests.append(digest)
        config = config_of(image, digests)
        name = hashlib.sha256(config).hexdigest()
        configs[name] = config
        entry: dict[str, object] = {
            "Config": f"{name}.json",
            "RepoTags": list(image.tags),
            "Layers": [f"{d}/layer.tar" for d in digests],
        }
        manifest.append(entry)
        for tag in image.tags:
            repository, _, version = tag.rpartition(":")
            repositories.setdefault(repository, {})[version] = name
    unfinished = out.with_suffix(".unfinished")
    with tarfile.open(unfinished, "w") as archive:
        if repositories_first:
            add_bytes(archive, "repositories", json.dumps(repositories).encode())
        for digest, path in layers.items():
            add_file(archive, f"{digest}/layer.tar", path, 0o644)
        for name, config in configs.items():
            add_bytes(archive, f"{name}.json", config)
        add_bytes(archive, "manifest.json", json.dumps(manifest).encode())
    unfinished.replace(out)
    for path in scratch.iterdir():
        path.unlink()
    scratch.rmdir()


def config_of(image: Image, digests: Sequence[str]) -> bytes:
    """The image's own JSON."""
    runs = {"Env": list(image.env), "Entrypoint": image.entrypoint, "Cmd": image.cmd, **image.config}
    root = {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]}
    return json.dumps({"architecture": "amd64", "os": "linux", "rootfs": root, "config": runs}).encode()


def write_layer(out: Path, files: Files) -> Path:
    """A tar of `files` with the folders above them."""
    folders: set[PurePosixPath] = set()
    with tarfile.open(out, "w") as layer:
        for target, source in sorted(files.items()):
            path = PurePosixPath(target.lstrip("/"))
            for folder in reversed([above for above in path.parents if above.name]):
                if folder not in folders:
                    folders.add(folder)
                    add_folder(layer, folder)
            if isinstance(source, Link):
                entry = tarfile.TarInfo(str(path))
                entry.type, entry.linkname = tarfile.SYMTYPE, source.target
                layer.addfile(entry)
            elif isinstance(source, Text):
                add_bytes(layer, str(path), source.content.encode())
            else:
                add_file(layer, str(path), source, 0o755 if os.access(source, os.X_OK) else 0o644)
    return out


def add_folder(archive: tarfile.TarFile, path: PurePosixPath) -> None:
    """A folder; /tmp is anyone's."""
    entry = tarfile.TarInfo(str(path))
    entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if str(path) == "tmp" else 0o755
    archive.addfile(entry)


def add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """A file of these bytes."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def add_file(archive: tarfile.TarFile, name: str, source: Path, mode: int) -> None:
    """A copy of a file of this machine."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = source.stat().st_size, mode
    with source.open("rb") as content:
        archive.addfile(entry, content)


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
