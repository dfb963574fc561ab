"""Static HTML of a question and of its outcome: for the site, and for a lab without widgets."""

from __future__ import annotations

from labsupport.core.escape import for_html
from labsupport.teaching.kept import Answers, Kept
from labsupport.teaching.questions import Question

_CARD = "max-width:46em;padding:.5em 1em;border-left:3px solid #787878;line-height:1.45"
_SMALL = "margin:.6em 0 .1em;font-size:90%;opacity:.85"


def asked(question: Question, kept: Kept) -> str:
    """The question, its options, and how it was or can be answered."""
    rows = "".join(f"<li style='list-style:none'>{_option(question, letter)}</li>" for letter in question.options)
    return _card(
        "Your prediction",
        f"<p style='margin:.2em 0 .4em'>{for_html(question.ask, limit=1000)}</p>"
        f"<ul style='padding:0;margin:0'>{rows}</ul>"
        f"<p style='{_SMALL}'>{standing(question, kept)}</p>",
    )


def standing(question: Question, kept: Kept) -> str:
    """Where the reader stands: unanswered, answered, or answered after the outcome had been shown."""
    answers = kept.of(question.id)
    if answers.latest is None:
        call = f'predict("{question.id}", answer="{next(iter(question.options))}")'
        said = f"Choose one, or go on without. Where there are no buttons, <code>{for_html(call)}</code> answers."
    elif not answers.changed_after:
        said = f"You said <strong>({answers.latest})</strong>. The cluster answers below."
    elif answers.prediction is None:
        said = f"You said ({answers.latest}), after the outcome had been shown."
    else:
        said = (
            f"You predicted ({answers.prediction}), and said ({answers.latest}) after the outcome had been shown: "
            "the prediction counts."
        )
    return f"{said} {for_html(kept.note, limit=400)}".strip()


def compared(question: Question, happened: str, kept: Kept) -> str:
    """What the run bore out, and the reader's prediction beside it."""
    answers = kept.of(question.id)
    return _card(
        "The cluster's answer",
        f"<p style='margin:.2em 0'>{_option(question, happened)}</p>"
        f"<p style='margin:.4em 0'><strong>{_verdict(question, happened, answers)}</strong></p>"
        f"<p style='margin:.4em 0'>{for_html(question.why, limit=1000)}</p>"
        + (f"<p style='{_SMALL}'>{for_html(kept.note, limit=400)}</p>" if kept.note else ""),
    )


def _verdict(question: Question, happened: str, answers: Answers) -> str:
    if answers.prediction is None:
        later = f" You said ({answers.latest}) after it had been shown." if answers.latest else ""
        return f"You made no prediction.{later}"
    if answers.prediction == happened:
        return f"✓ You predicted ({happened}), and so it was.{_wavered(answers)}"
    return f"✗ You predicted: {_option(question, answers.prediction)}{_wavered(answers)}"


def _wavered(answers: Answers) -> str:
    return f" (Your first thought was ({answers.first}).)" if answers.first != answers.prediction else ""


def _option(question: Question, letter: str) -> str:
    return for_html(question.option(letter), limit=500)


def _card(title: str, body: str) -> str:
    return f"<div style='{_CARD}'><div style='font-size:85%;letter-spacing:.04em;opacity:.8'>{title}</div>{body}</div>"
