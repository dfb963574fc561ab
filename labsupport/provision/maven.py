"""Where artifacts come from: jgo's repositories, over one connection a thread.

jgo's own download asks for a second file (SHA-1) for each artifact, on new connections, and writes under the final
name; the lock has better hashes, and a file must not have its final name before it is checked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from labsupport.provision.lock import Artifact

if TYPE_CHECKING:
    from jgo.maven import MavenContext

TIMEOUT_S = 30
_connections = threading.local()


def context(folder: Path, remote_repos: dict[str, str] | None = None) -> MavenContext:
    """A Maven context that keeps nothing outside of `folder`."""
    from jgo.maven import MavenContext

    return MavenContext(repo_cache=folder / "repository", remote_repos=remote_repos, timeout=TIMEOUT_S)


def _session() -> requests.Session:
    if not hasattr(_connections, "session"):
        _connections.session = requests.Session()
    session: requests.Session = _connections.session
    return session


@contextmanager
def opened(maven: MavenContext, artifact: Artifact) -> Iterator[requests.Response]:
    """The artifact as a stream, from the first repository that has it. Raises `requests.RequestException`."""
    found = maven.project(artifact.group, artifact.artifact).at_version(artifact.version)
    where = found.artifact(packaging=artifact.packaging)
    path = f"{found.path_prefix.as_posix()}/{where.filename}"
    last: requests.Response | None = None
    for address in maven.remote_repos.values():
        response = _session().get(f"{address}/{path}", stream=True, timeout=maven.timeout)
        if response.ok:
            with response:
                yield response
            return
        response.close()
        last = response
    raise requests.HTTPError(f"{artifact.name} is in no repository", response=last)
