"""The build context of the image: one tar with the Dockerfile, `root/` (the same for all versions) and `kafka/`."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import IO

from labsupport.core.errors import ProvisionError
from labsupport.core.folders import cache_folder
from labsupport.provision import aot
from labsupport.provision.image.inputs import caches
from labsupport.provision.image.libraries import needed_libraries
from labsupport.provision.image.scripts import BIN, DEFAULTS, DOCKERFILE, LIBS, kafka_files
from labsupport.provision.kafka import kafka_home
from labsupport.provision.lock import locked
from labsupport.provision.store import CHECKED_NS

AOT_FOLDER = "opt/kafka/aot"
JAVA = "opt/java"
# Windows, fonts, pictures and sound have no place in a broker; headers and licences of the JRE stay in its wheel.
LEFT_OUT = (
    *("libawt", "libfontmanager", "libfreetype", "libjavajpeg", "libjawt", "libjsound", "liblcms", "libmlib"),
    *("libsplashscreen", "psfont", "legal", "include"),
)
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nappuser:x:1000:1000::/opt/kafka:/bin/sh\n",
    "group": "root:x:0:\nappuser:x:1000:\n",
    "nsswitch.conf": "hosts: files dns\n",
}
_EMPTY = ("opt/kafka/logs", "var/lib/kafka/data", "etc/kafka/secrets", "mnt/shared/config")
_MTIME = CHECKED_NS // 10**9  # a fixed one: the engine's cache of layers looks at contents


def write_context(version: str, file: IO[bytes]) -> None:
    """Write the context of Kafka `version` as a tar; fetches what is missing.

    Raises `ProvisionError` where it cannot be had: on another system than Linux, or without busybox.
    """
    home = kafka_home(version)
    jre = home.java.parents[1]
    busybox = _busybox()
    with tarfile.open(fileobj=file, mode="w") as tar:
        _text(tar, "Dockerfile", DOCKERFILE)
        programs = _add_jre(tar, jre)
        for library in needed_libraries([*programs, busybox], inside=jre.resolve()):
            tar.add(library.resolve(), f"root{library}")
        _add_busybox(tar, busybox)
        for name, text in _ETC.items():
            _text(tar, f"root/etc/{name}", text)
        _folder(tar, "root/tmp", 0o1777)
        _folder(tar, "root/root", 0o700)
        _add_kafka(tar, version)


def _add_jre(tar: tarfile.TarFile, jre: Path) -> list[Path]:
    """Add the JRE; returns its programs and libraries. Times are kept: start-up caches know that of `modules`."""
    programs = []
    for path in sorted(jre.rglob("*")):
        inner = path.relative_to(jre)
        if path.is_dir() or any(part.startswith(LEFT_OUT) for part in inner.parts):
            continue
        tar.add(path.resolve(), f"root/{JAVA}/{inner.as_posix()}")
        if path.suffix == ".so" or inner.parts[0] == "bin":
            programs.append(path.resolve())
    return programs


def _busybox() -> Path:
    found = shutil.which("busybox", path="/bin:/usr/bin:/usr/sbin")
    if found is None:
        raise ProvisionError(
            "The local image needs busybox for its shell, and this machine has none.",
            fix="Install it (`apt-get install busybox-static`), or pull a public image of Kafka.",
        )
    return Path(found).resolve()


def _add_busybox(tar: tarfile.TarFile, busybox: Path) -> None:
    tar.add(busybox, "root/bin/busybox")
    asked = subprocess.run([str(busybox), "--list"], capture_output=True, text=True, timeout=60, check=False)
    for name in sorted(set(asked.stdout.split()) - {"busybox"}):
        link = tarfile.TarInfo(f"root/bin/{name}")
        link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "busybox", _MTIME
        tar.addfile(link)


def _add_kafka(tar: tarfile.TarFile, version: str) -> None:
    for path, text in kafka_files(version).items():
        runs = path.startswith(f"{BIN}/") or path == f"{DEFAULTS}/run"
        _text(tar, f"kafka/{path}", text, 0o755 if runs else 0o644)
    for artifact in locked().for_user(version):
        tar.add(cache_folder() / artifact.place, f"kafka/{LIBS}/{artifact.group}/{artifact.name}")
    for program in caches(version):
        tar.add(aot.cache_file(version, program), f"kafka/{AOT_FOLDER}/{program}.aot")
    for folder in _EMPTY:
        _folder(tar, f"kafka/{folder}", 0o755)


def _text(tar: tarfile.TarFile, path: str, text: str, mode: int = 0o644) -> None:
    content = text.encode()
    info = tarfile.TarInfo(path)
    info.size, info.mode, info.mtime = len(content), mode, _MTIME
    tar.addfile(info, io.BytesIO(content))


def _folder(tar: tarfile.TarFile, path: str, mode: int) -> None:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, mode, _MTIME
    tar.addfile(info)
