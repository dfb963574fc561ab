"""The question as radio buttons. Its state holds the question and its options, never which of them is right."""

from __future__ import annotations

from functools import partial
from typing import Any

from labsupport.core.escape import for_html
from labsupport.teaching import cards, kept
from labsupport.teaching.kept import Kept
from labsupport.teaching.questions import Question

_WIDTH = "46em"
_STYLE = """<style>
.kafka-lab-question .widget-html-content { line-height: 1.45; font-size: var(--jp-content-font-size1, 14px); }
.kafka-lab-question .widget-radio-box { margin: 0.3em 0; }
.kafka-lab-question .widget-radio-box label {
  display: flex; flex-direction: row-reverse; justify-content: flex-end; align-items: baseline; gap: 0.5em;
  height: auto; margin: 0.1em 0; white-space: normal; line-height: 1.45; font-size: var(--jp-content-font-size1, 14px);
}
.kafka-lab-question .widget-radio-box input { flex: none; float: none; margin: 0; align-self: center; }
</style>"""


def question_widget(question: Question, now: Kept) -> dict[str, Any]:
    """The MIME bundle of a live question, without its text."""
    box, _, _ = build(question, now)
    bundle: dict[str, Any] = box._repr_mimebundle_()
    return {kind: data for kind, data in bundle.items() if kind != "text/plain"}


def build(question: Question, now: Kept) -> tuple[Any, Any, Any]:
    """The box, its radio buttons and the line below: choosing an option keeps the answer, even while a cell runs."""
    import ipywidgets

    options = ipywidgets.RadioButtons(
        options=[(question.option(letter), letter) for letter in question.options],
        value=now.of(question.id).latest,
        layout={"width": "auto"},
    )
    said = ipywidgets.HTML(_said(question, now))
    options.observe(partial(_keep, question, said), names="value")
    title = ipywidgets.HTML(
        f"{_STYLE}<div style='font-size:85%;letter-spacing:.04em;opacity:.8'>Your prediction</div>"
        f"{for_html(question.ask, limit=1000)}"
    )
    box = ipywidgets.VBox([title, options, said], layout={"max_width": _WIDTH, "padding": "0.5em 1em"})
    box.layout.border_left = "3px solid #787878"
    box.add_class("kafka-lab-question")
    return box, options, said


def _keep(question: Question, said: Any, change: dict[str, Any]) -> None:
    if change["new"] is not None:
        said.value = _said(question, kept.answer(question.id, change["new"]))


def _said(question: Question, now: Kept) -> str:
    return f"<span style='opacity:.85'>{cards.standing(question, now)}</span>"
