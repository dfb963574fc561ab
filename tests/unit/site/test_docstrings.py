"""Docstrings with lists become the lists that they look like."""

from __future__ import annotations

import docstrings


def mended(text: str) -> str:
    lines = text.splitlines()
    docstrings.set_lists_apart(None, "class", "name", None, None, lines)  # type: ignore[arg-type]
    return "\n".join(lines)


def test_a_list_is_set_apart_from_the_words_around_it() -> None:
    assert mended("Kinds:\n- one,\n  and more\n- two\nThe end.") == "Kinds:\n\n- one,\n  and more\n- two\n\nThe end."


def test_other_text_stays_as_it_is() -> None:
    text = "A sentence - with a dash\n- no\n\n    code = 1\n\nThe end."
    assert mended("One.\n\n    code = 1\n\nThe end.") == "One.\n\n    code = 1\n\nThe end."
    assert mended(text).endswith("    code = 1\n\nThe end.")
