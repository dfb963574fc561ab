"""What axe-core finds wrong with the theme's own markup, put right."""

from __future__ import annotations

from sphinx.application import Sphinx

CONTEXT = dict[str, object]


def give_headings_a_level(_app: Sphinx, _page: str, _template: str, context: CONTEXT, _tree: object) -> None:
    """Captions of lists of pages say that they are headings, but not of which level."""
    for part in ("furo_navigation_tree", "body"):
        shown = str(context.get(part, ""))
        context[part] = shown.replace('class="caption" role="heading"', 'class="caption" role="heading" aria-level="2"')


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", give_headings_a_level, priority=900)  # after the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
