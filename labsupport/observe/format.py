"""File format version 1 of a Recording: the header, the entries, and their form as lines of JSON.

`docs/recording-format.md` describes every field. Text from brokers is stored as it came; it is escaped when shown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labsupport.core.errors import LabError
from labsupport.core.escape import printable

FORMAT = "kafka-lab-recording"
VERSION = 1
FIELDS = {  # what an entry of a kind has at least; kinds and fields that we do not know are handed on as they are
    "event": {"what"},
    "sample": {"name", "value"},
    "send": {"topic", "id", "outcome", "partition", "offset", "intended", "error"},
    "read": {"topic", "partition", "offset", "id"},
}
HEADER_LIMIT_BYTES = 65_536  # far more than any header; a binary file may have no line end at all

Entry = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """What is known of a cluster before anything happens to it."""

    name: str
    coordination: str  # "kraft" or "zookeeper"
    version: str
    brokers: tuple[int, ...]
    coordinators: tuple[str, ...] = ()  # names: "zookeeper-1", "controller-101"; empty: the brokers are controllers too


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first line of a Recording. `began_s` is on CLOCK_MONOTONIC, `began_wall` the same moment in UTC."""

    began_wall: str
    began_s: float
    cluster: ClusterFacts

    def encode(self) -> bytes:
        """The header as a line."""
        facts = self.cluster
        cluster: Entry = {
            "name": facts.name,
            "coordination": facts.coordination,
            "version": facts.version,
            "brokers": facts.brokers,
            "coordinators": facts.coordinators,
        }
        head: Entry = {"format": FORMAT, "version": VERSION, "clock": "monotonic"}
        return (encode({**head, "began_wall": self.began_wall, "began_s": self.began_s, "cluster": cluster})).encode()

    @classmethod
    def decode(cls, line: bytes, *, name: str) -> Header:
        """Read a first line; `name` is the file's, for the message. Raises `LabError` when it is not ours to read."""
        fields = _header_fields(line, name=name)
        try:
            cluster = fields["cluster"]
            return cls(
                began_wall=str(fields["began_wall"]),
                began_s=float(fields["began_s"]),
                cluster=ClusterFacts(
                    name=str(cluster["name"]),
                    coordination=str(cluster["coordination"]),
                    version=str(cluster["version"]),
                    brokers=tuple(int(node_id) for node_id in cluster["brokers"]),
                    coordinators=tuple(str(node) for node in cluster["coordinators"]),
                ),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise LabError(f"{printable(name)} is a damaged recording: its first line is incomplete.") from error


def _header_fields(line: bytes, *, name: str) -> Entry:
    try:
        fields = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or fields.get("format") != FORMAT or type(fields.get("version")) is not int:
        raise LabError(f"{printable(name)} is not a recording of kafka-lab.")
    if fields["version"] != VERSION:
        raise LabError(
            f"{printable(name)} has format version {fields['version']} and this kafka-lab reads version {VERSION}: "
            "update kafka-lab to open it."
        )
    return fields


def encode(entry: Mapping[str, object]) -> str:
    """An entry as one line of ASCII with its line end. What JSON has no word for becomes text; NaN becomes null."""
    try:
        return _ENCODER.encode(entry) + "\n"
    except (ValueError, TypeError):
        return _ENCODER.encode(_tame(entry)) + "\n"


def decode(line: bytes) -> Entry:
    """A line as an entry. Raises `ValueError` when it is none."""
    try:
        entry = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("k"), str) or not _is_number(entry.get("t")):
        raise ValueError("not an entry")
    if not FIELDS.get(entry["k"], set()) <= entry.keys():
        raise ValueError("incomplete")
    return entry


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_text(value: object) -> object:
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return str(value)


def _tame(value: object, depth: int = 8) -> object:
    """`value` without NaN, infinities, odd keys and circles: a journal must not fail over what it is told."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | int) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(k): _tame(v, depth - 1) for k, v in value.items()} if depth else str(value)
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [_tame(v, depth - 1) for v in value] if depth else str(value)
    return _as_text(value)


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_as_text)
