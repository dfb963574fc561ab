"""The page of Python names has all of them, each with the page that describes it."""

from __future__ import annotations

import re
from pathlib import Path

import labsupport

API = Path(__file__).parents[3] / "docs" / "api"


def test_every_public_name_is_there_and_leads_to_a_page() -> None:
    listed = dict(re.findall(r"^\| \[`(\w+)`\]\((\w+\.md)\)", (API / "index.md").read_text(encoding="utf-8"), re.M))
    assert sorted(listed) == sorted(labsupport.__all__)
    assert [page for page in listed.values() if not (API / page).exists()] == []
