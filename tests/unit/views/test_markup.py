"""Text from a broker is one line that nothing can obey, and stays text in HTML."""

from __future__ import annotations

import unicodedata

import pytest

from labsupport.core.escape import for_html, printable
from labsupport.views.markup import Markup, join, shorten, tag, text
from labsupport.views.story import data
from tests.hostile import PAYLOADS, Payload

from .conftest import parse


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_every_hostile_text_is_one_line_of_plain_text(payload: Payload) -> None:
    """No control, format or line-ending character is left, in bytes as in text; the HTML reads as the text."""
    for value in (payload.content, payload.text):
        shown = printable(value)
        assert len(shown.splitlines()) == 1
        assert {unicodedata.category(c) for c in shown}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
        html = for_html(value)
        assert (
            parse(f'<p title="{html}">{html}</p>')[0].text == shown == parse(f'<p title="{html}"/>')[0].attrib["title"]
        )


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_no_text_ends_the_data_of_a_replay(payload: Payload) -> None:
    """Neither a tag nor a comment can begin within it, and it means what it meant."""
    html = data({"text": payload.text[:1000]})
    inside = html.removeprefix('<script type="application/json">').removesuffix("</script>")
    assert not set(inside) & set("<>&\u2028\u2029")


def test_markup_is_made_by_tags_alone() -> None:
    """A text is escaped wherever it stands; what was made here is not escaped twice."""
    made = tag("b", "<i>", join("&", tag("u", text("'"))), title='"')
    assert made == '<b title="&quot;">&lt;i&gt;&amp;<u>&#x27;</u></b>'
    assert isinstance(made, Markup)


def test_a_long_name_keeps_both_ends() -> None:
    assert shorten("abcdefghij" * 10, 9) == "abcd…ghij"
