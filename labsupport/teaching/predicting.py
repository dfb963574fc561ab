"""Ask before a run, compare after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labsupport.claims.evidence import weigh
from labsupport.core import notebook
from labsupport.core.errors import Contradiction
from labsupport.teaching import cards, kept
from labsupport.teaching.kept import Kept
from labsupport.teaching.outcomes import OUTCOMES
from labsupport.teaching.questions import Question, question

MimeBundle = dict[str, object]


@dataclass(frozen=True)
class Prediction:
    """A question and what the reader answered. Its text is the same whether it was answered or not."""

    question: Question
    kept: Kept

    @property
    def answer(self) -> str | None:
        """The letter given last, or None."""
        return self.kept.of(self.question.id).latest

    def __str__(self) -> str:
        options = [f"  {self.question.option(letter)}" for letter in self.question.options]
        how = f'Answer with predict("{self.question.id}", answer="{next(iter(self.question.options))}"), or just go on.'
        return "\n".join([self.question.ask, *options, how])

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: object) -> MimeBundle:
        return {"text/plain": str(self), "text/html": cards.asked(self.question, self.kept), **self._widget()}

    def _widget(self) -> MimeBundle:
        from labsupport.teaching.widget import question_widget

        return question_widget(self.question, self.kept) if notebook.in_kernel() else {}


@dataclass(frozen=True)
class Outcome:
    """What the run bore out, beside what the reader predicted. The text holds only the run's part."""

    question: Question
    happened: str
    kept: Kept

    @property
    def predicted(self) -> str | None:
        """The answer that stood when the outcome was first shown, or None."""
        return self.kept.of(self.question.id).prediction

    def __str__(self) -> str:
        return f"{self.question.option(self.happened)}\n  why  {self.question.why}"

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: object) -> MimeBundle:
        return {"text/plain": str(self), "text/html": cards.compared(self.question, self.happened, self.kept)}


class Predict:
    """`predict("leader-dies")` asks; `predict.outcome("leader-dies", evidence={…})` compares."""

    def __call__(self, question_id: str, *, answer: object = None) -> Prediction:
        """Show a question; with `answer="b"`, answer it at once (this is the way without widgets).

        The answer is kept on this computer only; another one may be given until the outcome is shown. Raises
        `LabError` for an unknown question and `BadInput` for an answer that is no option, and nothing else: when
        the answer cannot be kept, the card says so.
        """
        asked = question(question_id)
        if answer is None:
            return Prediction(asked, kept.load())
        return Prediction(asked, kept.answer(asked.id, asked.choice(answer)))

    def outcome(self, question_id: str, evidence: Mapping[str, object]) -> Outcome:
        """Show which option `evidence` bears out, beside the reader's prediction, which counts from now on.

        Raises `Contradiction` if this run bears out another option than the reference run did.
        """
        asked = question(question_id)
        happened = weigh(asked.id, OUTCOMES[asked.id], evidence)
        if happened != asked.answer:
            raise Contradiction(
                f"This run bears out “{asked.option(happened)}”, where the reference run bore out "
                f"“{asked.option(asked.answer)}”.",
                fix="Run the page again from its first cell; if it happens twice, please report it.",
            )
        return Outcome(asked, happened, kept.settle(asked.id))

    def __repr__(self) -> str:
        return 'predict("id") asks a question; predict.outcome("id", evidence={…}) compares.'


predict = Predict()
