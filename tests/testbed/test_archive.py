"""Archives of images: what docker, kind and containerd rely on. No engine is needed."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from testbed.images.archive import Files, Image, Link, Text, write


def members(path: Path) -> list[str]:
    """Names in the order of the archive."""
    with tarfile.open(path) as archive:
        return archive.getnames()


def read(path: Path, name: str) -> bytes:
    """One member."""
    with tarfile.open(path) as archive:
        member = archive.extractfile(name)
        assert member is not None
        return member.read()


def test_equal_inputs_give_equal_bytes(tmp_path: Path) -> None:
    """No time, no user and no order of a dictionary is in an archive; other content makes another one."""
    one, same, other = tmp_path / "1.tar", tmp_path / "2.tar", tmp_path / "3.tar"
    write(one, [Image(tags=("lab/a:1",), layers=({"/a": Text("a"), "/b": Text("b")},))])
    write(same, [Image(tags=("lab/a:1",), layers=({"/b": Text("b"), "/a": Text("a")},))])
    write(other, [Image(tags=("lab/a:1",), layers=({"/a": Text("a"), "/b": Text("c")},))])
    assert one.read_bytes() == same.read_bytes() != other.read_bytes()


def test_a_layer_of_several_images_is_there_once(tmp_path: Path) -> None:
    """The Debian layer of three images would otherwise be a hundred megabytes each."""
    out = tmp_path / "out.tar"
    shared = {"/etc/shared": Text("x")}
    write(out, [Image(tags=(f"lab/{name}:1",), layers=(shared, {f"/{name}": Text(name)})) for name in "ab"])
    layers = [entry["Layers"] for entry in json.loads(read(out, "manifest.json"))]
    assert layers[0][0] == layers[1][0]
    assert sum(name.endswith("/layer.tar") for name in members(out)) == 3


def test_repositories_come_first_where_kind_looks_for_them(tmp_path: Path) -> None:
    """kind v0.33.0 stops at the first member that names images, and of manifest.json reads the first image only."""
    out = tmp_path / "out.tar"
    images = [Image(tags=(f"registry.example:5000/{name}:v1",), layers=({"/f": Text(name)},)) for name in "ab"]
    write(out, images, repositories_first=True)
    assert members(out)[0] == "repositories"
    named = json.loads(read(out, "repositories"))
    assert {name: list(tags) for name, tags in named.items()} == {
        "registry.example:5000/a": ["v1"],
        "registry.example:5000/b": ["v1"],
    }
    write(out, images)
    assert "repositories" not in members(out)


def test_a_layer_has_its_folders_modes_and_links(tmp_path: Path) -> None:
    """A program stays executable, /tmp is anyone's, a link is a link."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    out = tmp_path / "out.tar"
    files: Files = {"/usr/bin/program": program, "/tmp/.keep": Text(""), "/bin/sh": Link("busybox")}
    write(out, [Image(tags=("lab/a:1",), layers=(files,))])
    layer = next(name for name in members(out) if name.endswith("/layer.tar"))
    (tmp_path / "layer.tar").write_bytes(read(out, layer))
    with tarfile.open(tmp_path / "layer.tar") as made:
        modes = {entry.name: (entry.mode, entry.linkname) for entry in made}
    assert modes["usr/bin/program"] == (0o755, "")
    assert modes["tmp"] == (0o1777, "")
    assert modes["bin/sh"][1] == "busybox"
    assert list(modes).index("usr") < list(modes).index("usr/bin") < list(modes).index("usr/bin/program")
