"""What follows a prediction goes into a fold, wherever its headings are."""

from __future__ import annotations

import predictions
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document


def cell(source: str) -> nodes.container:
    """A cell of code as MyST-NB makes it."""
    made = nodes.container(nb_element="cell_code")
    code = nodes.container(nb_element="cell_code_source")
    code += nodes.literal_block(source, source)
    made += code
    return made


def section(title: str, *content: nodes.Node) -> nodes.section:
    made = nodes.section("", nodes.title(title, title))
    made += list(content)
    return made


def folded(page: nodes.section) -> nodes.document:
    """The page after its consequences are folded."""
    document = new_document("page", get_default_settings(Parser))
    document += page
    predictions.fold_consequences(None, document, "page")  # type: ignore[arg-type]
    return document


def outline(node: nodes.Node) -> list[object]:
    """Titles, paragraphs and cells by their text; sections and folds as lists, folds behind their question."""
    found: list[object] = []
    for child in node.children:
        if isinstance(child, predictions.fold):
            found.append([child["question"], *outline(child)])
        elif isinstance(child, nodes.section):
            found.append(outline(child))
        else:
            found.append(child.astext())
    return found


def test_everything_to_the_end_of_the_page_is_folded() -> None:
    """The rest of the question's own section, and all later ones."""
    page = section(
        "Page", section("Ask", cell('predict("a")'), nodes.paragraph("", "rest")), section("See"), section("Why")
    )
    assert outline(folded(page)) == [["Page", ["Ask", 'predict("a")'], ["a", "rest", ["See"], ["Why"]]]]


def test_a_second_question_has_a_fold_within_the_first() -> None:
    """Its own consequences stay folded when the first question is answered."""
    page = section("Page", section("One", cell('predict("a")')), section("Two", cell('predict("b")')), section("Why"))
    assert outline(folded(page)) == [["Page", ["One", 'predict("a")'], ["a", ["Two", 'predict("b")'], ["b", ["Why"]]]]]


def test_a_question_in_a_deeper_section_folds_the_page() -> None:
    page = section("Page", section("Part", section("Ask", cell('predict("a")')), section("See")), section("Why"))
    assert outline(folded(page)) == [["Page", ["Part", ["Ask", 'predict("a")']], ["a", ["See"], ["Why"]]]]


def test_where_nothing_is_asked_nothing_is_folded() -> None:
    """An outcome is no question, nor is a question in words."""
    source = 'predict.outcome("a", evidence)'
    page = section("Page", cell("from labsupport import predict"), cell(source), nodes.paragraph("", 'predict("a")'))
    document = folded(page)
    assert list(document.findall(predictions.fold)) == []
    assert [found["ids"] for found in document.findall(nodes.container) if found["ids"]] == [["outcome-of-a"]]


def test_a_question_at_the_end_has_no_empty_fold() -> None:
    assert list(folded(section("Page", cell('predict("a")'))).findall(predictions.fold)) == []
