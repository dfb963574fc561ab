"""Whatever came from a broker is escaped before it is shown: keys, values, headers, names, error texts."""

from __future__ import annotations

import html
import unicodedata


def printable(value: object, *, limit: int = 200) -> str:
    """`value` as one line of text that no terminal can obey: control and format characters become escapes."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes | bytearray) else str(value)
    shown = text[:limit] + ("…" if len(text) > limit else "")
    return "".join(c if unicodedata.category(c)[0] != "C" else c.encode("unicode_escape").decode() for c in shown)


def for_html(value: object, *, limit: int = 200) -> str:
    """`value` made safe for HTML and SVG, in text and in quoted attributes."""
    return html.escape(printable(value, limit=limit), quote=True)
