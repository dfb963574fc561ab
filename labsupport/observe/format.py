"""File format version 2 of a Recording: the headers, the entries of its view, and their form as lines of JSON.

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

FORMAT, HISTORY_FORMAT = "kafka-lab-recording", "kafka-lab-history"
VERSION, VERSIONS = 2, (1, 2)  # what is written, what is read
PACKED = frozenset({"send", "read"})  # kinds that are in the history; in version 1 they stood in the one file
# events that are in both files, since their place among the operations matters
MARKS = frozenset({"load", "read back began", "read back", "fault began", "fault healed"})
FIELDS = {  # what an entry of a kind has at least; kinds and fields that we do not know are handed on as they are
    "event": {"what"},
    "sample": {"name", "value"},
    "send": {"topic", "id", "outcome", "partition", "offset", "intended", "error"},
    "read": {"topic", "partition", "offset", "id"},
    "verdict": set[str](),
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
    """The first line of a Recording. `began_s` is on CLOCK_MONOTONIC, `began_wall` the same moment in UTC.

    `recording_id` is the same in the view and in its history; "" in version 1, which has no history of its own.
    """

    began_wall: str
    began_s: float
    cluster: ClusterFacts
    version: int = VERSION
    recording_id: str = ""

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
        head: Entry = {"format": FORMAT, "version": self.version}
        if self.version > 1:
            head["recording_id"] = self.recording_id
        head |= {"clock": "monotonic", "began_wall": self.began_wall, "began_s": self.began_s, "cluster": cluster}
        return encode(head).encode()

    def encode_history(self) -> bytes:
        """The first line of the history that belongs to this view."""
        head = {"format": HISTORY_FORMAT, "version": self.version, "recording_id": self.recording_id}
        return encode(head).encode()

    @classmethod
    def decode(cls, line: bytes, *, name: str) -> Header:
        """Read a first line; `name` is the file's, for the message. Raises `LabError` when it is not ours to read."""
        fields = _header_fields(line, FORMAT, name=name)
        try:
            cluster = fields["cluster"]
            return cls(
                began_wall=str(fields["began_wall"]),
                began_s=float(fields["began_s"]),
                version=fields["version"],
                recording_id=str(fields["recording_id"]) if fields["version"] > 1 else "",
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


def is_history(line: bytes) -> bool:
    """Whether a file that begins with this line is, or claims to be, a history."""
    return _fields(line).get("format") == HISTORY_FORMAT


def recording_of(line: bytes, *, name: str) -> str:
    """The id of the Recording to which the history with this first line belongs. Raises `LabError`."""
    return str(_header_fields(line, HISTORY_FORMAT, name=name).get("recording_id"))


def _header_fields(line: bytes, form: str, *, name: str) -> Entry:
    fields = _fields(line)
    if fields.get("format") != form or type(fields.get("version")) is not int:
        what = "a recording" if form == FORMAT else "the history of a recording"
        raise LabError(f"{printable(name)} is not {what} of kafka-lab.")
    if fields["version"] not in VERSIONS:
        raise LabError(
            f"{printable(name)} has format version {fields['version']} and this kafka-lab reads up to version "
            f"{VERSION}: update kafka-lab to open it."
        )
    return fields


def _fields(line: bytes) -> Entry:
    try:
        fields = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        fields = None
    return fields if isinstance(fields, dict) else {}


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
