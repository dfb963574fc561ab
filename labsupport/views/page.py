"""A page of its own: pictures with their replays in one HTML file that needs no kernel and no network."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from labsupport.core.errors import LabError
from labsupport.core.escape import for_html, printable
from labsupport.views import assets
from labsupport.views.markup import Markup, join, tag, text

_LOOK = """:root { color-scheme: light dark; }
body { margin: 1.5em auto; padding: 0 1em; max-width: 700px; background: Canvas; color: CanvasText;
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4em; } h2 { font-size: 1.1em; margin-top: 2em; }
"""


def page(title: str, sections: Sequence[tuple[str, Markup]], *, charts: bool = True) -> str:
    """The HTML of a page: its sections with their headings. Its policy lets our one script run and nothing else.

    `charts`: with uPlot, which is fetched if it is missing. Raises `ProvisionError`.
    """
    script = assets.page_script(charts=charts)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    body = join(*(join(tag("h2", text(name)) if name else None, content) for name, content in sections))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{for_html(title)}</title>\n<style>{_LOOK}{assets.style()}</style>\n</head>\n<body>\n"
        f"<h1>{for_html(title)}</h1>\n{body}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def write(path: Path | str, html: str) -> Path:
    """Put a page into a file, at once or not at all. Raises `LabError` when that cannot be."""
    file = Path(path)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_text(html, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LabError(
            f"The page cannot be written to {printable(file)} ({error.strerror}).", fix="Name another file."
        ) from error
    return file
