"""The view of a Recording: what is written can be read, for ever, and what is not ours is refused in a sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsupport.core.errors import LabError
from labsupport.observe import Recording, failover, state_of, verdict
from labsupport.observe.follow import Follower
from labsupport.observe.format import FIELDS, ClusterFacts, Header, encode
from labsupport.observe.operations import Mark, Send
from labsupport.observe.packed import Unpacker
from labsupport.observe.shelf import history_of
from tests.unit.observe.made_by_hand import VERSION_1, VERSION_2

DOCUMENT = Path(__file__).parents[3] / "docs" / "recording-format.md"

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
fields = st.dictionaries(st.text().filter(lambda name: name not in {"t", "k", "what", "name", "value"}), values)
times = st.floats(-1e6, 1e6).map(lambda t: round(t, 6))
entries = st.one_of(
    st.builds(lambda t, what, more: {"t": t, "k": "event", "what": what} | more, times, st.text(), fields),
    st.builds(
        lambda t, name, value, more: {"t": t, "k": "sample", "name": name, "value": value} | more,
        times,
        st.text(),
        numbers,
        fields,
    ),
    st.builds(lambda t, more: {"t": t, "k": "verdict"} | more, times, fields),
)


def file_of(folder: Path, written: list[dict[str, Any]], *, version: int = 2) -> Path:
    """A recording with these entries in its view, and nothing in its history."""
    facts = ClusterFacts(name="demo", coordination="kraft", version="4.3.1", brokers=(1,))
    path = folder / "made.view.jsonl"
    header = Header(began_wall="2026-11-24T17:00:00Z", began_s=0.0, cluster=facts, version=version, recording_id="abcd")
    path.write_bytes(header.encode() + "".join(map(encode, written)).encode())
    history_of(path).write_bytes(header.encode_history())
    return path


@given(written=st.lists(entries, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_written_is_read(tmp_path: Path, written: list[dict[str, Any]]) -> None:
    """Write, then read: the same entries in the same order, whatever text or numbers they hold."""
    assert list(Recording.load(file_of(tmp_path, written)).entries()) == written


@given(written=st.lists(entries, max_size=6), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_file_cut_at_any_byte_gives_a_prefix(
    tmp_path: Path, written: list[dict[str, Any]], data: st.DataObject
) -> None:
    """A torn last line is left out; all before it is there. Only with the header torn is it no recording any more."""
    path = file_of(tmp_path, written)
    whole = path.read_bytes()
    header_ends = whole.index(b"\n") + 1
    cut = data.draw(st.integers(header_ends, len(whole)))
    path.write_bytes(whole[:cut])
    left = list(Recording.load(path).entries())
    assert left == written[: whole[header_ends:cut].count(b"\n")]


def test_a_file_cut_within_its_header_is_refused(tmp_path: Path) -> None:
    """No cut of the first line reads as a recording."""
    path = file_of(tmp_path, [])
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(LabError, match="is not a recording"):
            Recording.load(path)


@given(chunk=st.integers(1, 64))
@settings(deadline=None)
def test_a_follower_reads_the_same_in_pieces_of_any_size(chunk: int) -> None:
    """Where a read ends in the middle of a line, the next one goes on."""
    for file in (VERSION_1, VERSION_2):
        whole = list(Recording.load(file).entries())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("labsupport.observe.follow.CHUNK_BYTES", chunk)
            assert Follower(file).poll() == whole


def test_kinds_that_are_not_wanted_are_left_out() -> None:
    """Asking for some kinds gives exactly these, also when another writer puts the fields into another order."""
    for file in (VERSION_1, VERSION_2):
        whole = list(Recording.load(file).entries())
        for kind in FIELDS:
            assert list(Recording.load(file).entries(kinds={kind})) == [e for e in whole if e["k"] == kind]


def test_fields_in_another_order_are_the_same_entry(tmp_path: Path) -> None:
    """Leaving kinds out by the look of a line is only a shortcut."""
    path = file_of(tmp_path, [])
    with path.open("a") as file:
        file.write('{"what":"x","k":"event","t":1}\n{"k":"sample","t":2,"name":"n","value":1}\n')
    assert [e["k"] for e in Recording.load(path).entries(kinds={"sample"})] == ["sample"]


def test_the_committed_file_of_version_1_loads_for_ever() -> None:
    """Header, picture, failover and verdict of the file that was written when the format was new."""
    old = Recording.load(VERSION_1)
    assert (old.header.cluster.name, old.began_s, old.closed) == ("demo", 1000.5, True)
    picture = state_of(old)
    assert {name: node.state for name, node in picture.nodes.items()} == {
        "broker-1": "stopped",
        "broker-2": "running",
        "broker-3": "running",
        "zookeeper-1": "running",
    }
    seen = failover(old, "flights", 0)
    assert (seen.old, seen.new, seen.new_leader_s, seen.first_acked_s) == (1, 2, 2.0, 2.2)
    judged = verdict(old, "flights")
    assert (judged.acked, judged.lost, judged.unknown, judged.failed, judged.unexpected) == (3, 0, 1, 1, 1)


def test_the_committed_pair_of_version_2_means_the_same() -> None:
    """The same experiment in two files: header, picture, failover, verdict, and every entry, with new kinds of them."""
    old, new = Recording.load(VERSION_1), Recording.load(VERSION_2)
    assert new.header.cluster == old.header.cluster and new.began_s == old.began_s
    assert (state_of(new).nodes, state_of(new).topics) == (state_of(old).nodes, state_of(old).topics)
    assert failover(new, "flights", 0) == failover(old, "flights", 0)
    assert verdict(new, "flights") == verdict(old, "flights")
    of_old = [e | {"t": round(e["t"], 4)} for e in old.entries()]
    assert [e for e in new.entries() if e in of_old] == of_old
    assert Recording.load(VERSION_2.with_name("version-2.history")).path == VERSION_2


def test_what_we_do_not_know_is_handed_on(tmp_path: Path) -> None:
    """A kind or a field that a later program added to this version does no harm."""
    later = [{"t": 1.0, "k": "comet", "tail": True}, {"t": 2.0, "k": "event", "what": "leader", "colour": "blue"}]
    path = file_of(tmp_path, later)
    assert list(Recording.load(path).entries()) == later
    assert state_of(Recording.load(path)).t_s == 2.0


HEADER = VERSION_1.read_bytes().split(b"\n")[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not a recording of kafka-lab"),
        (b"\n", "is not a recording of kafka-lab"),
        (b"[]\n", "is not a recording of kafka-lab"),
        (b'{"format":"other","version":1}\n', "is not a recording of kafka-lab"),
        (b'{"format":"kafka-lab-recording","version":true}\n', "is not a recording of kafka-lab"),
        (b'{"format":"kafka-lab-recording"}\n', "is not a recording of kafka-lab"),
        (b'{"format":"kafka-lab-recording","version":1}\n', "is a damaged recording: its first line is incomplete"),
        (b"[" * 60_000 + b"\n", "is not a recording of kafka-lab"),
        (bytes(range(256)) * 1000, "is not a recording of kafka-lab"),
        (b"\x00" * 1_000_000, "is not a recording of kafka-lab"),
        (
            HEADER.replace(b'"version":1,', b'"version":3,') + b"\n",
            "has format version 3 and this kafka-lab reads up to version 2: update kafka-lab to open it",
        ),
        (HEADER.replace(b'"version":1,', b'"version":2,') + b"\n", "its first line is incomplete"),
        (HEADER.replace(b'"version":1,', b'"version":0,') + b"\n", "has format version 0"),
    ],
)
def test_what_is_not_a_recording_is_refused_in_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    """Empty files, binary ones, other people's JSON, and newer versions: one sentence with the file's name."""
    path = tmp_path / "given.jsonl"
    path.write_bytes(content)
    with pytest.raises(LabError, match=says) as refused:
        Recording.load(path)
    assert str(refused.value).startswith("given.jsonl ")
    assert len(re.findall(r"\.( |$)", str(refused.value))) == 1


def test_a_missing_file_and_a_folder_are_refused_in_a_sentence(tmp_path: Path) -> None:
    """As any path that cannot be opened."""
    for path, says in [(tmp_path / "none.jsonl", "No such file"), (tmp_path, "Is a directory")]:
        with pytest.raises(LabError, match=says):
            Recording.load(path)


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        '{"k":"event","what":"x"}',
        '{"t":1,"k":"read"}',
        '{"t":true,"k":"event","what":"x"}',
        '{"t":null,"k":"x"}',
    ],
)
def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path, line: str) -> None:
    """Only the last line may be torn: elsewhere something else has happened to the file."""
    path = file_of(tmp_path, [{"t": 1.0, "k": "event", "what": "x"}])
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(LabError, match=r"made.view.jsonl is a damaged recording \(line 3\)"):
        list(Recording.load(path).entries())


@pytest.mark.parametrize(
    "told",
    [
        float("nan"),
        float("inf"),
        b"\xff\x00",
        {3, 1, 2},
        {("a", 1): "b"},
        Path("/x"),
        [float("nan")],
        object,
        (1, (2,)),
    ],
)
def test_what_json_has_no_word_for_is_written_all_the_same(tmp_path: Path, told: object) -> None:
    """A journal must not fail over what it is told, and the file stays JSON that a browser reads."""
    line = encode({"t": 1.0, "k": "event", "what": "x", "told": told})
    assert json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))["what"] == "x"
    assert line.isascii()


def test_a_circle_is_written_as_text() -> None:
    """Even what has no end."""
    circle: list[object] = []
    circle.append(circle)
    assert json.loads(encode({"t": 1, "k": "event", "what": "x", "told": circle}))["t"] == 1


@pytest.mark.parametrize("file", [VERSION_1, VERSION_2], ids=lambda file: file.name)
def test_the_document_names_every_field(file: Path) -> None:
    """docs/recording-format.md describes all that is written: the header's fields, the entries' and the events'."""
    document = DOCUMENT.read_text()
    lines = [line for line in map(json.loads, file.read_text().splitlines()) if line.get("k") != "verdict"]
    names = {name for line in lines for name in line} | set(lines[0]["cluster"])
    names |= {line[what] for line in lines for what in ("what", "k", "name") if line.get(what)}
    assert {name for name in names if f"`{name}`" not in document} == set()


def test_the_document_s_example_is_a_history() -> None:
    """Its bytes mean what it says of them."""
    rows = re.findall(r"^    ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?=  |$)", DOCUMENT.read_text(), re.MULTILINE)
    assert Unpacker().feed(bytes.fromhex(" ".join(rows))) == [
        Send(3.01, "flights", "a", 1, "acked", 0, 0, 3.0, ""),
        Send(3.02, "flights", "a", 2, "acked", 0, 1, 3.01, ""),
        Mark(4.0, "fault began", {"fault": "killed", "nodes": ["broker-1"]}),
    ]
