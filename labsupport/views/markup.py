"""HTML and SVG that cannot be broken out of: a text is escaped unless it was made here."""

from __future__ import annotations

from labsupport.core import escape

_TEXT_LIMIT = 2000
_ATTRIBUTE_LIMIT = 100_000  # a path is one long attribute


class Markup(str):
    """Text that is already HTML or SVG. Only `tag` and `join` make it."""

    __slots__ = ()


def text(value: object, *, limit: int = _TEXT_LIMIT) -> Markup:
    """`value` as it reads, at most `limit` characters of it, safe in content and in quoted attributes."""
    return value if isinstance(value, Markup) else Markup(escape.for_html(value, limit=limit))


def join(*parts: object) -> Markup:
    """The parts, one after the other; None is left out."""
    return Markup("".join(text(part) for part in parts if part is not None))


def tag(tag_name: str, *children: object, **attributes: object) -> Markup:
    """An element. In attribute names `_` reads `-` (`stroke_width`), a trailing `_` is dropped; None leaves one out."""
    shown = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag_name}{shown}>{join(*children)}</{tag_name}>")


def _attribute(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return text(str(value), limit=_ATTRIBUTE_LIMIT)


def shorten(value: object, limit: int) -> str:
    """At most `limit` characters, the middle left out: both ends of a name tell it from its neighbours."""
    shown = escape.printable(value, limit=_TEXT_LIMIT)
    if len(shown) <= limit:
        return shown
    head = (limit - 1) // 2
    return f"{shown[:head]}…{shown[-(limit - 1 - head) :]}"
