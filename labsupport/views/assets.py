"""The JavaScript and the style of our pictures, put together: one text that imports nothing, from modules that do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from labsupport.core.folders import cache_folder
from labsupport.provision.data import uplot_files, write

_IMPORT = re.compile(r'^import .* from "\./(?P<name>[\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)
_STYLES = ("cluster_map.css", "replay.css", "chart.css")


def read(name: str) -> str:
    """The text of a file in `static`."""
    return (files("labsupport.views") / "static" / name).read_text(encoding="utf-8")


@cache
def module(entry: str) -> str:
    """`entry` behind all that it imports, as one ES module; a name at the top of a file is unique among ours."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", read(name))) for name in _in_order(entry, set()))


def _in_order(name: str, seen: set[str]) -> Iterator[str]:
    seen.add(name)
    for imported in _IMPORT.finditer(read(name)):
        if imported["name"] not in seen:
            yield from _in_order(imported["name"], seen)
    yield name


@cache
def style() -> str:
    """All our rules; each is about a class that begins with `kl-`."""
    return "\n".join(read(name) for name in _STYLES)


def with_uplot(script: str) -> str:
    """`script` behind uPlot and its licence; uPlot is fetched if it is missing. Raises `ProvisionError`."""
    uplot = uplot_files()
    licence = uplot.license.read_text(encoding="utf-8").replace("*/", "* /")
    return f"/*\n{licence}*/\n{uplot.js.read_text(encoding='utf-8')}\n{script}"


@cache
def page_script(*, charts: bool = True) -> str:
    """What makes replays of the stories in a page: a classic script, so that a page opened from a file may load it."""
    script = module("replay_page.js")
    return f'(() => {{\n"use strict";\n{with_uplot(script) if charts else script}\n}})();\n'


def site_assets() -> tuple[list[Path], list[Path]]:
    """Files of a site that shows replays: scripts (classic; load them with `defer`) and style sheets, made if need be.

    They are in the cache folder. Raises `ProvisionError` when it refuses.
    """
    folder = cache_folder().resolve() / "web" / "kafka-lab"
    made = {"kafka-lab-replay.js": page_script(), "kafka-lab-views.css": style()}
    for name, content in made.items():
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != content:
            write(folder / name, content.encode())
    return [folder / "kafka-lab-replay.js"], [folder / "kafka-lab-views.css"]
