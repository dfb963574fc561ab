"""The ledger as a table: nothing in a row can become markup, and what it links to is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import claims_page
import pytest

from labsupport.claims import Claim, Verdict

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def row() -> Callable[..., Claim]:
    def made(**changes: Any) -> Claim:
        words = dict.fromkeys(("why", "source", "predicate", "reference"), "")
        rest = {
            "id": "5.3-x",
            "section": "5.3",
            "paragraph": 2,
            "statement": "It holds.",
            "system": "Kafka",
            "test": "",
        }
        return Claim(**{**words, **rest, "verdict": Verdict.HOLDS, **changes})

    return made


def test_what_a_row_says_is_text(row: Callable[..., Claim]) -> None:
    words = ("statement", "why", "source", "system", "test", "reference", "id")
    html = claims_page.claims_table([row(**dict.fromkeys(words, HOSTILE))], {})
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= len(words)


def test_a_measured_row_links_to_the_page_that_settles_it(row: Callable[..., Claim]) -> None:
    html = claims_page.claim_row(row(test="04-isr"), "notebooks/04-isr.html")
    assert 'settled by <a href="notebooks/04-isr.html">04-isr</a>' in html


def test_a_documentary_row_says_so(row: Callable[..., Claim]) -> None:
    html = claims_page.claim_row(row(test="documentary"), None)
    assert "settled by documents" in html
    assert "documentary" not in html


def test_sections_have_their_titles(row: Callable[..., Claim]) -> None:
    html = claims_page.claims_table([row(), row(id="y"), row(id="z", section="5.5")], {})
    assert html.count("<tbody>") == 2
    assert "§5.5 Metrics" in html


def test_measured_and_documentary_rows_are_counted_apart(row: Callable[..., Claim]) -> None:
    rows = [row(test="04-isr"), row(test="documentary"), row(test="documentary"), row(verdict=Verdict.UNTESTED)]
    html = claims_page.counts_table(rows)
    assert "holds</a></th><td>1</td><td>2</td><td>3</td>" in html
    assert "untested</a></th><td>–</td><td>–</td><td>1</td>" in html
    assert ">all</th><td>1</td><td>2</td><td>4</td>" in html


@pytest.mark.parametrize(
    ("system", "product"),
    [
        ("Kafka 4.3.1, KRaft", "Kafka"),
        ("Kubernetes 1.9 to 1.14", "Kubernetes"),
        ("Message brokers, RabbitMQ 3.8", "Message brokers, RabbitMQ"),
        ("Kafka Connect", "Kafka Connect"),
        ("Portworx, 2018", "Portworx"),
    ],
)
def test_systems_are_chosen_without_their_version(system: str, product: str) -> None:
    assert claims_page.product(system) == product
