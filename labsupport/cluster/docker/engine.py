"""The connection to Docker's engine, and one sentence for each way in which it cannot be had."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from labsupport.core.errors import LabError, StartError
from labsupport.core.escape import printable

if TYPE_CHECKING:
    from docker import DockerClient

ANSWER_WITHIN_S = 300  # an engine that removes or starts many containers at once answers late
VARIABLES = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONFIG", "DOCKER_CONTEXT")


def engine(*, answer_within_s: float = ANSWER_WITHIN_S) -> DockerClient:
    """The engine that Docker's own client would use. Raises `LabError` when it is not there, or not allowed."""
    return _engine(os.getpid(), tuple(os.environ.get(name) for name in VARIABLES), answer_within_s)


@lru_cache(maxsize=2)
def _engine(_pid: int, _variables: tuple[str | None, ...], answer_within_s: float) -> DockerClient:
    testcontainers_without_ryuk()
    from docker.errors import DockerException
    from testcontainers.core.docker_client import DockerClient as Client

    try:
        return Client(timeout=answer_within_s).client
    except (DockerException, OSError) as error:
        raise no_engine(error) from error


def testcontainers_without_ryuk() -> None:
    """Have testcontainers start no cleaner of its own: ours needs no image, and outlives a killed program as well."""
    from testcontainers.core.config import testcontainers_config

    testcontainers_config.ryuk_disabled = True


def environment_for_helpers() -> dict[str, str]:
    """The variables by which another process finds the same engine, and nothing else of our environment."""
    from testcontainers.core.docker_client import get_docker_host

    kept = (*VARIABLES, "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "KAFKA_LAB_RUNTIME", "XDG_RUNTIME_DIR")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    host = get_docker_host()
    return {**found, **({"DOCKER_HOST": host} if host else {}), "PYTHONPATH": str(Path(__file__).parents[3])}


def no_engine(error: BaseException) -> LabError:
    """The two sentences for an engine that does not answer."""
    causes = tuple(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return LabError(
            "You are not allowed to use Docker's engine: its socket is not open to you.",
            fix="Join its group (`sudo usermod -aG docker $USER`, then log in again), or use rootless Docker.",
        )
    where = os.environ.get("DOCKER_HOST") or "its default socket"
    if any(isinstance(cause, FileNotFoundError | ConnectionRefusedError) for cause in causes):
        how = "Start Docker Desktop" if sys.platform == "darwin" else "Start it (`sudo systemctl start docker`)"
        return LabError(
            f"No Docker engine answers at {where}.", fix=f"{how}, or use backend='local' (KAFKA_LAB_BACKEND=local)."
        )
    return LabError(
        f"Docker's engine at {where} does not answer: {printable(str(error), limit=300)}.",
        fix="`docker version` says more; or use backend='local' (KAFKA_LAB_BACKEND=local).",
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it came from, and what urllib3 and requests wrapped into their arguments."""
    while error is not None:
        yield error
        for inner in (*error.args, getattr(error, "reason", None)):
            if isinstance(inner, BaseException) and inner is not error:
                yield from _causes(inner)
        error = error.__cause__ or error.__context__


@contextmanager
def told_plainly(what: str) -> Iterator[None]:
    """Turn the engine's refusal within the block into a `StartError` that begins with `what`."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except APIError as error:
        raise StartError(f"{what}: {said(error)}.", fix=_remedy(said(error))) from error
    except (DockerException, RequestException) as error:
        raise no_engine(error) from error


def said(error: Exception) -> str:
    """The engine's own words, on one line."""
    words = getattr(error, "explanation", None) or str(error)
    if isinstance(words, bytes):
        words = words.decode(errors="replace")
    return printable(" ".join(str(words).split()), limit=400).rstrip(".")


def _remedy(words: str) -> str:
    if "address pool" in words:
        return "The engine has no room for another network: `docker network prune` removes unused ones."
    if "no space left" in words:
        return "Free some space where the engine keeps its data: `docker system df` shows what takes it."
    return "`docker info` shows how the engine is."
