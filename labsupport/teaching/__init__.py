"""What a page does with its reader: it asks for a prediction before a run, and later sets it beside the outcome.

Nothing here is ever required to go on, and nothing is graded. It never talks to a cluster: outcomes come from evidence
that the page hands over. Start with `predict`.
"""

from labsupport.teaching.predicting import Outcome, Prediction, predict

__all__ = ["Outcome", "Prediction", "predict"]
