"""Whatever came from a broker is escaped before it is shown: keys, values, headers, names, error texts."""

from __future__ import annotations

import html
import unicodedata


def printable(value: object, *, limit: int = 200) -> str:
    """`value` as one line of text that no terminal can obey: control and format characters become escapes."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes | bytearray) else str(value)
    shown = text[:limit] + ("…" if len(text) > limit else "")
    return "".join(c.encode("unicode_escape").decode() if _steers(c) else c for c in shown)


def _steers(character: str) -> bool:
    """Control, format and unassigned characters, and the two that end a line or a paragraph."""
    category = unicodedata.category(character)
    return category[0] == "C" or category in {"Zl", "Zp"}


def for_html(value: object, *, limit: int = 200) -> str:
    """`value` made safe for HTML and SVG, in text and in quoted attributes."""
    return html.escape(printable(value, limit=limit), quote=True)
