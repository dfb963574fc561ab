"""Whether a step's outputs are there and were made from the inputs of today."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.paths import STATE


@dataclass(frozen=True)
class Stamp:
    """Remembers under `name` what the outputs were made from."""

    name: str
    inputs: Sequence[str]
    outputs: Sequence[Path]

    @property
    def _file(self) -> Path:
        return STATE / f"{self.name}.stamp"

    def digest(self) -> str:
        """One hash of all inputs; it may be another step's input."""
        return hashlib.sha256("\0".join(self.inputs).encode()).hexdigest()

    def is_fresh(self) -> bool:
        """Whether nothing has to be done."""
        return (
            all(path.exists() for path in self.outputs)
            and self._file.exists()
            and self._file.read_text() == self.digest()
        )

    def mark(self) -> None:
        """The outputs are whole now."""
        STATE.mkdir(parents=True, exist_ok=True)
        self._file.write_text(self.digest())
