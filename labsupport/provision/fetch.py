"""Fetch locked artifacts, several at a time, and say in words what went wrong. jgo knows where they are."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labsupport.core.errors import ProvisionError
from labsupport.core.folders import cache_folder
from labsupport.provision import store
from labsupport.provision.lock import Artifact
from labsupport.provision.progress import Progress, Silent

if TYPE_CHECKING:
    from jgo.maven import MavenContext

THREADS = 8
TIMEOUT_S = 30
ATTEMPTS = 3
LONGEST_PAUSE_S = 60.0
CHUNK = 1 << 16
AGAIN = "Run the same command again: what has been fetched is kept."

Job = Callable[[threading.Event], None]


def missing(artifacts: Sequence[Artifact], folder: Path | None = None) -> list[Artifact]:
    """Those that are not in the cache, or not as the lock says; usually only looks at sizes and times."""
    folder = folder or cache_folder()
    return [a for a in artifacts if not store.is_right(folder / a.place, a.size, a.sha256)]


def fetch(
    artifacts: Sequence[Artifact], *, progress: Progress | None = None, remote_repos: dict[str, str] | None = None
) -> None:
    """Have all of `artifacts` in the cache; touches neither network nor lock when they are.

    `remote_repos` replaces jgo's own list of repositories (name to address); tests use it.
    Raises `ProvisionError`, which names the cause; then nothing half done is left.
    """
    folder = cache_folder()
    if not missing(artifacts, folder):
        return
    with store.fetching(folder):
        run_jobs(download_jobs(missing(artifacts, folder), folder, progress or Silent(), remote_repos))


def download_jobs(
    artifacts: Sequence[Artifact],
    folder: Path,
    progress: Progress,
    remote_repos: dict[str, str] | None = None,
) -> list[Job]:
    """One job for each artifact, largest first, so that the last thread does not end with the largest."""
    if not artifacts:
        return []
    from labsupport.provision.maven import context

    maven = context(folder, remote_repos)
    progress.expect(sum(a.size for a in artifacts))

    def job(artifact: Artifact) -> Job:
        return lambda stop: download(maven, artifact, folder, progress, stop)

    return [job(a) for a in sorted(artifacts, key=lambda a: -a.size)]


def run_jobs(jobs: Sequence[Job]) -> None:
    """Run all; at the first failure, or Ctrl-C, ask the others to stop, wait for them, and raise it."""
    stop = threading.Event()
    with ThreadPoolExecutor(THREADS) as pool:
        futures: list[Future[None]] = [pool.submit(job, stop) for job in jobs]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def download(maven: MavenContext, artifact: Artifact, folder: Path, progress: Progress, stop: threading.Event) -> None:
    """Fetch one artifact, check it, put it into the cache. Raises `ProvisionError`."""
    import requests

    final = folder / artifact.place
    part = final.with_name(final.name + store.PART)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _stream(maven, artifact, part, progress, stop)
            store.put(part, final)
            return
        except requests.RequestException as error:
            if attempt == ATTEMPTS or not _may_pass(error) or stop.wait(_pause_s(error, attempt)):
                raise _network_trouble(artifact, error) from error
        except OSError as error:
            raise store.trouble_with(folder, error) from error
        finally:
            _remove(part)


def _status(error: Exception) -> int:
    """The HTTP status of an answer that was an error, else 0."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code
    return 0


def _may_pass(error: Exception) -> bool:
    """False for what will be the same in a second: a file that the repository does not have, or may not give."""
    return not 400 <= _status(error) < 500 or _status(error) == 429


def _pause_s(error: Exception, attempt: int) -> float:
    """How long to wait before the next attempt, in seconds: as the repository asks (429, 503), at most a minute."""
    import requests

    asked = ""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        asked = error.response.headers.get("retry-after", "")
    return min(float(asked), LONGEST_PAUSE_S) if asked.isdecimal() else 0.5 * attempt


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError as error:
        raise store.trouble_with(part.parent, error) from error


def _stream(maven: MavenContext, artifact: Artifact, part: Path, progress: Progress, stop: threading.Event) -> None:
    """Write the artifact to `part`; raises unless it has the size and the SHA-256 of the lock."""
    from labsupport.provision.maven import opened

    digest, size = hashlib.sha256(), 0
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with opened(maven, artifact) as response, part.open("wb") as file:
            _refuse_error_page(artifact, response)
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                progress.advance(len(chunk))
                if stop.is_set():
                    raise ProvisionError("Fetching was stopped.", fix=AGAIN)
        _check(artifact, size, digest.hexdigest())
    except BaseException:
        progress.advance(-size)
        raise


def _refuse_error_page(artifact: Artifact, response: Any) -> None:
    if "html" in response.headers.get("content-type", "").lower():
        raise ProvisionError(
            f"Instead of {artifact.name} the server sent a web page (perhaps of a proxy, or a sign-in page).",
            fix="Open a web page to sign in to this network, or set HTTPS_PROXY, then run the same command again.",
        )


def _check(artifact: Artifact, size: int, sha256: str) -> None:
    if size < artifact.size:
        raise ProvisionError(
            f"The download of {artifact.name} was cut short: {size:,} of {artifact.size:,} bytes came.", fix=AGAIN
        )
    if sha256 != artifact.sha256:
        raise ProvisionError(
            f"{artifact.name} is not the file that the lock names: its SHA-256 is {sha256[:12]}… and should be "
            f"{artifact.sha256[:12]}….",
            fix="Something between you and the repository changes files: do not trust this network, try another.",
        )


def _network_trouble(artifact: Artifact, error: Exception) -> ProvisionError:
    import requests

    if isinstance(error, requests.HTTPError):
        status = _status(error)
        return ProvisionError(
            f"The repository has no {artifact.name} for us (HTTP status {status}).",
            fix="Try again later; if it stays so, update kafka-lab: its lock may name a newer file."
            if status >= 500 or status == 429
            else "Is a proxy or mirror in between? Ask its keeper for this file, or update kafka-lab.",
        )
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return ProvisionError(f"The download of {artifact.name} was cut short ({ATTEMPTS} times).", fix=AGAIN)
    if isinstance(error, requests.exceptions.SSLError):
        return ProvisionError(
            f"The repository's certificate was refused while fetching {artifact.name}.",
            fix="If your network inspects traffic, set REQUESTS_CA_BUNDLE to its certificate file.",
        )
    if isinstance(error, requests.Timeout):
        return ProvisionError(
            f"The repository did not answer within {TIMEOUT_S} s while fetching {artifact.name}.", fix=AGAIN
        )
    return ProvisionError(
        f"There is no network, or the repository cannot be reached: {artifact.name} could not be fetched.",
        fix="Connect to the network (or set HTTPS_PROXY) and run the same command again.",
    )
